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
    case 308:
        return 600 * core::second;
    case 404:
    case 410:
        return 60 * core::second;
    default:
        return std::nullopt;
    }
}

// The setting's own value, without looking at outer levels.
std::optional<core::Millis> own_value(ngx_http_request_t& r,
                                      const TimeSetting& setting) {
    if (setting.value == nullptr) { return setting.constant; }

    ngx_str_t text;
    if (ngx_http_complex_value(&r, setting.value, &text) != NGX_OK) {
        throw std::bad_alloc{};
    }
    ngx_int_t time = text.len == 0 ? NGX_ERROR : ngx_parse_time(&text, 0);
    if (time == NGX_ERROR || time < setting.least) {
        ngx_log_error(NGX_LOG_WARN, r.connection->log, 0,
                      "cacheback: invalid value \"%V\" of \"%s\", expected a "
                      "time such as \"30s\" or \"1h\", the outer level's "
                      "value is used",
                      &text, setting.directive);
        return std::nullopt;
    }
    return time;
}

void merge(TimeSetting& child, const TimeSetting& parent) noexcept {
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

ngx_http_complex_value_t* default_key(ngx_conf_t* cf, MainConf& main) {
    if (main.default_key != nullptr) { return main.default_key; }

    auto* value = static_cast<ngx_http_complex_value_t*>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    if (value == nullptr) { return nullptr; }

    ngx_str_t text = ngx_string("$scheme://$host$request_uri");
    ngx_http_compile_complex_value_t compile;
    ngx_memzero(&compile, sizeof(compile));
    compile.cf = cf;
    compile.value = &text;
    compile.complex_value = value;
    if (ngx_http_compile_complex_value(&compile) != NGX_OK) { return nullptr; }
    main.default_key = value;
    return value;
}

}  // namespace

core::Millis evaluate(ngx_http_request_t& r, const TimeSetting& setting,
                      core::Millis fallback) {
    for (const TimeSetting* s = &setting; s != nullptr && s->set;
         s = s->outer) {
        if (auto value = own_value(r, *s)) { return *value; }
    }
    return fallback;
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
    policy.lifetime = lifetime_of(r, conf, status);
    policy.ttl = evaluate(r, conf.ttl, default_ttl);
    policy.ignore = conf.ignore;
    return policy;
}

std::size_t max_size_of(const LocationConf& conf) noexcept {
    std::size_t most = conf.store->settings.max_entry;
    return conf.max_size == NGX_CONF_UNSET_SIZE
               ? most
               : std::min(most, conf.max_size);
}

void* create_main_conf(ngx_conf_t* cf) {
    auto* conf = ngx::make_trivial<MainConf>(*cf->pool);
    if (conf == nullptr ||
        ngx_array_init(&conf->stores, cf->pool, 2, sizeof(store::Store*)) !=
            NGX_OK) {
        return nullptr;
    }
    return conf;
}

char* init_main_conf(ngx_conf_t*, void*) { return NGX_CONF_OK; }

void* create_location_conf(ngx_conf_t* cf) {
    auto* conf = ngx::make_trivial<LocationConf>(*cf->pool);
    // A lease of no length would let every request refresh.
    if (conf != nullptr) { conf->refresh_timeout.least = 1; }
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
    ngx_conf_merge_ptr_value(conf.bypass, prev.bypass, nullptr);
    ngx_conf_merge_ptr_value(conf.no_store, prev.no_store, nullptr);
    ngx_conf_merge_ptr_value(conf.skip, prev.skip, nullptr);
    if (conf.ignore == 0) { conf.ignore = prev.ignore; }
    if (conf.max_size == NGX_CONF_UNSET_SIZE) { conf.max_size = prev.max_size; }
    ngx_conf_merge_value(conf.revalidate, prev.revalidate, 1);

    if (conf.key == nullptr) {
        conf.key = prev.key;
        conf.key_fields = prev.key_fields;
        conf.key_cookies = prev.key_cookies;
    }
    if (conf.key == nullptr) { conf.key = default_key(cf, main_conf(*cf)); }
    if (conf.key == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
    return conf.key_fields == nullptr ? find_key_inputs(cf, conf)
                                      : NGX_CONF_OK;
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
