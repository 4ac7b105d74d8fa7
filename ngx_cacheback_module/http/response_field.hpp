// http/response_field.hpp: fields of our own making in nginx's response header.
#pragma once

#include <string_view>

#include "../ngx/ngx.hpp"

namespace cacheback::http {

// Views must last as long as the request. Null or false: no memory.
[[nodiscard]] ngx_table_elt_t* push_field(ngx_http_request_t& r,
                                          std::string_view name,
                                          std::string_view value) noexcept;

// Fields of which there may be several, and to which nginx keeps pointers.
[[nodiscard]] bool add_cache_control(ngx_http_request_t& r,
                                     std::string_view value) noexcept;
[[nodiscard]] bool note_cache_control(ngx_http_request_t& r,
                                      ngx_table_elt_t* field) noexcept;
[[nodiscard]] bool note_link(ngx_http_request_t& r,
                             ngx_table_elt_t* field) noexcept;

}  // namespace cacheback::http
