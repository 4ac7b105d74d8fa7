#include "field_lists.hpp"

#include "../core/text.hpp"
#include "../ngx/pool.hpp"
#include "configuration.hpp"
#include "entrance.hpp"

namespace cacheback::http {

namespace {

// Frameworks take the method or the URI from these, and no key has them; or,
// where they say something else than the key, host, scheme and port.
constexpr std::string_view default_unkeyed[] = {
    "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL",
    "X-Rewrite-URL",          "X-Forwarded-Host",  "X-Forwarded-Proto",
    "X-Forwarded-Scheme",     "X-Forwarded-Port",  "Forwarded"};

char* failed() noexcept { return static_cast<char*>(NGX_CONF_ERROR); }

ngx_str_t* arguments(ngx_conf_t* cf) noexcept {
    return static_cast<ngx_str_t*>(cf->args->elts);
}

std::uint64_t length_bit(const ngx_str_t& name) noexcept {
    return std::uint64_t{1} << (name.len & 63U);
}

// Of a name that is not empty.
std::uint64_t shape_bit(const ngx_str_t& name) noexcept {
    return std::uint64_t{1} << ((name.len + (name.data[0] | 0x20U)) & 63U);
}

// The element's place in a list that is made on first use. Null: no memory.
template <class T>
T* push(ngx_conf_t* cf, ngx_array_t*& list) noexcept {
    if (list == nullptr) { list = ngx_array_create(cf->pool, 4, sizeof(T)); }
    return list == nullptr ? nullptr : static_cast<T*>(ngx_array_push(list));
}

// A field that the key names is covered by it.
bool is_in_key(const LocationConf& conf, std::string_view name) noexcept {
    auto* names = static_cast<ngx_str_t*>(conf.key_fields->elts);
    for (ngx_uint_t i = 0; i < conf.key_fields->nelts; i++) {
        if (core::same_to_cgi(name, ngx::view(names[i]))) { return true; }
    }
    return false;
}

ngx_int_t list_default_unkeyed(ngx_conf_t* cf, LocationConf& conf) noexcept {
    conf.unkeyed.names = nullptr;
    for (std::string_view name : default_unkeyed) {
        if (is_in_key(conf, name)) { continue; }
        auto* slot = push<ngx_str_t>(cf, conf.unkeyed.names);
        if (slot == nullptr) { return NGX_ERROR; }
        *slot = ngx::str(name);
    }
    return NGX_OK;
}

// What a fetch sets by itself, or what would make its answer a part of the
// item, or none of it.
bool is_of_fetch(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {"Host",
                                                 "Accept-Encoding",
                                                 "Range",
                                                 "If-Range",
                                                 "If-Match",
                                                 "If-None-Match",
                                                 "If-Modified-Since",
                                                 "If-Unmodified-Since",
                                                 "Connection",
                                                 "Keep-Alive",
                                                 "TE",
                                                 "Trailer",
                                                 "Transfer-Encoding",
                                                 "Content-Length",
                                                 "Expect",
                                                 "Upgrade"};
    for (std::string_view each : names) {
        if (core::same_to_cgi(name, each)) { return true; }
    }
    return core::same_to_cgi(name.substr(0, 10), "Cacheback-");
}

bool is_listed(const ngx_array_t* headers, std::string_view name) noexcept {
    if (headers == nullptr) { return false; }
    auto* header = static_cast<RefreshHeader*>(headers->elts);
    return std::any_of(header, header + headers->nelts,
                       [&](const RefreshHeader& each) {
                           return core::iequal(ngx::view(each.name), name);
                       });
}

// Without the letters that end a field, or nginx's `$`, which means nothing
// here.
bool is_field_text(std::string_view text) noexcept {
    return !core::trim(text).empty() &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return c >= 0x20 && c < 0x7f && c != '$';
           });
}

}  // namespace

