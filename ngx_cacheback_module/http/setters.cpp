#include "setters.hpp"

#include <algorithm>
#include <iterator>

#include "../core/cache_status.hpp"
#include "../core/jitter.hpp"
#include "../core/text.hpp"
#include "../ngx/pool.hpp"
#include "configuration.hpp"
#include "field_lists.hpp"

namespace cacheback::http {

namespace {

char* failed() noexcept { return static_cast<char*>(NGX_CONF_ERROR); }

char* text(const char* words) noexcept { return const_cast<char*>(words); }

ngx_str_t* arguments(ngx_conf_t* cf) noexcept {
    return static_cast<ngx_str_t*>(cf->args->elts);
}

// Fills `setting` from an argument: a value now, or variables for later.
char* read_setting(ngx_conf_t* cf, ngx_str_t& argument, Setting& setting) {
    auto* cmd_name = static_cast<ngx_str_t*>(cf->args->elts);
    setting.set = true;
    setting.directive = reinterpret_cast<const char*>(cmd_name[0].data);

    if (ngx_http_script_variables_count(&argument) == 0) {
        std::optional<core::Millis> value = parse(setting, argument);
        if (!value) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\", expected %s",
                               &argument, &cmd_name[0], expected(setting));
            return failed();
        }
        setting.constant = *value;
        return NGX_CONF_OK;
    }

    setting.value = compile(cf, argument);
    return setting.value == nullptr ? failed() : NGX_CONF_OK;
}

}  // namespace

char* set_setting(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    auto& setting =
        *reinterpret_cast<Setting*>(static_cast<char*>(conf) + cmd->offset);
    if (setting.set) { return text("is duplicate"); }
    return read_setting(cf, static_cast<ngx_str_t*>(cf->args->elts)[1],
                        setting);
}

namespace {

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
               const Setting& time) {
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
                        const Setting& time) {
    for (ngx_uint_t code : codes_without_names) {
        char* error = add_line(cf, conf, code, time);
        if (error != NGX_CONF_OK) { return error; }
    }
    return NGX_CONF_OK;
}

}  // namespace

// `cacheback_lifetime [CODE …|any] TIME`
char* set_lifetime(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& location = *static_cast<LocationConf*>(conf);
    auto* args = static_cast<ngx_str_t*>(cf->args->elts);
    ngx_uint_t last = cf->args->nelts - 1;

    Setting time;
    char* error = read_setting(cf, args[last], time);
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

namespace {

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

}  // namespace

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

    if (cf->args->nelts == 2) { return NGX_CONF_OK; }
    Setting time;
    char* error = read_setting(cf, args[2], time);
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

// `cacheback_empty CODE [TEXT] [retry=TIME]`
char* set_empty(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& location = *static_cast<LocationConf*>(conf);
    auto* args = arguments(cf);
    if (location.empty_answer != nullptr) { return text("is duplicate"); }
    location.empty_answer = ngx::make_trivial<EmptyAnswer>(*cf->pool);
    if (location.empty_answer == nullptr) { return failed(); }
    EmptyAnswer& answer = *location.empty_answer;

    ngx_int_t code = ngx_atoi(args[1].data, args[1].len);
    if (code < 200 || code > 599 || code == NGX_HTTP_PARTIAL_CONTENT ||
        code == NGX_HTTP_NOT_MODIFIED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid status \"%V\" in \"%V\", expected a "
                           "number from 200 to 599 other than 206 and 304",
                           &args[1], &args[0]);
        return failed();
    }
    answer.code = static_cast<ngx_uint_t>(code);

    constexpr std::string_view retry = "retry=";
    bool retry_seen = false;
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        std::string_view word = ngx::view(args[i]);
        if (word.substr(0, retry.size()) == retry) {
            if (std::exchange(retry_seen, true)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "duplicate parameter \"%V\" in \"%V\"",
                                   &args[i], &args[0]);
                return failed();
            }
            ngx_str_t time = ngx::str(word.substr(retry.size()));
            ngx_int_t seconds =
                time.len == 0 ? NGX_ERROR : ngx_parse_time(&time, 1);
            if (seconds == NGX_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid parameter \"%V\" in \"%V\", "
                                   "expected \"retry=\" and a time such as "
                                   "\"1s\"",
                                   &args[i], &args[0]);
                return failed();
            }
            answer.retry = seconds;
            continue;
        }
        if (answer.text != nullptr) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"%V\", expected "
                               "one text and \"retry=\" at most",
                               &args[i], &args[0]);
            return failed();
        }
        answer.text = compile(cf, args[i]);
        if (answer.text == nullptr) { return failed(); }
    }
    return NGX_CONF_OK;
}

