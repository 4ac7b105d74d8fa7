// http/configuration.hpp: what the directives set, and how it reads for one
// request. Directives themselves: directives.cpp and store_block.cpp.
#pragma once

#include "../core/policy.hpp"
#include "../core/time.hpp"
#include "../ngx/ngx.hpp"
#include "../ngx/variable_plan.hpp"
#include "../store/store.hpp"

namespace cacheback::http {

// A time that may hold variables. A value that turns out not to be a time
// falls back to what the outer level says and is logged.
struct TimeSetting {
    bool set = false;
    core::Millis constant = 0;
    core::Millis least = 0;  // what is below is no usable value
    ngx_http_complex_value_t* value = nullptr;  // null: `constant`
    const TimeSetting* outer = nullptr;
    const char* directive = nullptr;  // named in the log
};

// One `cacheback_lifetime CODE … TIME`; `code` 0 is `any`.
struct LifetimeLine {
    ngx_uint_t code;
    TimeSetting time;
};

struct LifetimeLevel {
    ngx_array_t* lines = nullptr;  // of LifetimeLine
    const LifetimeLevel* outer = nullptr;
};

struct LocationConf {
    store::Store* store = nullptr;  // null: off
    ngx_flag_t enabled = NGX_CONF_UNSET;
    LifetimeLevel lifetimes;
    TimeSetting ttl;
    TimeSetting refresh_timeout;
    ngx_http_complex_value_t* key = nullptr;
    ngx_array_t* bypass = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    ngx_array_t* no_store = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    ngx_array_t* skip = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    unsigned ignore = 0;  // bits of core::IgnoredField
    size_t max_size = NGX_CONF_UNSET_SIZE;
    ngx_flag_t revalidate = NGX_CONF_UNSET;

    // Request fields that the key names by variable ($http_…, $cookie_…), so
    // a background fetch sends them; of ngx_str_t, lower case with dashes.
    ngx_array_t* key_fields = nullptr;
    ngx_array_t* key_cookies = nullptr;
};

struct MainConf {
    ngx_array_t stores;  // of store::Store*
    ngx_http_complex_value_t* default_key = nullptr;
    ngx::VariablePlan variables;
    bool used = false;   // some location has `cacheback STORE`
};

inline constexpr core::Millis default_ttl = 30LL * 24 * 3600 * core::second;
inline constexpr core::Millis default_refresh_timeout = 60 * core::second;

// The value for this request; `fallback` where no level sets a usable one.
[[nodiscard]] core::Millis evaluate(ngx_http_request_t& r,
                                    const TimeSetting& setting,
                                    core::Millis fallback);

// What cacheback_lifetime says for `status`; nothing when no line names it.
[[nodiscard]] std::optional<core::Millis> lifetime_of(
    ngx_http_request_t& r, const LocationConf& conf, ngx_uint_t status);

[[nodiscard]] core::Policy policy_of(ngx_http_request_t& r,
                                     const LocationConf& conf,
                                     ngx_uint_t status);

// Largest entry this location stores, in bytes.
[[nodiscard]] std::size_t max_size_of(const LocationConf& conf) noexcept;

void* create_main_conf(ngx_conf_t* cf);
char* init_main_conf(ngx_conf_t* cf, void* conf);
void* create_location_conf(ngx_conf_t* cf);
char* merge_location_conf(ngx_conf_t* cf, void* parent, void* child);

// Where everything else finds the module's own configuration.
[[nodiscard]] MainConf& main_conf(ngx_http_request_t& r) noexcept;
[[nodiscard]] MainConf& main_conf(ngx_conf_t& cf) noexcept;
[[nodiscard]] LocationConf& location_conf(ngx_http_request_t& r) noexcept;

}  // namespace cacheback::http
