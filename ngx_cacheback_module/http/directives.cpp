#include "directives.hpp"

#include <algorithm>
#include <iterator>

#include "../core/text.hpp"
#include "../ngx/pool.hpp"
#include "configuration.hpp"

namespace cacheback::http {

namespace {

char* failed() noexcept { return static_cast<char*>(NGX_CONF_ERROR); }

char* text(const char* words) noexcept { return const_cast<char*>(words); }

ngx_str_t* arguments(ngx_conf_t* cf) noexcept {
    return static_cast<ngx_str_t*>(cf->args->elts);
}

// Fills `setting` from an argument: a time now, or variables for later.
char* read_time(ngx_conf_t* cf, ngx_str_t& argument, TimeSetting& setting) {
    auto* cmd_name = static_cast<ngx_str_t*>(cf->args->elts);
    setting.set = true;
    setting.directive = reinterpret_cast<const char*>(cmd_name[0].data);

    if (ngx_http_script_variables_count(&argument) == 0) {
        ngx_int_t time = ngx_parse_time(&argument, 0);
        if (time == NGX_ERROR || time < setting.least || argument.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\", expected a "
                               "time such as \"30s\" or \"1h\"",
                               &argument, &cmd_name[0]);
            return failed();
        }
        setting.constant = time;
        return NGX_CONF_OK;
    }

    setting.value = static_cast<ngx_http_complex_value_t*>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    if (setting.value == nullptr) { return failed(); }

    ngx_http_compile_complex_value_t compile;
    ngx_memzero(&compile, sizeof(compile));
    compile.cf = cf;
    compile.value = &argument;
    compile.complex_value = setting.value;
    return ngx_http_compile_complex_value(&compile) == NGX_OK ? NGX_CONF_OK
                                                              : failed();
}

char* set_time(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    auto& setting =
        *reinterpret_cast<TimeSetting*>(static_cast<char*>(conf) + cmd->offset);
    if (setting.set) { return text("is duplicate"); }
    return read_time(cf, static_cast<ngx_str_t*>(cf->args->elts)[1], setting);
}

constexpr ngx_uint_t codes_without_names[] = {200, 203, 301, 308};

bool has_line(const LifetimeLevel& level, ngx_uint_t code) noexcept {
    if (level.lines == nullptr) { return false; }
    auto* lines = static_cast<LifetimeLine*>(level.lines->elts);
    for (ngx_uint_t i = 0; i < level.lines->nelts; i++) {
        if (lines[i].code == code) { return true; }
    }
    return false;
}

char* add_line(ngx_conf_t* cf, LocationConf& conf, ngx_uint_t code,
               const TimeSetting& time) {
    if (has_line(conf.lifetimes, code)) {
        u_char number[NGX_INT_T_LEN + 1] = "any";
        if (code != 0) { *ngx_sprintf(number, "%ui", code) = '\0'; }
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate lifetime of \"%s\" in \"%V\", the "
                           "same level has one already (\"cacheback STORE "
                           "TIME\" and a line without status name 200, 203, "
                           "301 and 308)",
                           number, &arguments(cf)[0]);
        return failed();
    }
    if (conf.lifetimes.lines == nullptr) {
        conf.lifetimes.lines =
            ngx_array_create(cf->pool, 4, sizeof(LifetimeLine));
        if (conf.lifetimes.lines == nullptr) { return failed(); }
    }
    void* slot = ngx_array_push(conf.lifetimes.lines);
    if (slot == nullptr) { return failed(); }
    new (slot) LifetimeLine{code, time};
    return NGX_CONF_OK;
}

char* add_unnamed_lines(ngx_conf_t* cf, LocationConf& conf,
                        const TimeSetting& time) {
    for (ngx_uint_t code : codes_without_names) {
        char* error = add_line(cf, conf, code, time);
        if (error != NGX_CONF_OK) { return error; }
    }
    return NGX_CONF_OK;
}

// `cacheback_lifetime [CODE …|any] TIME`
char* set_lifetime(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& location = *static_cast<LocationConf*>(conf);
    auto* args = static_cast<ngx_str_t*>(cf->args->elts);
    ngx_uint_t last = cf->args->nelts - 1;

    TimeSetting time;
    char* error = read_time(cf, args[last], time);
    if (error != NGX_CONF_OK) { return error; }
    if (last == 1) { return add_unnamed_lines(cf, location, time); }

    for (ngx_uint_t i = 1; i < last; i++) {
        ngx_uint_t code = 0;
        if (ngx::view(args[i]) != "any") {
            ngx_int_t number = ngx_atoi(args[i].data, args[i].len);
            // 1xx and 206 are never stored, 304 renews what it names.
            if (number < 200 || number > 599 || number == 206 ||
                number == 304) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid status \"%V\" in \"%V\", expected "
                                   "\"any\" or a number from 200 to 599 other "
                                   "than 206 and 304",
                                   &args[i], &args[0]);
                return failed();
            }
            code = static_cast<ngx_uint_t>(number);
        }
        error = add_line(cf, location, code, time);
        if (error != NGX_CONF_OK) { return error; }
    }
    return NGX_CONF_OK;
}