std::string_view host_of(const ngx_http_request_t& r) noexcept {
    if (r.headers_in.server.len != 0) { return ngx::view(r.headers_in.server); }
    auto* server = static_cast<ngx_http_core_srv_conf_t*>(
        ngx_http_get_module_srv_conf((&r), ngx_http_core_module));
    return ngx::view(server->server_name);
}

// Whom the request was sent to, with the port: what the request line names
// counts more than Host (RFC 9112 3.2.2), and the key has it.
std::string_view authority_of(const ngx_http_request_t& r) noexcept {
    const std::string_view line = ngx::view(r.request_line);
    const std::size_t target = line.find(' ') + 1;
    const std::size_t slashes = line.find("//", target);
    if (target != 0 && line.substr(target, 1) != "/" &&
        slashes != std::string_view::npos) {
        const std::size_t start = slashes + 2;
        const std::size_t end = line.find_first_of("/? ", start);
        return line.substr(start, end - start);
    }
    return r.headers_in.host != nullptr ? ngx::view(r.headers_in.host->value)
                                        : host_of(r);
}

bool is_unkeyed(ngx_http_request_t& r, const LocationConf& conf,
                std::string_view name, std::string_view value) noexcept {
    if (conf.unkeyed.names == nullptr) { return false; }
    auto* names = static_cast<ngx_str_t*>(conf.unkeyed.names->elts);
    for (ngx_uint_t i = 0; i < conf.unkeyed.names->nelts; i++) {
        if (core::same_to_cgi(name, ngx::view(names[i]))) {
            return !agrees_with_entrance(r, name, value);
        }
    }
    return false;
}

// Host beside a request line that names another one (RFC 9112 3.2.2): $host and
// the key have that of the line, $http_host this one.
static bool has_other_host(const ngx_http_request_t& r,
                           const LocationConf& conf) noexcept {
    if (r.headers_in.host == nullptr || is_in_key(conf, "Host")) {
        return false;
    }
    std::string_view host = ngx::view(r.headers_in.host->value);
    if (const std::size_t colon = host.rfind(':');
        colon != std::string_view::npos && host.back() != ']') {
        host = host.substr(0, colon);
    }
    return !core::iequal(host, host_of(r));
}

bool has_unkeyed_field(ngx_http_request_t& r,
                       const LocationConf& conf) noexcept {
    const std::uint64_t lengths = conf.unkeyed.lengths;
    if (lengths == 0) { return false; }
    if (r.host_start != nullptr && has_other_host(r, conf)) { return true; }
    for (const ngx_list_part_t* part = &r.headers_in.headers.part;
         part != nullptr; part = part->next) {
        auto* fields = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            const ngx_str_t& name = fields[i].key;
            if ((lengths & length_bit(name)) == 0) { continue; }
            if ((conf.unkeyed.shapes & shape_bit(name)) != 0 &&
                is_unkeyed(r, conf, ngx::view(name),
                           ngx::view(fields[i].value))) {
                return true;
            }
        }
    }
    return false;
}

core::ArgPatterns ignored_args(const LocationConf& conf) noexcept {
    if (conf.ignored_args == nullptr) { return {}; }
    return {static_cast<core::ArgPattern*>(conf.ignored_args->elts),
            conf.ignored_args->nelts};
}

// `cacheback_key_ignore_args NAME|PREFIX* …`
char* set_ignored_args(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& location = *static_cast<LocationConf*>(conf);
    ngx_str_t* args = arguments(cf);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view text = ngx::view(args[i]);
        core::ArgPattern pattern = core::parse_arg_pattern(text);
        if (text.empty() ||
            pattern.name.find_first_of("=&?#*$ ") != std::string_view::npos) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\", expected the "
                               "name of an argument such as \"fbclid\" or the "
                               "begin of names such as \"utm_*\"",
                               &args[i], &args[0]);
            return failed();
        }
        auto* slot = push<core::ArgPattern>(cf, location.ignored_args);
        if (slot == nullptr) { return failed(); }
        *slot = pattern;
    }
    return NGX_CONF_OK;
}

