#include "variable_plan.hpp"

#include "pool.hpp"

namespace cacheback::ngx {

namespace {

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
    return text.substr(0, prefix.size()) == prefix;
}

// A detached request has no socket, no TLS session and no peer of its own, so
// these would come out empty or wrong there.
bool of_connection(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {
        "scheme",          "https",       "http2",        "http3",
        "server_protocol", "remote_port", "connection",   "connection_requests",
        "connection_time", "server_port", "request_port", "is_request_port",
        "cacheback_scheme"};
    static constexpr std::string_view prefixes[] = {
        "ssl_", "tcpinfo_", "proxy_protocol_", "realip_remote_"};
    for (std::string_view known : names) {
        if (name == known) { return true; }
    }
    for (std::string_view prefix : prefixes) {
        if (starts_with(name, prefix)) { return true; }
    }
    return false;
}

bool of_request(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {"status",
                                                 "bytes_sent",
                                                 "body_bytes_sent",
                                                 "request_time",
                                                 "request_length",
                                                 "request_completion",
                                                 "request_body",
                                                 "request_body_file",
                                                 "request_id",
                                                 "request_method",
                                                 "remote_user",
                                                 "pipe",
                                                 "msec",
                                                 "content_length",
                                                 "content_type",
                                                 "connection_upgrade"};
    static constexpr std::string_view prefixes[] = {
        "http_",          "cookie_", "sent_http_", "sent_trailer_",
        "upstream_",      "time_",   "cacheback_", "proxy_add_x_forwarded_for",
        "proxy_internal_"};
    for (std::string_view known : names) {
        if (name == known) { return true; }
    }
    for (std::string_view prefix : prefixes) {
        if (starts_with(name, prefix)) { return true; }
    }
    return false;
}

}  // namespace

ngx_int_t VariablePlan::build(ngx_conf_t& cf) noexcept {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf((&cf), ngx_http_core_module));

    count_ = core->variables.nelts;
    rules_ = static_cast<VariableRule*>(ngx_palloc(cf.pool, count_ + 1));
    if (rules_ == nullptr) { return NGX_ERROR; }

    auto* variables = static_cast<ngx_http_variable_t*>(core->variables.elts);
    for (ngx_uint_t i = 0; i < count_; i++) {
        std::string_view name = view(variables[i].name);
        rules_[i] = of_connection(name) ? VariableRule::evaluate
                    : of_request(name)  ? VariableRule::leave
                                        : VariableRule::copy;
    }
    return NGX_OK;
}

bool VariablePlan::apply(ngx_http_request_t& from,
                         ngx_http_variable_value_t* to,
                         ngx_pool_t& pool) const noexcept {
    for (ngx_uint_t i = 0; i < count_; i++) {
        if (rules_[i] == VariableRule::leave) { continue; }
        if (rules_[i] == VariableRule::evaluate) {
            (void)ngx_http_get_indexed_variable(&from, i);
        }

        const ngx_http_variable_value_t& value = from.variables[i];
        if (!value.valid && !value.not_found) { continue; }
        to[i] = value;
        if (!value.valid || value.len == 0) { continue; }

        ngx_str_t text;
        if (!copy(pool, text,
                  {reinterpret_cast<const char*>(value.data), value.len})) {
            return false;
        }
        to[i].data = text.data;
    }
    return true;
}

}  // namespace cacheback::ngx
