#include "entrance.hpp"

#include <charconv>

#include "../core/forwarded.hpp"
#include "../core/text.hpp"
#include "../ngx/pool.hpp"

namespace cacheback::http {

namespace {

std::string_view scheme_of(const ngx_http_request_t& r) noexcept {
    return came_by_https(r) ? "https" : "http";
}

std::string_view host_of(const ngx_http_request_t& r) noexcept {
    if (r.headers_in.server.len != 0) { return ngx::view(r.headers_in.server); }
    auto* server = static_cast<ngx_http_core_srv_conf_t*>(
        ngx_http_get_module_srv_conf((&r), ngx_http_core_module));
    return ngx::view(server->server_name);
}

bool is_port(const ngx_http_request_t& r, std::string_view value) noexcept {
    if (value == (came_by_https(r) ? "443" : "80")) { return true; }
    ngx_connection_t* c = r.connection;
    if (ngx_connection_local_sockaddr(c, nullptr, 0) != NGX_OK) {
        return false;
    }
    char text[NGX_INT_T_LEN];
    auto end = std::to_chars(text, text + sizeof(text),
                             ngx_inet_get_port(c->local_sockaddr))
                   .ptr;
    return value == std::string_view(text, static_cast<size_t>(end - text));
}

}  // namespace

bool came_by_https(const ngx_http_request_t& r) noexcept {
#if (NGX_SSL || NGX_COMPAT)
    if (r.connection->ssl != nullptr) { return true; }
#endif
    bool said = false;
    for (const ngx_list_part_t* part = &r.headers_in.headers.part;
         part != nullptr; part = part->next) {
        auto* fields = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (!core::iequal(ngx::view(fields[i].key), "X-Forwarded-Proto")) {
                continue;
            }
            if (ngx::view(fields[i].value) != "https") { return false; }
            said = true;
        }
    }
    return said;
}

bool agrees_with_entrance(ngx_http_request_t& r, std::string_view name,
                          std::string_view value) noexcept {
    const auto is = [name](std::string_view other) {
        return core::same_to_cgi(name, other);
    };
    if (is("X-Forwarded-Host")) { return core::iequal(value, host_of(r)); }
    if (is("X-Forwarded-Port")) { return is_port(r, value); }
    if (is("X-Forwarded-Proto") || is("X-Forwarded-Scheme")) {
        return value == scheme_of(r);
    }
    return is("Forwarded") &&
           core::forwarded_agrees(value, host_of(r), scheme_of(r));
}

}  // namespace cacheback::http
