// http/entrance.hpp: the scheme, host and port by which a client came, and the
// request fields by which proxies in front, or anybody, say another one.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

// As the client asked: also through a proxy in front that says so. More than
// one word on it, or another one, is no word. See $cacheback_scheme.
[[nodiscard]] bool came_by_https(const ngx_http_request_t& r) noexcept;

// One of the fields that name the entrance says what we know ourselves.
// X-Forwarded-Host: the host. X-Forwarded-Proto and -Scheme: the scheme.
// X-Forwarded-Port: the server's port, or the usual one of the scheme.
// Forwarded: host and scheme, where it names them. Others never agree.
[[nodiscard]] bool agrees_with_entrance(ngx_http_request_t& r,
                                        std::string_view name,
                                        std::string_view value) noexcept;

}  // namespace cacheback::http
