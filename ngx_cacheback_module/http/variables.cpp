#include "variables.hpp"

#include "../core/query_args.hpp"
#include "../core/text.hpp"
#include "../ngx/detached_request.hpp"
#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "entrance.hpp"
#include "request_context.hpp"

namespace cacheback::http {

namespace {

using Value = ngx_http_variable_value_t;

void set(Value& value, std::string_view text) noexcept {
    value.len = static_cast<unsigned>(text.size()) & 0xfffffff;
    value.valid = 1;
    value.no_cacheable = 0;
    value.not_found = 0;
    value.data = ngx::str(text).data;
}

std::string_view word(Status status) noexcept {
    switch (status) {
    case Status::bypass: return "BYPASS";
    case Status::miss: return "MISS";
    case Status::hit: return "HIT";
    case Status::stale: return "STALE";
    case Status::updating: return "UPDATING";
    case Status::expired: return "EXPIRED";
    case Status::revalidated: return "REVALIDATED";
    case Status::empty: return "EMPTY";
    case Status::none: break;
    }
    return {};
}

std::string_view status_text(RequestContext& context) noexcept {
    return word(context.status);
}

std::string_view key_text(RequestContext& context) noexcept {
    return context.key.text;
}

// Where the answer came from: empty when the origin gave it.
std::string_view tier_text(RequestContext& context) noexcept {
    if (context.status == Status::miss || context.status == Status::expired) {
        return {};
    }
    switch (context.tier) {
    case Tier::memory: return "memory";
    case Tier::redis: return "redis";
    case Tier::none: break;
    }
    return {};
}

std::string_view reason_text(RequestContext& context) noexcept {
    return core::word(context.reason);
}

// A variable with a text that is there already; empty without a look-up.
template <auto Text>
ngx_int_t get_text(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
    RequestContext* context = context_of(*r);
    std::string_view text = context == nullptr ? "" : Text(*context);
    if (text.empty()) {
        value->not_found = 1;
        return NGX_OK;
    }
    set(*value, text);
    return NGX_OK;
}

core::Seconds age(const RequestContext& context) noexcept {
    return core::age_of(context.entry->meta, context.now);
}

core::Seconds ttl(const RequestContext& context) noexcept {
    return core::ttl_of(context.entry->meta, context.now);
}

template <auto Number>
ngx_int_t get_number(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
    RequestContext* context = context_of(*r);
    if (context == nullptr || !context->entry) {
        value->not_found = 1;
        return NGX_OK;
    }
    auto* text = static_cast<u_char*>(ngx_pnalloc(r->pool, NGX_INT64_LEN));
    if (text == nullptr) { return NGX_ERROR; }
    u_char* end =
        ngx_sprintf(text, "%L", static_cast<int64_t>(Number(*context)));
    set(*value,
        {reinterpret_cast<char*>(text), static_cast<std::size_t>(end - text)});
    return NGX_OK;
}

// "1" in a background fetch.
ngx_int_t get_refresh(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
    if (ngx::DetachedRequest::of(*r) == nullptr) {
        value->not_found = 1;
        return NGX_OK;
    }
    set(*value, "1");
    return NGX_OK;
}

std::string scheme(ngx_http_request_t& r) {
    return came_by_https(r) ? "https" : "http";
}

// $args in its normal form.
std::string args(ngx_http_request_t& r) {
    return core::normal_args(ngx::view(r.args), ignored_args(location_conf(r)));
}

// $request_uri in its normal form: what no `rewrite` or `set` changes.
std::string uri(ngx_http_request_t& r) {
    core::Target target = core::split_target(ngx::view(r.unparsed_uri));
    std::string text(target.path);
    std::string query =
        core::normal_args(target.query, ignored_args(location_conf(r)));
    if (!query.empty()) { text += '?'; }
    return text += query;
}

// A variable of the request itself, with a look-up or without.
template <auto Text>
ngx_int_t make_text(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
    return ngx::guard(
        r->connection->log,
        [&]() -> ngx_int_t {
            ngx_str_t text;
            if (!ngx::copy(*r->pool, text, Text(*r))) { return NGX_ERROR; }
            set(*value, ngx::view(text));
            return NGX_OK;
        },
        []() -> ngx_int_t { return NGX_ERROR; });
}

// clang-format off
ngx_http_variable_t variables[] = {
    { ngx_string("cacheback_status"), nullptr, get_text<status_text>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_key"), nullptr, get_text<key_text>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_tier"), nullptr, get_text<tier_text>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_age"), nullptr, get_number<age>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_ttl"), nullptr, get_number<ttl>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_reason"), nullptr, get_text<reason_text>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_refresh"), nullptr, get_refresh, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_scheme"), nullptr, make_text<scheme>, 0, 0, 0 },
    { ngx_string("cacheback_args"), nullptr, make_text<args>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("cacheback_uri"), nullptr, make_text<uri>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },
      ngx_http_null_variable
};
// clang-format on

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) noexcept {
    for (ngx_http_variable_t* v = variables; v->name.len != 0; v++) {
        ngx_http_variable_t* added =
            ngx_http_add_variable(cf, &v->name, v->flags);
        if (added == nullptr) { return NGX_ERROR; }
        added->get_handler = v->get_handler;
        added->data = v->data;
    }
    return NGX_OK;
}

}  // namespace cacheback::http