store::Store* find_store(ngx_conf_t* cf, const ngx_str_t& name) noexcept {
    ngx_array_t& stores = main_conf(*cf).stores;
    auto** all = static_cast<store::Store**>(stores.elts);
    for (ngx_uint_t i = 0; i < stores.nelts; i++) {
        if (ngx::view(all[i]->settings.name) == ngx::view(name)) {
            return all[i];
        }
    }
    return nullptr;
}

// `cacheback STORE [LIFETIME]|off`
char* set_cacheback(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& location = *static_cast<LocationConf*>(conf);
    auto* args = static_cast<ngx_str_t*>(cf->args->elts);
    if (location.enabled != NGX_CONF_UNSET) { return text("is duplicate"); }

    if (ngx::view(args[1]) == "off") {
        if (cf->args->nelts > 2) {
            return text("takes no lifetime with \"off\"");
        }
        location.enabled = 0;
        return NGX_CONF_OK;
    }

    location.store = find_store(cf, args[1]);
    if (location.store == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown store \"%V\" in \"%V\", expected \"off\" "
                           "or the name of a \"cacheback_store\" defined above",
                           &args[1], &args[0]);
        return failed();
    }
    location.enabled = 1;
    main_conf(*cf).used = true;

    if (cf->args->nelts == 2) { return NGX_CONF_OK; }
    TimeSetting time;
    char* error = read_time(cf, args[2], time);
    return error == NGX_CONF_OK ? add_unnamed_lines(cf, location, time) : error;
}

char* set_size(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    auto& size =
        *reinterpret_cast<std::size_t*>(static_cast<char*>(conf) + cmd->offset);
    if (size != NGX_CONF_UNSET_SIZE) { return text("is duplicate"); }

    ngx_str_t* args = arguments(cf);
    ssize_t parsed = ngx_parse_size(&args[1]);
    if (parsed == NGX_ERROR || parsed == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected a size "
                           "such as \"1m\" or \"256k\"",
                           &args[1], &args[0]);
        return failed();
    }
    size = static_cast<std::size_t>(parsed);
    return NGX_CONF_OK;
}

char* set_key(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    auto* args = static_cast<ngx_str_t*>(cf->args->elts);
    if (args[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"\" in \"%V\", expected a text "
                           "with variables such as "
                           "\"$scheme://$host$request_uri\"",
                           &args[0]);
        return failed();
    }
    return ngx_http_set_complex_value_slot(cf, cmd, conf);
}

struct IgnoredName {
    std::string_view name;
    core::IgnoredField bit;
};

constexpr IgnoredName ignored_names[] = {
    {"Cache-Control", core::ignore_cache_control},
    {"CDN-Cache-Control", core::ignore_cdn_cache_control},
    {"Expires", core::ignore_expires},
    {"Set-Cookie", core::ignore_set_cookie},
    {"Vary", core::ignore_vary},
    {"X-Accel-Expires", core::ignore_x_accel_expires},
    {"Authorization", core::ignore_authorization},
    {"Cookie", core::ignore_cookie},
};

// `cacheback_ignore_headers FIELD …`
char* set_ignored(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    unsigned& bits = static_cast<LocationConf*>(conf)->ignore;
    ngx_str_t* args = arguments(cf);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        const IgnoredName* known =
            std::find_if(std::begin(ignored_names), std::end(ignored_names),
                         [&](const IgnoredName& each) {
                             return core::iequal(each.name, ngx::view(args[i]));
                         });
        if (known == std::end(ignored_names)) {
            ngx_conf_log_error(
                NGX_LOG_EMERG, cf, 0,
                "invalid value \"%V\" in \"%V\", expected some of "
                "\"Cache-Control\", \"CDN-Cache-Control\", \"Expires\", "
                "\"Set-Cookie\", \"Vary\", \"X-Accel-Expires\", "
                "\"Authorization\" and \"Cookie\"",
                &args[i], &args[0]);
            return failed();
        }
        bits |= known->bit;
    }
    return NGX_CONF_OK;
}

constexpr ngx_uint_t everywhere =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

}  // namespace

// clang-format off
ngx_command_t directives[] = {

    { ngx_string("cacheback_store"),
      NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
      set_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback"),
      everywhere | NGX_CONF_TAKE12,
      set_cacheback,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_lifetime"),
      everywhere | NGX_CONF_1MORE,
      set_lifetime,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_ttl"),
      everywhere | NGX_CONF_TAKE1,
      set_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, ttl),
      nullptr },

    { ngx_string("cacheback_refresh_timeout"),
      everywhere | NGX_CONF_TAKE1,
      set_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, refresh_timeout),
      nullptr },

    { ngx_string("cacheback_key"),
      everywhere | NGX_CONF_TAKE1,
      set_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, key),
      nullptr },

    { ngx_string("cacheback_bypass"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, bypass),
      nullptr },

    { ngx_string("cacheback_no_store"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, no_store),
      nullptr },

    { ngx_string("cacheback_skip"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, skip),
      nullptr },

    { ngx_string("cacheback_ignore_headers"),
      everywhere | NGX_CONF_1MORE,
      set_ignored,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_max_size"),
      everywhere | NGX_CONF_TAKE1,
      set_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, max_size),
      nullptr },

    { ngx_string("cacheback_revalidate"),
      everywhere | NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, revalidate),
      nullptr },

      ngx_null_command
};
// clang-format on

}  // namespace cacheback::http
