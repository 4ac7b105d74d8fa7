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

// The definition behind an indexed variable, while the configuration is read.
const ngx_http_variable_t* definition(const ngx_http_core_main_conf_t& core,
                                      const ngx_str_t& name) noexcept {
    const ngx_array_t& keys = core.variables_keys->keys;
    auto* all = static_cast<ngx_hash_key_t*>(keys.elts);
    for (ngx_uint_t i = 0; i < keys.nelts; i++) {
        if (view(all[i].key) == view(name)) {
            return static_cast<ngx_http_variable_t*>(all[i].value);
        }
    }
    return nullptr;
}

// Set by the rewrite module, whose definitions hold their own index, or by a
// named capture, whose hold nothing. Those of `map`, `geo`, auth_request_set
// and their like hold what they are found by.
bool is_set_once(const ngx_http_variable_t* v, ngx_uint_t index) noexcept {
    return v != nullptr && (v->flags & NGX_HTTP_VAR_CHANGEABLE) != 0 &&
           (v->data == index || v->data == 0);
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
        const ngx_str_t& name = variables[i].name;
        rules_[i] = of_connection(view(name)) ? VariableRule::evaluate
                    : is_set_once(definition(*core, name), i)
                        ? VariableRule::copy
                        : VariableRule::leave;
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
