#include "configuration.hpp"

#include "../ngx/pool.hpp"
#include "module.hpp"

namespace cacheback::http {

namespace {

// cacheback_lifetime's default: what a cache may keep without being told.
std::optional<core::Millis> default_lifetime(ngx_uint_t status) noexcept {
    switch (status) {
    case 200:
    case 203:
    case 301:
    case 308: return 600 * core::second;
    case 404:
    case 410: return 60 * core::second;
    default: return std::nullopt;
    }
}

// The setting's own value, without looking at outer levels.
std::optional<core::Millis> own_value(ngx_http_request_t& r,
                                      const Setting& setting) {
    if (setting.value == nullptr) { return setting.constant; }

    ngx_str_t text;
    if (ngx_http_complex_value(&r, setting.value, &text) != NGX_OK) {
        throw std::bad_alloc{};
    }
    std::optional<core::Millis> parsed = parse(setting, text);
    if (!parsed) {
        ngx_log_error(NGX_LOG_WARN, r.connection->log, 0,
                      "cacheback: invalid value \"%V\" of \"%s\", expected "
                      "%s, the outer level's value is used",
                      &text, setting.directive, expected(setting));
    }
    return parsed;
}

void merge(Setting& child, const Setting& parent) noexcept {
    if (child.set) {
        child.outer = &parent;
    } else {
        child = parent;
    }
}

// The names behind $http_NAME and $cookie_NAME in the text of a key: what it
// depends on must reach the origin in background fetches as well.
char* find_key_inputs(ngx_conf_t* cf, LocationConf& conf) {
    conf.key_fields = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
    conf.key_cookies = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
    if (conf.key_fields == nullptr || conf.key_cookies == nullptr) {
        return static_cast<char*>(NGX_CONF_ERROR);
    }

    std::string_view text = ngx::view(conf.key->value);
    for (std::size_t at = text.find('$'); at != std::string_view::npos;
         at = text.find('$', at + 1)) {
        std::size_t from = at + 1;
        if (from < text.size() && text[from] == '{') { from++; }
        std::size_t to = from;
        auto in_name = [](char c) {
            return c == '_' || (c >= '0' && c <= '9') ||
                   (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        };
        while (to < text.size() && in_name(text[to])) { to++; }

        std::string name(text.substr(from, to - from));
        for (char& c : name) {
            c = static_cast<char>(ngx_tolower(static_cast<u_char>(c)));
        }
        ngx_array_t* list = nullptr;
        std::size_t skip = 0;
        if (name.rfind("http_", 0) == 0) {
            list = conf.key_fields;
            skip = 5;
            std::replace(name.begin(), name.end(), '_', '-');
        } else if (name.rfind("cookie_", 0) == 0) {
            list = conf.key_cookies;
            skip = 7;
        }
        if (list == nullptr) { continue; }

        auto* slot = static_cast<ngx_str_t*>(ngx_array_push(list));
        if (slot == nullptr ||
            !ngx::copy(*cf->pool, *slot, std::string_view(name).substr(skip))) {
            return static_cast<char*>(NGX_CONF_ERROR);
        }
    }
    return NGX_CONF_OK;
}

// What tells items apart where no cacheback_key does.
ngx_http_complex_value_t* default_key(ngx_conf_t* cf, bool of_args) {
    MainConf& main = main_conf(*cf);
    ngx_http_complex_value_t*& key =
        of_args ? main.default_key_of_args : main.default_key;
    if (key == nullptr) {
        key = of_args ? compile(cf, ngx_string("$scheme://$host$cacheback_uri"))
                      : compile(cf, ngx_string("$scheme://$host$request_uri"));
    }
    return key;
}

// A key of its own is inherited; which of the defaults holds depends on the
// arguments that are ignored here.
char* merge_key(ngx_conf_t* cf, LocationConf& conf, const LocationConf& prev) {
    const MainConf& main = main_conf(*cf);
    if (conf.ignored_args == nullptr) { conf.ignored_args = prev.ignored_args; }
    if (conf.key == nullptr && prev.key != nullptr &&
        prev.key != main.default_key && prev.key != main.default_key_of_args) {
        conf.key = prev.key;
        conf.key_fields = prev.key_fields;
        conf.key_cookies = prev.key_cookies;
    }
    if (conf.key == nullptr) {
        conf.key = default_key(cf, conf.ignored_args != nullptr);
    }
    if (conf.key == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
    return conf.key_fields == nullptr ? find_key_inputs(cf, conf) : NGX_CONF_OK;
}

}  // namespace

ngx_http_complex_value_t* compile(ngx_conf_t* cf, ngx_str_t text) {
    auto* value = static_cast<ngx_http_complex_value_t*>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    if (value == nullptr) { return nullptr; }

    ngx_http_compile_complex_value_t compile;
    ngx_memzero(&compile, sizeof(compile));
    compile.cf = cf;
    compile.value = &text;
    compile.complex_value = value;
    return ngx_http_compile_complex_value(&compile) == NGX_OK ? value : nullptr;
}

std::optional<core::Millis> parse(const Setting& setting,
                                  ngx_str_t& text) noexcept {
    std::string_view word = ngx::view(text);
    if (setting.takes == Setting::Takes::on_or_off) {
        if (word == "on") { return 1; }
        if (word == "off") { return 0; }
        return std::nullopt;
    }
    if (setting.takes == Setting::Takes::time_or_off && word == "off") {
        return Setting::never;
    }
    ngx_int_t time = word.empty() ? NGX_ERROR : ngx_parse_time(&text, 0);
    if (time == NGX_ERROR || time < setting.least) { return std::nullopt; }
    return time;
}

const char* expected(const Setting& setting) noexcept {
    switch (setting.takes) {
    case Setting::Takes::time_or_off:
        return "\"off\" or a time such as \"30s\" or \"1h\"";
    case Setting::Takes::on_or_off: return "\"on\" or \"off\"";
    case Setting::Takes::time: break;
    }
    return "a time such as \"30s\" or \"1h\"";
}

core::Millis evaluate(ngx_http_request_t& r, const Setting& setting,
                      core::Millis fallback) {
    for (const Setting* s = &setting; s != nullptr && s->set; s = s->outer) {
        if (auto value = own_value(r, *s)) { return *value; }
    }
    return fallback;
}

std::optional<core::Millis> evaluate_optional(ngx_http_request_t& r,
                                              const Setting& setting) {
    core::Millis value = evaluate(r, setting, Setting::never);
    if (value == Setting::never) { return std::nullopt; }
    return value;
}

std::optional<core::Millis> lifetime_of(ngx_http_request_t& r,
                                        const LocationConf& conf,
                                        ngx_uint_t status) {
    for (const LifetimeLevel* level = &conf.lifetimes; level != nullptr;
         level = level->outer) {
        if (level->lines == nullptr) { continue; }
        auto* lines = static_cast<LifetimeLine*>(level->lines->elts);

        // Within a level the line that names the status beats `any`.
        for (ngx_uint_t wanted : {status, ngx_uint_t{0}}) {
            for (ngx_uint_t i = 0; i < level->lines->nelts; i++) {
                if (lines[i].code != wanted) { continue; }
                if (auto value = own_value(r, lines[i].time)) { return value; }
            }
        }
    }
    return default_lifetime(status);
}

core::Policy policy_of(ngx_http_request_t& r, const LocationConf& conf,
                       ngx_uint_t status) {
    core::Policy policy;
    policy.name = policy_name(conf);
    if (core::traits_of(policy.name).uses_lifetimes) {
        policy.lifetime = lifetime_of(r, conf, status);
    }
    policy.ttl = evaluate(r, conf.ttl, default_ttl);
    policy.stale_if_error = std::max<core::Millis>(
        evaluate(r, conf.stale_if_error, policy.ttl), 0);  // `never` is below
    policy.min_lifetime = evaluate_optional(r, conf.min_lifetime).value_or(0);
    policy.max_lifetime = evaluate_optional(r, conf.max_lifetime);
    policy.ignore = conf.ignore;
    return policy;
}

core::Millis uncacheable_ttl_of(ngx_http_request_t& r,
                                const LocationConf& conf) {
    return evaluate(r, conf.uncacheable_ttl, default_uncacheable_ttl);
}

std::size_t max_size_of(const LocationConf& conf) noexcept {
    std::size_t most = conf.store->settings.max_entry;
    return conf.max_size == NGX_CONF_UNSET_SIZE ? most
                                                : std::min(most, conf.max_size);
}

void* create_main_conf(ngx_conf_t* cf) {
    auto* conf = ngx::make_trivial<MainConf>(*cf->pool);
    if (conf == nullptr || ngx_array_init(&conf->stores, cf->pool, 2,
                                          sizeof(store::Store*)) != NGX_OK) {
        return nullptr;
    }
    return conf;
}

char* init_main_conf(ngx_conf_t*, void*) { return NGX_CONF_OK; }

void* create_location_conf(ngx_conf_t* cf) {
    auto* conf = ngx::make_trivial<LocationConf>(*cf->pool);
    // A lease of no length would let every request refresh.
    if (conf != nullptr) {
        conf->refresh_timeout.least = 1;
        conf->threshold.takes = Setting::Takes::time_or_off;
        conf->stale_if_error.takes = Setting::Takes::time_or_off;
        conf->fetch_on_miss.takes = Setting::Takes::on_or_off;
        conf->min_lifetime.takes = Setting::Takes::time_or_off;
        conf->max_lifetime.takes = Setting::Takes::time_or_off;
    }
    return conf;
}

char* merge_location_conf(ngx_conf_t* cf, void* parent, void* child) {
    auto& prev = *static_cast<LocationConf*>(parent);
    auto& conf = *static_cast<LocationConf*>(child);

    if (conf.enabled == NGX_CONF_UNSET) {
        conf.enabled = prev.enabled == NGX_CONF_UNSET ? 0 : prev.enabled;
        conf.store = prev.store;
    }
    conf.lifetimes.outer = &prev.lifetimes;
    merge(conf.ttl, prev.ttl);
    merge(conf.refresh_timeout, prev.refresh_timeout);
    merge(conf.threshold, prev.threshold);
    merge(conf.stale_if_error, prev.stale_if_error);
    merge(conf.fetch_on_miss, prev.fetch_on_miss);
    if (conf.empty_answer == nullptr) { conf.empty_answer = prev.empty_answer; }
    ngx_conf_merge_ptr_value(conf.bypass, prev.bypass, nullptr);
    ngx_conf_merge_ptr_value(conf.no_store, prev.no_store, nullptr);
    ngx_conf_merge_ptr_value(conf.offline, prev.offline, nullptr);
    ngx_conf_merge_ptr_value(conf.purge, prev.purge, nullptr);
    ngx_conf_merge_ptr_value(conf.skip, prev.skip, nullptr);
    if (conf.ignore == 0) { conf.ignore = prev.ignore; }
    ngx_conf_merge_uint_value(
        conf.policy, prev.policy,
        static_cast<ngx_uint_t>(core::PolicyName::cacheback));
    if (conf.max_size == NGX_CONF_UNSET_SIZE) { conf.max_size = prev.max_size; }
    ngx_conf_merge_value(conf.revalidate, prev.revalidate, 1);
    ngx_conf_merge_msec_value(conf.lock, prev.lock, default_lock);

    merge(conf.min_lifetime, prev.min_lifetime);
    merge(conf.max_lifetime, prev.max_lifetime);
    merge(conf.uncacheable_ttl, prev.uncacheable_ttl);
    ngx_conf_merge_value(conf.min_uses, prev.min_uses, 1);
    ngx_conf_merge_value(conf.refresh_log, prev.refresh_log, 0);
    ngx_conf_merge_str_value(conf.cache_status, prev.cache_status, "");
    ngx_conf_merge_value(conf.invalidate_on_unsafe, prev.invalidate_on_unsafe,
                         1);
    ngx_conf_merge_value(conf.jitter, prev.jitter, 0);
    ngx_conf_merge_value(conf.early_refresh, prev.early_refresh, 0);

    char* error = merge_key(cf, conf, prev);
    if (error != NGX_CONF_OK) { return error; }
    return merge_field_lists(cf, conf, prev) == NGX_OK
               ? NGX_CONF_OK
               : static_cast<char*>(NGX_CONF_ERROR);
}

MainConf& main_conf(ngx_http_request_t& r) noexcept {
    return *static_cast<MainConf*>(
        ngx_http_get_module_main_conf((&r), ngx_http_cacheback_module));
}

MainConf& main_conf(ngx_conf_t& cf) noexcept {
    return *static_cast<MainConf*>(
        ngx_http_conf_get_module_main_conf((&cf), ngx_http_cacheback_module));
}

LocationConf& location_conf(ngx_http_request_t& r) noexcept {
    return *static_cast<LocationConf*>(
        ngx_http_get_module_loc_conf((&r), ngx_http_cacheback_module));
}

}  // namespace cacheback::http
