// http/configuration.hpp: what the directives set, and how it reads for one
// request. Directives themselves: directives.cpp and store_block.cpp.
#pragma once

#include "../core/policy.hpp"
#include "../core/time.hpp"
#include "../ngx/ngx.hpp"
#include "../ngx/variable_plan.hpp"
#include "../store/store.hpp"
#include "field_lists.hpp"

namespace cacheback::http {

// A value that may hold variables. One that turns out not to be what the
// directive takes falls back to what the outer level says and is logged.
struct Setting {
    enum class Takes : u_char {
        time,         // milliseconds
        time_or_off,  // `never` for "off"
        on_or_off,    // 1, 0
    };
    static constexpr core::Millis never = -1;

    Takes takes = Takes::time;
    bool set = false;
    core::Millis constant = 0;
    core::Millis least = 0;  // what is below is no usable value
    ngx_http_complex_value_t* value = nullptr;  // null: `constant`
    const Setting* outer = nullptr;
    const char* directive = nullptr;  // named in the log
};

// What the text says as a value of this setting; nothing when it does not.
[[nodiscard]] std::optional<core::Millis> parse(const Setting& setting,
                                                ngx_str_t& text) noexcept;
// "expected …" in error texts.
[[nodiscard]] const char* expected(const Setting& setting) noexcept;

// One `cacheback_lifetime CODE … TIME`; `code` 0 is `any`.
struct LifetimeLine {
    ngx_uint_t code;
    Setting time;
};

struct LifetimeLevel {
    ngx_array_t* lines = nullptr;  // of LifetimeLine
    const LifetimeLevel* outer = nullptr;
};

// `cacheback_empty CODE [TEXT] [retry=TIME]`
struct EmptyAnswer {
    ngx_uint_t code = NGX_HTTP_SERVICE_UNAVAILABLE;
    ngx_http_complex_value_t* text = nullptr;
    time_t retry = 1;  // seconds, for Retry-After; 0: not sent
};

struct LocationConf {
    store::Store* store = nullptr;  // null: off
    ngx_flag_t enabled = NGX_CONF_UNSET;
    LifetimeLevel lifetimes;
    Setting ttl;
    Setting refresh_timeout;
    Setting threshold;
    Setting stale_if_error;
    Setting fetch_on_miss;
    EmptyAnswer* empty_answer = nullptr;  // null: the default
    ngx_http_complex_value_t* key = nullptr;
    ngx_array_t* bypass = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    ngx_array_t* no_store = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    ngx_array_t* offline = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    ngx_array_t* purge = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    ngx_array_t* skip = static_cast<ngx_array_t*>(NGX_CONF_UNSET_PTR);
    unsigned ignore = 0;                      // bits of core::IgnoredField
    ngx_uint_t policy = NGX_CONF_UNSET_UINT;  // a core::PolicyName
    size_t max_size = NGX_CONF_UNSET_SIZE;
    ngx_flag_t revalidate = NGX_CONF_UNSET;
    ngx_msec_t lock = NGX_CONF_UNSET_MSEC;  // 0: off
    Setting min_lifetime;
    Setting max_lifetime;
    Setting uncacheable_ttl;
    ngx_int_t min_uses = NGX_CONF_UNSET;
    ngx_flag_t refresh_log = NGX_CONF_UNSET;
    ngx_flag_t invalidate_on_unsafe = NGX_CONF_UNSET;
    ngx_int_t jitter = NGX_CONF_UNSET;         // per cent
    ngx_int_t early_refresh = NGX_CONF_UNSET;  // beta in thousandths, 0: off
    ngx_str_t cache_status{0, nullptr};   // as it stands in the field; "": off
    ngx_array_t* ignored_args = nullptr;  // of core::ArgPattern
    ngx_array_t* refresh_headers = nullptr;  // of RefreshHeader
    ngx_str_t accept_encoding{0, nullptr};   // of every fill and refresh
    UnkeyedFields unkeyed;

    // Request fields that the key names by variable ($http_…, $cookie_…), so
    // a background fetch sends them; of ngx_str_t, lower case with dashes.
    ngx_array_t* key_fields = nullptr;
    ngx_array_t* key_cookies = nullptr;
};

struct MainConf {
    ngx_array_t stores;  // of store::Store*
    ngx_http_complex_value_t* default_key = nullptr;
    ngx_http_complex_value_t* default_key_of_args = nullptr;
    ngx::VariablePlan variables;
};

inline constexpr core::Millis default_ttl = 30LL * 24 * 3600 * core::second;
inline constexpr core::Millis default_refresh_timeout = 60 * core::second;
inline constexpr ngx_msec_t default_lock = 5000;
inline constexpr core::Millis default_uncacheable_ttl = 60 * core::second;

// A text with variables, made ready. Null: nginx has said why.
[[nodiscard]] ngx_http_complex_value_t* compile(ngx_conf_t* cf, ngx_str_t text);

// The value for this request; `fallback` where no level sets a usable one.
[[nodiscard]] core::Millis evaluate(ngx_http_request_t& r,
                                    const Setting& setting,
                                    core::Millis fallback);

// Nothing for "off" and where no level sets a usable value.
[[nodiscard]] std::optional<core::Millis> evaluate_optional(
    ngx_http_request_t& r, const Setting& setting);

// What cacheback_lifetime says for `status`; nothing when no line names it.
[[nodiscard]] std::optional<core::Millis> lifetime_of(ngx_http_request_t& r,
                                                      const LocationConf& conf,
                                                      ngx_uint_t status);

[[nodiscard]] inline core::PolicyName policy_name(
    const LocationConf& conf) noexcept {
    return static_cast<core::PolicyName>(conf.policy);
}

[[nodiscard]] core::Policy policy_of(ngx_http_request_t& r,
                                     const LocationConf& conf,
                                     ngx_uint_t status);

// How long an item stays known as uncacheable.
[[nodiscard]] core::Millis uncacheable_ttl_of(ngx_http_request_t& r,
                                              const LocationConf& conf);

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
