#include "serve.hpp"

#include "../ngx/pool.hpp"
#include "response_field.hpp"

namespace cacheback::http {

namespace {

// As nginx reads an upstream's: the type alone decides about gzip and charset.
void set_content_type(ngx_http_request_t& r, std::string_view value) noexcept {
    r.headers_out.content_type = ngx::str(value);
    std::size_t end = value.find(';');
    if (end == std::string_view::npos) {
        r.headers_out.content_type_len = value.size();
        return;
    }

    constexpr std::string_view name = "charset=";
    for (std::size_t at = end; at != std::string_view::npos;
         at = value.find(';', at + 1)) {
        std::size_t from = value.find_first_not_of(' ', at + 1);
        if (from == std::string_view::npos ||
            value.size() - from <= name.size() ||
            ngx_strncasecmp(ngx::str(value.substr(from)).data,
                            ngx::str(name).data, name.size()) != 0) {
            continue;
        }
        std::string_view charset = value.substr(from + name.size());
        charset = charset.substr(0, charset.find(';'));
        if (!charset.empty() && charset.front() == '"') {
            charset.remove_prefix(1);
            charset = charset.substr(0, charset.find('"'));
        }
        r.headers_out.content_type_len = at;
        r.headers_out.charset = ngx::str(charset);
        return;
    }
    r.headers_out.content_type_len = end;
}

bool set_field(ngx_http_request_t& r, const core::EntryField& from) noexcept {
    auto& out = r.headers_out;
    if (from.kind == core::FieldKind::content_type) {
        set_content_type(r, from.value);
        return true;
    }

    ngx_table_elt_t* field = push_field(r, from.name, from.value);
    if (field == nullptr) { return false; }
    switch (from.kind) {
    case core::FieldKind::content_encoding: out.content_encoding = field; break;
    case core::FieldKind::location: out.location = field; break;
    case core::FieldKind::etag: out.etag = field; break;
    case core::FieldKind::expires: out.expires = field; break;
    case core::FieldKind::refresh: out.refresh = field; break;
    case core::FieldKind::www_authenticate: out.www_authenticate = field; break;
    case core::FieldKind::last_modified: out.last_modified = field; break;
    case core::FieldKind::date: out.date = field; break;
    case core::FieldKind::cache_control: return note_cache_control(r, field);
    case core::FieldKind::link: return note_link(r, field);
    case core::FieldKind::content_type:
    case core::FieldKind::vary:
    case core::FieldKind::other: break;
    }
    return true;
}

bool set_age(ngx_http_request_t& r, core::Seconds age) noexcept {
    constexpr std::size_t most = NGX_INT64_LEN;
    auto* text = static_cast<u_char*>(ngx_pnalloc(r.pool, most));
    if (text == nullptr) { return false; }

    u_char* first = text + most;
    auto rest = static_cast<std::uint64_t>(age);
    do {
        *--first = static_cast<u_char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    return push_field(r, "Age",
                      {reinterpret_cast<char*>(first),
                       static_cast<std::size_t>(text + most - first)}) !=
           nullptr;
}

}  // namespace

ngx_int_t set_header(ngx_http_request_t& r, const core::EntryView& entry,
                     core::Millis now) {
    auto& out = r.headers_out;
    out.status = entry.meta.status;
    out.content_length_n = entry.meta.body_size;
    out.last_modified_time = entry.meta.last_modified;

    core::EntryFields fields = entry.fields();
    core::EntryField field;
    while (fields.next(field)) {
        if (!set_field(r, field)) { return NGX_ERROR; }
    }
    if (!set_age(r, core::age_of(entry.meta, now))) { return NGX_ERROR; }

    r.allow_ranges = 1;
    r.disable_not_modified = 0;
    return NGX_OK;
}

ngx_chain_t* body_chain(ngx_http_request_t& r,
                        const core::EntryView& entry) noexcept {
    ngx_chain_t* out = ngx_alloc_chain_link(r.pool);
    auto* buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r.pool));
    if (out == nullptr || buf == nullptr) { return nullptr; }

    ngx_str_t body = ngx::str(entry.body());
    if (body.len != 0) {
        buf->start = body.data;
        buf->pos = body.data;
        buf->end = body.data + body.len;
        buf->last = buf->end;
        buf->memory = 1;  // filters may not write to it
    }
    buf->last_buf = 1;
    buf->last_in_chain = 1;
    out->buf = buf;
    out->next = nullptr;
    return out;
}

ngx_int_t serve_entry(ngx_http_request_t* r) noexcept {
    RequestContext* context = context_of(*r);
    if (context == nullptr || !context->entry) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) { return rc; }

    const core::EntryView& entry = *context->entry;
    if (set_header(*r, entry, context->now) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) { return rc; }

    ngx_chain_t* out = body_chain(*r, entry);
    return out == nullptr ? NGX_ERROR : ngx_http_output_filter(r, out);
}

}  // namespace cacheback::http
