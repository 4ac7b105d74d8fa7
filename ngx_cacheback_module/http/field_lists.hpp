// http/field_lists.hpp: what directives list by name: arguments that do not
// matter, request fields that no key covers, request fields of fetches.
#pragma once

#include "../core/query_args.hpp"
#include "../ngx/ngx.hpp"

namespace cacheback::http {

struct LocationConf;

// `cacheback_unkeyed`: a request with one of these may get an answer that its
// key does not tell apart.
struct UnkeyedFields {
    bool set = false;              // by a directive of this level or an outer
    ngx_array_t* names = nullptr;  // of ngx_str_t; null: none
    // A bit for each length of a name, and one for length and first letter:
    // the fields of a usual request are passed over without comparing.
    std::uint64_t lengths = 0;
    std::uint64_t shapes = 0;
};

// What nginx calls $host.
[[nodiscard]] std::string_view host_of(const ngx_http_request_t& r) noexcept;
// With its port: as the request line names it, else Host.
[[nodiscard]] std::string_view authority_of(
    const ngx_http_request_t& r) noexcept;

// True when the request has one of them. Those that name the client's way in
// (X-Forwarded-Host and the like) count only where they say another one than
// agrees_with_entrance() does.
[[nodiscard]] bool has_unkeyed_field(ngx_http_request_t& r,
                                     const LocationConf& conf) noexcept;
[[nodiscard]] bool is_unkeyed(ngx_http_request_t& r, const LocationConf& conf,
                              std::string_view name,
                              std::string_view value) noexcept;

// One `cacheback_refresh_header FIELD VALUE`.
struct RefreshHeader {
    ngx_str_t name;
    ngx_http_complex_value_t* value;
};

// `cacheback_key_ignore_args` as core reads it.
[[nodiscard]] core::ArgPatterns ignored_args(const LocationConf& conf) noexcept;

// The setters of these directives.
char* set_ignored_args(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_unkeyed(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_refresh_header(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_accept_encoding(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);

// After the key's own inputs are known. NGX_ERROR when there is no memory.
ngx_int_t merge_field_lists(ngx_conf_t* cf, LocationConf& conf,
                            const LocationConf& prev);

}  // namespace cacheback::http
