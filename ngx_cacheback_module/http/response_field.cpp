#include "response_field.hpp"

#include "../ngx/pool.hpp"

namespace cacheback::http {

namespace {

// A field of which there may be several, in the form of this nginx.
#if (nginx_version >= 1023000)
bool append(ngx_http_request_t&, ngx_table_elt_t*& first,
            ngx_table_elt_t* field) noexcept {
    ngx_table_elt_t** end = &first;
    while (*end != nullptr) { end = &(*end)->next; }
    *end = field;
    return true;
}
#else
bool append(ngx_http_request_t& r, ngx_array_t& all,
            ngx_table_elt_t* field) noexcept {
    if (all.elts == nullptr &&
        ngx_array_init(&all, r.pool, 1, sizeof(ngx_table_elt_t*)) != NGX_OK) {
        return false;
    }
    auto** slot = static_cast<ngx_table_elt_t**>(ngx_array_push(&all));
    if (slot == nullptr) { return false; }
    *slot = field;
    return true;
}
#endif

}  // namespace

ngx_table_elt_t* push_field(ngx_http_request_t& r, std::string_view name,
                            std::string_view value) noexcept {
    auto* field =
        static_cast<ngx_table_elt_t*>(ngx_list_push(&r.headers_out.headers));
    if (field == nullptr) { return nullptr; }
    field->hash = 1;
    field->key = ngx::str(name);
    field->value = ngx::str(value);
    field->lowcase_key = nullptr;
#if (nginx_version >= 1023000)
    field->next = nullptr;
#endif
    return field;
}

bool add_cache_control(ngx_http_request_t& r, std::string_view value) noexcept {
    ngx_table_elt_t* field = push_field(r, "Cache-Control", value);
    return field != nullptr && note_cache_control(r, field);
}

bool note_cache_control(ngx_http_request_t& r,
                        ngx_table_elt_t* field) noexcept {
    return append(r, r.headers_out.cache_control, field);
}

bool note_link(ngx_http_request_t& r, ngx_table_elt_t* field) noexcept {
    return append(r, r.headers_out.link, field);
}

}  // namespace cacheback::http