// `cacheback_lock on|off|TIME`
char* set_lock(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& lock = static_cast<LocationConf*>(conf)->lock;
    auto* args = static_cast<ngx_str_t*>(cf->args->elts);
    if (lock != NGX_CONF_UNSET_MSEC) { return text("is duplicate"); }
    if (ngx::view(args[1]) == "on") {
        lock = default_lock;
        return NGX_CONF_OK;
    }
    if (ngx::view(args[1]) == "off") {
        lock = 0;
        return NGX_CONF_OK;
    }
    ngx_int_t time = ngx_parse_time(&args[1], 0);
    if (time == NGX_ERROR || time == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected "
                           "\"on\", \"off\" or a time such as \"5s\"",
                           &args[1], &args[0]);
        return failed();
    }
    lock = static_cast<ngx_msec_t>(time);
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

namespace {

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

}  // namespace

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

// `cacheback_policy cacheback|rfc9111`
char* set_policy(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    ngx_uint_t& policy = static_cast<LocationConf*>(conf)->policy;
    ngx_str_t* args = arguments(cf);
    if (policy != NGX_CONF_UNSET_UINT) { return text("is duplicate"); }

    if (ngx::view(args[1]) == "cacheback") {
        policy = static_cast<ngx_uint_t>(core::PolicyName::cacheback);
    } else if (ngx::view(args[1]) == "rfc9111") {
        policy = static_cast<ngx_uint_t>(core::PolicyName::rfc9111);
    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected "
                           "\"cacheback\" or \"rfc9111\"",
                           &args[1], &args[0]);
        return failed();
    }
    return NGX_CONF_OK;
}

// `cacheback_min_uses N`
char* set_min_uses(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    ngx_int_t& uses = static_cast<LocationConf*>(conf)->min_uses;
    ngx_str_t* args = arguments(cf);
    if (uses != NGX_CONF_UNSET) { return text("is duplicate"); }

    uses = ngx_atoi(args[1].data, args[1].len);
    if (uses < 1 || uses > static_cast<ngx_int_t>(store::UseTable::most)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected a "
                           "number from 1 to %ui",
                           &args[1], &args[0],
                           static_cast<ngx_uint_t>(store::UseTable::most));
        return failed();
    }
    return NGX_CONF_OK;
}

// `cacheback_cache_status NAME|off`
char* set_cache_status(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    ngx_str_t& status = static_cast<LocationConf*>(conf)->cache_status;
    ngx_str_t* args = arguments(cf);
    if (status.data != nullptr) { return text("is duplicate"); }
    if (ngx::view(args[1]) == "off") {
        status = ngx_string("");
        return NGX_CONF_OK;
    }
    std::optional<std::string> name = core::cache_name(ngx::view(args[1]));
    if (!name) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"%V\", expected \"off\", "
                           "a token such as \"ExampleCache\" or a text of "
                           "printable ASCII",
                           &args[1], &args[0]);
        return failed();
    }
    return ngx::copy(*cf->pool, status, *name) ? NGX_CONF_OK : failed();
}

// `cacheback_jitter PERCENT`
char* set_jitter(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    ngx_int_t& jitter = static_cast<LocationConf*>(conf)->jitter;
    ngx_str_t* args = arguments(cf);
    if (jitter != NGX_CONF_UNSET) { return text("is duplicate"); }

    ngx_str_t number = args[1];
    if (number.len > 1 && number.data[number.len - 1] == '%') { number.len--; }
    jitter = ngx_atoi(number.data, number.len);
    if (jitter < 0 || jitter > static_cast<ngx_int_t>(core::max_jitter)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected per "
                           "cent from 0 to %ui",
                           &args[1], &args[0],
                           static_cast<ngx_uint_t>(core::max_jitter));
        return failed();
    }
    return NGX_CONF_OK;
}

// `cacheback_early_refresh BETA|off`
char* set_early_refresh(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    constexpr std::size_t decimals = 3;
    constexpr ngx_int_t most = 100 * 1000;
    ngx_int_t& beta = static_cast<LocationConf*>(conf)->early_refresh;
    ngx_str_t* args = arguments(cf);
    if (beta != NGX_CONF_UNSET) { return text("is duplicate"); }
    if (ngx::view(args[1]) == "off") {
        beta = 0;
        return NGX_CONF_OK;
    }
    beta = ngx_atofp(args[1].data, args[1].len, decimals);
    if (beta <= 0 || beta > most) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected \"off\" "
                           "or a number from 0.001 to 100 such as \"1.5\"",
                           &args[1], &args[0]);
        return failed();
    }
    return NGX_CONF_OK;
}

}  // namespace cacheback::http
