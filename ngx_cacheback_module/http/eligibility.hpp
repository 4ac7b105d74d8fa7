// http/eligibility.hpp: which requests are looked up at all.
#pragma once

#include "../core/reason.hpp"
#include "../core/request_directives.hpp"
#include "../ngx/ngx.hpp"
#include "configuration.hpp"

namespace cacheback::http {

// none: it is looked up. Else why it passes (BYPASS).
[[nodiscard]] core::Reason why_not_looked_up(ngx_http_request_t& r,
                                             const LocationConf& conf);

// The directives of the request (RFC 9111 5.2.1), in its memory.
[[nodiscard]] const core::RequestDirectives* asked_of_caches(
    ngx_http_request_t& r);

// HEAD by the method on the request line; nginx changes r.method on redirects.
[[nodiscard]] bool asked_by_head(const ngx_http_request_t& r) noexcept;

// The answer will be a part of the item or none of it: HEAD, Range, If-….
[[nodiscard]] bool asks_for_part(const ngx_http_request_t& r) noexcept;

// The client holds something, and asks whether that is still right.
[[nodiscard]] bool asks_for_validation(const ngx_http_request_t& r) noexcept;

[[nodiscard]] bool sent_cookie(const ngx_http_request_t& r) noexcept;

}  // namespace cacheback::http
