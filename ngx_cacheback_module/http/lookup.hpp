// http/lookup.hpp: the PRECONTENT handler: one look-up per client request, and
// what follows from it.
#pragma once

#include "../ngx/ngx.hpp"
#include "request_context.hpp"

namespace cacheback::http {

ngx_int_t on_precontent(ngx_http_request_t& r);

[[nodiscard]] bool is_secure(const ngx_http_request_t& r) noexcept;

// That of another target of the same origin, where it follows from the target:
// with the default key. Else nothing.
[[nodiscard]] std::optional<store::Key> key_of_target(ngx_http_request_t& r,
                                                      const LocationConf& conf,
                                                      std::string_view target);

// The key of this request at this location.
[[nodiscard]] store::Key make_key(ngx_http_request_t& r,
                                  const LocationConf& conf);

// Memory first, then Redis; goes on with follow().
ngx_int_t look_up(RequestContext& context);

// Redis alone: memory has nothing, or something older.
ngx_int_t look_in_redis(RequestContext& context);

// As look_up(), for one that waited for what has ended in some way.
ngx_int_t look_again(RequestContext& context);

}  // namespace cacheback::http
