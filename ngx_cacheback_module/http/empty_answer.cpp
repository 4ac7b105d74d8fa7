#include "empty_answer.hpp"

#include "../ngx/pool.hpp"
#include "configuration.hpp"
#include "request_context.hpp"
#include "response_field.hpp"

namespace cacheback::http {

namespace {

bool add_fields(ngx_http_request_t& r, const EmptyAnswer& answer) noexcept {
    // It stands for nothing that any cache should keep.
    if (!add_cache_control(r, "no-store")) { return false; }
    if (answer.retry == 0) { return true; }

    auto* text = static_cast<u_char*>(ngx_pnalloc(r.pool, NGX_TIME_T_LEN));
    if (text == nullptr) { return false; }
    u_char* end = ngx_sprintf(text, "%T", answer.retry);
    return push_field(r, "Retry-After",
                      {reinterpret_cast<char*>(text),
                       static_cast<std::size_t>(end - text)}) != nullptr;
}

bool has_error_page(ngx_http_request_t& r, ngx_uint_t code) noexcept {
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_get_module_loc_conf((&r), ngx_http_core_module));
    if (core->error_pages == nullptr) { return false; }
    auto* pages = static_cast<ngx_http_err_page_t*>(core->error_pages->elts);
    for (ngx_uint_t i = 0; i < core->error_pages->nelts; i++) {
        if (pages[i].status == static_cast<ngx_int_t>(code)) { return true; }
    }
    return false;
}

}  // namespace

ngx_int_t send_empty_answer(ngx_http_request_t* r) noexcept {
    static const EmptyAnswer plain;
    RequestContext* context = context_of(*r);
    const EmptyAnswer& answer =
        context == nullptr || context->conf.empty_answer == nullptr
            ? plain
            : *context->conf.empty_answer;

    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) { return rc; }
    if (!add_fields(*r, answer)) { return NGX_HTTP_INTERNAL_SERVER_ERROR; }

    // nginx's own page, or the one that error_page names.
    bool special = answer.code >= NGX_HTTP_SPECIAL_RESPONSE;
    if (special &&
        (answer.text == nullptr || has_error_page(*r, answer.code))) {
        return static_cast<ngx_int_t>(answer.code);
    }
    ngx_http_complex_value_t nothing;
    ngx_memzero(&nothing, sizeof(nothing));
    return ngx_http_send_response(
        r, answer.code, nullptr,
        answer.text == nullptr ? &nothing : answer.text);
}

}  // namespace cacheback::http
