// http/purge.hpp: the PURGE method (cacheback_purge): django-cacheback's
// delete(), and with `Cacheback-Purge: soft` its invalidate().
#pragma once

#include "../ngx/ngx.hpp"
#include "request_context.hpp"

namespace cacheback::http {

// What has become of a purge so far.
struct Purging : store::Watch {
    Purging(RequestContext& of, bool softly) noexcept;

    RequestContext& context;
    bool soft;
    bool was_there = false;  // in memory
    std::optional<store::Written> written;
    std::optional<bool> told;
    ngx_int_t answer = 0;
};

[[nodiscard]] bool is_purge(const ngx_http_request_t& r) noexcept;

// Where cacheback_purge is set: what the PRECONTENT handler answers.
//   204  the item is deleted         202  marked stale, and being refreshed
//   404  there was nothing           405  this client may not
//   503  Redis could not be reached: maybe deleted or marked in memory only
ngx_int_t purge(ngx_http_request_t& r, LocationConf& conf);

// A purge that has waited for Redis goes on.
ngx_int_t follow_purge(RequestContext& context);

}  // namespace cacheback::http
