#include "status_field.hpp"

#include "../core/cache_status.hpp"
#include "../ngx/pool.hpp"
#include "response_field.hpp"

namespace cacheback::http {

namespace {

using core::Forward;

// What the origin answered; 0: nothing. A 304 was made the stored answer.
unsigned origin_status(const RequestContext& context) noexcept {
    const ngx_http_request_t& r = context.request;
    if (r.upstream != nullptr) {
        return static_cast<unsigned>(r.upstream->headers_in.status_n);
    }
    return context.status == Status::revalidated
               ? NGX_HTTP_NOT_MODIFIED
               : static_cast<unsigned>(r.headers_out.status);
}

// One word of ours; not what another parameter says already.
std::string_view detail(const RequestContext& context) noexcept {
    switch (context.reason) {
    case core::Reason::none:
        return context.status == Status::empty ? "empty" : "";
    case core::Reason::method:
    case core::Reason::bypass:
    case core::Reason::collapsed: return "";
    default: return core::word(context.reason);
    }
}

core::CacheStatus status_of(const RequestContext& context) {
    core::CacheStatus status;
    status.key = context.key.text;
    status.detail = detail(context);
    if (context.entry && context.status != Status::expired) {
        status.ttl = core::ttl_of(context.entry->meta, context.now);
    }
    if (context.reason == core::Reason::collapsed) {
        // RFC 9211 2.6: it would have gone on, but for another request.
        status.forward = context.would_forward;
        status.collapsed = true;
        status.stored = true;
        return status;
    }
    if (context.forward == Forward::none) {
        status.hit = context.status != Status::empty;
        return status;
    }
    status.forward = context.forward;
    status.forward_status = origin_status(context);
    if (context.wait) { status.collapsed = false; }
    if (context.status == Status::revalidated) {
        status.stored = context.reason == core::Reason::none;
    } else if (context.capture != nullptr && context.capture->begun()) {
        status.stored = true;
        status.ttl =
            context.capture->verdict().windows.fresh_for / core::second;
    }
    return status;
}

// The one before, for a header that is no longer sent as it was.
void take_away(ngx_http_request_t& r, const ngx_str_t& value) noexcept {
    for (ngx_list_part_t* part = &r.headers_out.headers.part; part != nullptr;
         part = part->next) {
        auto* fields = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (fields[i].value.data == value.data) { fields[i].hash = 0; }
        }
    }
}

}  // namespace

void add_cache_status(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    if (context.status == Status::none) { return; }
    if (context.status_field.data != nullptr) {
        take_away(r, context.status_field);
    }
    const std::string text = core::cache_status(
        ngx::view(context.conf.cache_status), status_of(context));
    if (!ngx::copy(*r.pool, context.status_field, text) ||
        push_field(r, "Cache-Status", ngx::view(context.status_field)) ==
            nullptr) {
        throw std::bad_alloc{};
    }
}

}  // namespace cacheback::http