// `cacheback_unkeyed FIELD …|off`
char* set_unkeyed(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    UnkeyedFields& unkeyed = static_cast<LocationConf*>(conf)->unkeyed;
    ngx_str_t* args = arguments(cf);
    bool was_off = unkeyed.set && unkeyed.names == nullptr;
    bool off = cf->args->nelts == 2 && ngx::view(args[1]) == "off";
    if (was_off || (off && unkeyed.set)) {
        return const_cast<char*>("is duplicate, \"off\" stands alone");
    }
    unkeyed.set = true;
    if (off) { return NGX_CONF_OK; }

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (!core::is_token(ngx::view(args[i])) ||
            ngx::view(args[i]) == "off" || args[i].data[0] == '$') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\", expected "
                               "names of request fields, or \"off\" alone",
                               &args[i], &args[0]);
            return failed();
        }
        auto* slot = push<ngx_str_t>(cf, unkeyed.names);
        if (slot == nullptr) { return failed(); }
        *slot = args[i];
    }
    return NGX_CONF_OK;
}

// `cacheback_refresh_header FIELD VALUE`
char* set_refresh_header(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& location = *static_cast<LocationConf*>(conf);
    ngx_str_t* args = arguments(cf);
    if (!core::is_token(ngx::view(args[1])) || args[1].data[0] == '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid field \"%V\" in \"%V\", expected the name "
                           "of a request field",
                           &args[1], &args[0]);
        return failed();
    }
    if (is_of_fetch(ngx::view(args[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid field \"%V\" in \"%V\", a fetch decides "
                           "on it by itself",
                           &args[1], &args[0]);
        return failed();
    }
    if (is_listed(location.refresh_headers, ngx::view(args[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate field \"%V\" in \"%V\"", &args[1],
                           &args[0]);
        return failed();
    }
    auto* slot = push<RefreshHeader>(cf, location.refresh_headers);
    if (slot == nullptr) { return failed(); }
    slot->name = args[1];
    slot->value = compile(cf, args[2]);
    return slot->value == nullptr ? failed() : NGX_CONF_OK;
}

// `cacheback_accept_encoding identity|VALUE`
char* set_accept_encoding(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    ngx_str_t& value = static_cast<LocationConf*>(conf)->accept_encoding;
    ngx_str_t* args = arguments(cf);
    if (value.data != nullptr) { return const_cast<char*>("is duplicate"); }
    if (!is_field_text(ngx::view(args[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected "
                           "\"identity\" or encodings such as \"gzip\" or "
                           "\"br, gzip;q=0.5\"",
                           &args[1], &args[0]);
        return failed();
    }
    value = args[1];
    return NGX_CONF_OK;
}

ngx_int_t merge_field_lists(ngx_conf_t* cf, LocationConf& conf,
                            const LocationConf& prev) {
    if (conf.refresh_headers == nullptr) {
        conf.refresh_headers = prev.refresh_headers;
    }
    ngx_conf_merge_str_value(conf.accept_encoding, prev.accept_encoding,
                             "identity");

    if (!conf.unkeyed.set && prev.unkeyed.set) { conf.unkeyed = prev.unkeyed; }
    if (!conf.unkeyed.set && list_default_unkeyed(cf, conf) != NGX_OK) {
        return NGX_ERROR;
    }
    conf.unkeyed.lengths = 0;
    conf.unkeyed.shapes = 0;
    if (conf.unkeyed.names == nullptr) { return NGX_OK; }
    auto* names = static_cast<ngx_str_t*>(conf.unkeyed.names->elts);
    for (ngx_uint_t i = 0; i < conf.unkeyed.names->nelts; i++) {
        conf.unkeyed.lengths |= length_bit(names[i]);
        conf.unkeyed.shapes |= shape_bit(names[i]);
    }
    return NGX_OK;
}

}  // namespace cacheback::http
