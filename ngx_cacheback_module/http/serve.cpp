#include "serve.hpp"

#include "../core/preconditions.hpp"
#include "../ngx/guard.hpp"
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
    // That of a part which nginx is about to cut out is another one.
    if (from.kind == core::FieldKind::content_range &&
        r.headers_in.range != nullptr) {
        return true;
    }

    ngx_table_elt_t* field = push_field(r, from.name, from.value);
    if (field == nullptr) { return false; }
    switch (from.kind) {
    case core::FieldKind::content_encoding: out.content_encoding = field; break;
    case core::FieldKind::location:
        // As of an upstream: nginx makes no absolute URI of a path then, whose
        // scheme and port may not be those that the client has asked.
        if (from.value.empty() || from.value.front() != '/') {
            out.location = field;
        }
        break;
    case core::FieldKind::etag: out.etag = field; break;
    case core::FieldKind::expires: out.expires = field; break;
    case core::FieldKind::refresh: out.refresh = field; break;
    case core::FieldKind::www_authenticate: out.www_authenticate = field; break;
    case core::FieldKind::last_modified: out.last_modified = field; break;
    case core::FieldKind::date: out.date = field; break;
    case core::FieldKind::cache_control: return note_cache_control(r, field);
    case core::FieldKind::link: return note_link(r, field);
    case core::FieldKind::content_type:
    case core::FieldKind::content_range:
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

// Lines of one list as one; nginx before 1.23 refuses a second line itself.
std::string_view joined(ngx_http_request_t& r, const ngx_table_elt_t* field) {
    if (field == nullptr) { return {}; }
#if (nginx_version >= 1023000)
    if (field->next != nullptr) {
        std::string all(ngx::view(field->value));
        while ((field = field->next) != nullptr) {
            all += ", ";
            all += ngx::view(field->value);
        }
        ngx_str_t text;
        if (!ngx::copy(*r.pool, text, all)) { throw std::bad_alloc{}; }
        return ngx::view(text);
    }
#endif
    return ngx::view(field->value);
}

std::string_view value_of(const ngx_table_elt_t* field) noexcept {
    return field == nullptr ? std::string_view() : ngx::view(field->value);
}

core::Preconditions preconditions_of(ngx_http_request_t& r) {
    const auto& in = r.headers_in;
    core::Preconditions asked;
    asked.if_match = joined(r, in.if_match);
    asked.if_none_match = joined(r, in.if_none_match);
    asked.if_unmodified_since = value_of(in.if_unmodified_since);
    auto* conf = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_get_module_loc_conf((&r), ngx_http_core_module));
    if (conf->if_modified_since != NGX_HTTP_IMS_OFF) {
        asked.if_modified_since = value_of(in.if_modified_since);
    }
    return asked;
}

// As nginx makes one: what describes a body goes.
void make_not_modified(ngx_http_request_t& r) noexcept {
    auto& out = r.headers_out;
    out.status = NGX_HTTP_NOT_MODIFIED;
    out.content_type.len = 0;
    out.content_length_n = -1;
    if (out.content_encoding != nullptr) {
        out.content_encoding->hash = 0;
        out.content_encoding = nullptr;
    }
    r.allow_ranges = 0;
}

// Whether nginx may cut out what the client asks for.
bool allows_ranges(const ngx_http_request_t& r, const core::Validators& held,
                   core::Seconds now) noexcept {
    const auto& in = r.headers_in;
    if (in.range == nullptr) { return true; }
    if (r.method != NGX_HTTP_GET) { return false; }  // RFC 9110 14.2
    return in.if_range == nullptr ||
           core::range_applies(ngx::view(in.if_range->value), held, now);
}

ngx_int_t replay_header(ngx_http_request_t& r, const core::EntryView& entry,
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

// The client's conditions and its range, where there are any.
ngx_int_t heed_client(ngx_http_request_t& r, const core::EntryMeta& entry,
                      core::Millis at) {
    const core::Seconds now = at / core::second;
    core::Validators held;
    held.etag = value_of(r.headers_out.etag);
    held.last_modified = entry.last_modified;
    held.date = entry.date;
    r.allow_ranges = allows_ranges(r, held, now) ? 1 : 0;
    r.disable_not_modified = 1;
    switch (core::evaluate(preconditions_of(r), held, entry.status, now)) {
    case core::Precondition::met: break;
    case core::Precondition::not_modified: make_not_modified(r); break;
    case core::Precondition::failed: return NGX_HTTP_PRECONDITION_FAILED;
    }
    return NGX_OK;
}

}  // namespace

ngx_int_t set_header(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    ngx_int_t rc = replay_header(r, *context.entry, context.now);
    bool asks_more = context.is_partial || context.is_validation;
    return rc == NGX_OK && asks_more
               ? heed_client(r, context.entry->meta, context.now)
               : rc;
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

    rc = ngx::guard(
        r->connection->log, [&] { return set_header(*context); },
        []() -> ngx_int_t { return NGX_ERROR; });
    if (rc != NGX_OK) {
        ngx_http_clean_header(r);
        return rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
    }
    rc = ngx_http_send_header(r);
    // What a 416 says must not be taken for what the item says of itself: a
    // cache behind us would keep the error for as long.
    if (rc == NGX_HTTP_RANGE_NOT_SATISFIABLE) { ngx_http_clean_header(r); }
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) { return rc; }

    ngx_chain_t* out = body_chain(*r, *context->entry);
    return out == nullptr ? NGX_ERROR : ngx_http_output_filter(r, out);
}

}  // namespace cacheback::http
