#include "filters.hpp"

#include "../core/storability.hpp"
#include "../ngx/body_buffer.hpp"
#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "background_fetch.hpp"
#include "lookup.hpp"
#include "origin_fields.hpp"
#include "request_context.hpp"
#include "request_fields.hpp"
#include "response_field.hpp"
#include "serve.hpp"
#include "status_field.hpp"
#include "unsafe.hpp"

namespace cacheback::http {

namespace {

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;

using store::Counter;

constexpr unsigned http_gone = 410;  // nginx has no name for it

bool no_store_asked(RequestContext& context) {
    return context.conf.no_store != nullptr &&
           ngx_http_test_predicates(&context.request, context.conf.no_store) !=
               NGX_OK;
}

Capture::Circumstances circumstances_of(RequestContext& context) {
    Capture::Circumstances circumstances;
    circumstances.had_cookie = context.had_cookie;
    circumstances.by_accel_redirect = context.redirects.by_accel_redirect;
    circumstances.no_store = no_store_asked(context);
    circumstances.key = context.key.text;
    circumstances.is_secure = is_secure(context.request);
    return circumstances;
}

// False: what the client gets is nginx's own page about an origin that could
// not be asked, or did not answer.
bool origin_answered(const ngx_http_request_t& r) noexcept {
    return r.upstream == nullptr || r.upstream->headers_in.status_n != 0;
}

// The answer of this client's own fetch will not be stored. Where it shows
// that the item itself may be, a background fetch fills it; where it shows the
// contrary, the next requests need not try.
void pass_on(RequestContext& context, core::Reason refused) {
    store::ControlZone& control = context.store.control();
    store::Lease lease = std::exchange(context.lease, {});
    bool storable =
        refused == core::Reason::none || refused == core::Reason::cookie;

    if (storable && context.fill != nullptr) {
        if (lease) { context.fill->adopt(lease); }
        BackgroundFetch::launch(std::move(context.fill));
        return;
    }
    context.fill.reset();
    unsigned status = static_cast<unsigned>(context.request.headers_out.status);
    // What this request alone asked for says nothing about the item.
    bool of_item = context.status != Status::bypass && !no_store_asked(context);
    bool marks = of_item && core::marks_uncacheable(refused, status);
    core::Millis mark =
        marks ? uncacheable_ttl_of(context.request, context.conf) : 0;
    if (marks) { control.mark_uncacheable(context.key, mark); }
    // What was stored no longer is what the origin says.
    bool is_gone = status == NGX_HTTP_NOT_FOUND || status == http_gone;
    if (context.entry && lease && (marks || (of_item && is_gone)) &&
        context.store.commit_removal(context.key, lease)) {
        return;
    }
    if (origin_answered(context.request)) {
        context.store.release_to_all(context.key, lease, mark);
    } else {
        context.store.release(context.key, lease);  // one of them tries again
    }
}

// HEAD, 206 and 304 stand for the 200 that a plain GET would have got.
core::Reason judge_partial(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    ngx_uint_t status = r.headers_out.status;
    if (status == NGX_HTTP_PARTIAL_CONTENT || status == NGX_HTTP_NOT_MODIFIED) {
        status = NGX_HTTP_OK;
    }
    Capture::Circumstances circumstances = circumstances_of(context);
    circumstances.had_cookie = false;  // the fill sends none
    return Capture::judge(r, context.conf, circumstances, status, context.now);
}

// A response header without anything in it, as nginx begins one.
bool init_lists(ngx_http_request_t& r, ngx_http_headers_out_t& out) noexcept {
    constexpr ngx_uint_t room = 20;
    return ngx_list_init(&out.headers, r.pool, room, sizeof(ngx_table_elt_t)) ==
               NGX_OK &&
           ngx_list_init(&out.trailers, r.pool, 4, sizeof(ngx_table_elt_t)) ==
               NGX_OK;
}

void set_lists(ngx_http_request_t& r,
               const ngx_http_headers_out_t& out) noexcept {
    r.headers_out = out;
    // A fresh list points into itself.
    r.headers_out.headers.last = &r.headers_out.headers.part;
    r.headers_out.trailers.last = &r.headers_out.trailers.part;
}

// The stored entry in place of what the origin has sent. NGX_OK, or the error
// that the client's conditions make of it.
ngx_int_t replace_header(RequestContext& context,
                         const ngx_http_headers_out_t& out) {
    set_lists(context.request, out);
    context.body = RequestContext::Body::of_entry;
    ngx_int_t rc = set_header(context);
    if (rc == NGX_ERROR) { throw std::bad_alloc{}; }
    return rc;
}

// The 304 is about some other response, of which nothing may be taken over
// (RFC 9111 4.3.4): the client gets the old one, the next request asks again.
void keep_as_it_is(RequestContext& context) noexcept {
    context.reason = core::Reason::error;
    context.store.release(context.key, std::exchange(context.lease, {}));
    context.capture.reset();
    context.status = Status::revalidated;
    context.store.control().count(Counter::revalidated);
}

// The origin says that what is stored is still right: the entry lives on, and
// the client gets it in place of the 304.
ngx_int_t renew(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    ngx_http_headers_out_t out;
    ngx_memzero(&out, sizeof(out));
    if (!init_lists(r, out)) { throw std::bad_alloc{}; }
    if (!context.capture->confirms()) {
        keep_as_it_is(context);
        return replace_header(context, out);
    }

    std::string head;
    const std::vector<core::Field> sent = fill_fields(r, context.conf);
    store::Pieces pieces = context.capture->renewed(
        *context.entry, {sent.data(), sent.size()}, head);
    ngx_str_t bytes;
    bytes.len = store::total(pieces);
    bytes.data = static_cast<u_char*>(ngx_pnalloc(r.pool, bytes.len + 1));
    if (bytes.data == nullptr) { throw std::bad_alloc{}; }
    u_char* end = bytes.data;
    for (std::string_view piece : pieces) {
        end = ngx_cpymem(end, piece.data(), piece.size());
    }

    store::Lease lease = std::exchange(context.lease, {});
    if (context.capture->refused() == core::Reason::none) {
        (void)context.store.commit(context.key, lease, pieces,
                                   context.capture->keep_for());
    } else {
        context.reason = context.capture->refused();
        (void)context.store.commit_removal(context.key, lease);
    }
    context.capture.reset();
    context.entry = core::EntryView::trusted(ngx::view(bytes));
    context.status = Status::revalidated;
    context.store.control().count(Counter::revalidated);

    return replace_header(context, out);
}

// The origin has answered a HEAD: that is news of the entry that a GET would
// get (RFC 9111 4.3.5). Where it is about that entry, it lives on with the new
// fields: ready for renew(). Of another one the background fetch will tell
// more.
bool updates_by_head(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    bool applies =
        core::traits_of(policy_name(context.conf)).updates_by_head &&
        context.is_head && context.entry && context.fill != nullptr &&
        r.headers_out.status == NGX_HTTP_OK && !context.redirects.by_error_page;
    if (!applies) { return false; }

    Capture::Circumstances circumstances = circumstances_of(context);
    circumstances.had_cookie = false;  // it updates fields, no content
    circumstances.by_head = true;
    auto capture =
        std::make_unique<Capture>(context.now, context.entry->meta.sequence);
    capture->begin(r, context.conf, circumstances, &*context.entry);
    if (!capture->confirms() || capture->refused() != core::Reason::none) {
        return false;
    }
    context.capture = std::move(capture);
    context.lease = context.fill->yield();
    context.fill.reset();
    return true;
}

// The proxy takes what is no HTTP for HTTP/0.9, and the client's version too.
bool spoke_no_http(const ngx_http_request_t& r) noexcept {
    return r.upstream != nullptr && r.upstream->headers_in.status_n == 0 &&
           r.http_version == NGX_HTTP_VERSION_9;
}

// The stored entry may take the place of what the origin failed to give.
bool stands_in(const RequestContext& context) {
    const ngx_http_request_t& r = context.request;
    if (context.status != Status::expired || !context.entry) { return false; }
    // An error_page that leads to another site never comes by the look-up.
    Redirects redirects = context.redirects;
    redirects.note(r);
    return (redirects.origin_failed || spoke_no_http(r) ||
            core::is_origin_failure(
                static_cast<unsigned>(r.headers_out.status))) &&
           core::serves_on_error(context.entry->meta, *context.asks,
                                 context.now);
}

ngx_int_t serve_on_error(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    ngx_http_headers_out_t out;
    ngx_memzero(&out, sizeof(out));
    if (!init_lists(r, out)) { throw std::bad_alloc{}; }

    // The lease stays: nobody tries before it ends.
    store::Lease lease = std::exchange(context.lease, {});
    if (!lease && context.fill != nullptr) { lease = context.fill->yield(); }
    context.store.keep(context.key, lease);
    context.fill.reset();
    context.capture.reset();
    context.status = Status::stale;
    context.reason = core::Reason::error;
    context.store.control().count(Counter::stale);

    r.err_status = 0;
    if (spoke_no_http(r)) { r.http_version = context.http_version; }
    return replace_header(context, out);
}

// The client's own fetch has answered. NGX_OK, or what replace_header() says.
ngx_int_t on_answer(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    restore_fields(context);
    if (stands_in(context)) { return serve_on_error(context); }

    if (context.capture == nullptr) {
        if (updates_by_head(context)) { return renew(context); }
        if (context.fill != nullptr) {
            core::Reason refused = judge_partial(context);
            if (refused == core::Reason::none) { deliver_as_stored(r); }
            context.reason = refused == core::Reason::none
                                 ? core::Reason::conditional
                                 : refused;
            pass_on(context, refused);
        }
        return NGX_OK;
    }
    if (context.capture->begun()) {
        // 412 or 416 under way: another body under the header we have seen.
        context.capture.reset();
        context.reason = core::Reason::error;
        return NGX_OK;
    }

    context.capture->begin(r, context.conf, circumstances_of(context),
                           context.entry ? &*context.entry : nullptr);
    if (context.redirects.by_error_page) {
        context.capture->refuse(core::Reason::error_page);
    }
    // What the client holds was not asked about, so the condition was ours.
    if (r.headers_out.status == NGX_HTTP_NOT_MODIFIED && context.entry &&
        !context.redirects.by_error_page) {
        return renew(context);
    }
    core::Reason refused = context.capture->refused();
    if (refused == core::Reason::none) {
        context.fill.reset();
        deliver_as_stored(r);
        // Others wait for this answer: from here on it is fetched to its end,
        // whatever becomes of the client.
        r.read_event_handler = ngx_http_block_reading;
        // And it is taken in whole, whatever the client holds.
        if (context.is_validation) { r.disable_not_modified = 1; }
        return NGX_OK;
    }
    context.reason = refused;
    context.capture.reset();
    pass_on(context, refused);
    return NGX_OK;
}

// Calls each(subrequest) for those that will print between the parts of the
// main request's body; subrequests whose output goes to memory are not there.
template <class Each>
void for_each_printing(const ngx_http_request_t& main, Each each) {
    for (const ngx_http_postponed_request_t* p = main.postponed; p != nullptr;
         p = p->next) {
        if (p->request != nullptr && !p->request->subrequest_in_memory) {
            each(p->request);
        }
    }
}

// To be called before the filters below us run: what prints now was made by
// the content handler (echo_location).
void find_printing(RequestContext& context) noexcept {
    const auto& known = context.made_by_filters;
    for_each_printing(context.request, [&](const ngx_http_request_t* sr) {
        if (std::find(known.begin(), known.end(), sr) == known.end()) {
            context.prints_elsewhere = true;
        }
    });
}

// And after they have run.
void note_made_by_filters(RequestContext& context) {
    context.made_by_filters.clear();
    for_each_printing(context.request, [&](const ngx_http_request_t* sr) {
        context.made_by_filters.push_back(sr);
    });
}

// A subrequest begins to answer, maybe while the main request's answer is
// collected.
void on_subrequest(ngx_http_request_t& main) noexcept {
    RequestContext* context = context_of(main);
    if (context != nullptr && context->capture != nullptr) {
        find_printing(*context);
    }
}

// The last of an answer has gone by.
void store_answer(RequestContext& context) {
    std::unique_ptr<Capture> capture = std::move(context.capture);
    if (capture->refused() != core::Reason::none) {
        context.reason = capture->refused();
        pass_on(context, capture->refused());
        return;
    }
    if (!capture->complete() || context.prints_elsewhere) {
        context.reason = core::Reason::incomplete;
        return;
    }
    std::vector<core::Field> sent = fill_fields(context.request, context.conf);
    std::string head;
    store::Pieces entry =
        capture->entry(context.key.text, {sent.data(), sent.size()}, head);
    (void)context.store.commit(context.key, std::exchange(context.lease, {}),
                               entry, capture->keep_for());
}

bool has_last(const ngx_chain_t* in) noexcept {
    for (; in != nullptr; in = in->next) {
        if (in->buf->last_buf) { return true; }
    }
    return false;
}

ngx_int_t send_entry_body(RequestContext& context) noexcept {
    context.body = RequestContext::Body::entry_sent;
    ngx_chain_t* out = body_chain(context.request, *context.entry);
    return out == nullptr ? NGX_ERROR : next_body_filter(&context.request, out);
}

// In place of the body of a 304, which has none, or of an error: the stored
// one.
ngx_int_t replace_body(RequestContext& context, ngx_chain_t* in) noexcept {
    ngx::consume(in);
    if (context.body == RequestContext::Body::entry_sent) {
        // A slow client: what filters below hold goes on.
        return next_body_filter(&context.request, nullptr);
    }
    return send_entry_body(context);
}

// The whole body has come with the header: nothing is to be waited for, and
// the connection to the origin can be kept.
bool has_come_whole(const ngx_http_request_t& r) noexcept {
    const ngx_http_upstream_t* u = r.upstream;
    return u != nullptr && u->headers_in.content_length_n >= 0 &&
           !u->headers_in.chunked &&
           u->buffer.last - u->buffer.pos >= u->headers_in.content_length_n;
}

// The client need not wait for the body of the error, which may be slow or
// endless. `header_only` tells whoever produces it, as with HEAD, that nobody
// wants it: an upstream is let go at once.
ngx_int_t end_error(RequestContext& context, ngx_int_t sent) noexcept {
    ngx_http_request_t& r = context.request;
    if (sent == NGX_ERROR || sent > NGX_OK || r.header_only ||
        has_come_whole(r)) {
        return sent;
    }
    if (send_entry_body(context) == NGX_ERROR) { return NGX_ERROR; }
    r.header_only = 1;
    return sent;
}

// The client has left, others still wait for this answer: it is taken in to its
// end. False: something else failed below, or a filter there holds a part that
// would never be taken; then the answer ends here, unstored.
bool go_on_without_client(RequestContext& context, ngx_chain_t* in) noexcept {
    ngx_http_request_t& r = context.request;
    ngx_connection_t* c = r.connection;
    unsigned held =
        c->buffered &
        ~static_cast<unsigned>(NGX_HTTP_WRITE_BUFFERED | NGX_LOWLEVEL_BUFFERED);
    // The write filter marks the connection; without that mark the client is
    // there, and must not take the next answer for the rest of this one.
    if (!c->error || held != 0 || r.buffered != 0 ||
        context.capture->refused() != core::Reason::none) {
        context.capture.reset();
        return false;
    }
    context.client_gone = true;
    ngx::consume(in);
    // What waited for the client: its buffers go back to who produced them,
    // and will be filled again, so nothing here may point to them any longer.
    ngx::consume(r.out);
    r.out = nullptr;
    c->buffered &= ~static_cast<unsigned>(NGX_HTTP_WRITE_BUFFERED);
    return true;
}

// A 416 in place of the entry: how long that is (RFC 9110 15.5.17).
void say_length(const RequestContext& context) noexcept {
    ngx_http_request_t& r = context.request;
    if (r.headers_out.status != NGX_HTTP_RANGE_NOT_SATISFIABLE ||
        r.headers_out.content_range != nullptr || !context.entry ||
        context.entry->meta.status != NGX_HTTP_OK) {
        return;
    }
    constexpr std::size_t most = sizeof("bytes */") + NGX_INT64_LEN;
    auto* text = static_cast<u_char*>(ngx_pnalloc(r.pool, most));
    if (text == nullptr) { return; }  // the answer goes on without it
    u_char* end =
        ngx_sprintf(text, "bytes */%uD", context.entry->meta.body_size);
    r.headers_out.content_range = push_field(
        r, "Content-Range",
        {reinterpret_cast<char*>(text), static_cast<std::size_t>(end - text)});
}

// Without memory for it the answer goes on.
void say_status(RequestContext& context) noexcept {
    if (context.conf.cache_status.len == 0) { return; }
    ngx::guard(
        context.request.connection->log, [&] { add_cache_status(context); },
        [] {});
}

ngx_int_t header_filter(ngx_http_request_t* r) noexcept {
    if (r != r->main) {
        on_subrequest(*r->main);
        return next_header_filter(r);
    }
    ngx_log_t* log = r->connection->log;

    if (ngx::ResponseTaker* taker = ngx::DetachedRequest::taker_of(*r)) {
        return ngx::guard(
            log, [&] { return taker->on_header(*r); },
            []() -> ngx_int_t { return NGX_ERROR; });
    }
    if (BackgroundFetch* fetch = BackgroundFetch::of(*r); fetch != nullptr) {
        return ngx::guard(
            log, [&] { return fetch->on_header(*r); },
            []() -> ngx_int_t { return NGX_ERROR; });
    }
    RequestContext* context = context_of(*r);
    if (context == nullptr) { return next_header_filter(r); }
    if (!context->changes.text.empty()) {
        ngx::guard(
            log, [&] { note_change(*context); }, [] {});
    }
    if (!context->awaits_answer()) {
        // 412 or 416 in place of the entry: with a body of its own.
        context->body = RequestContext::Body::of_origin;
        say_length(*context);
        say_status(*context);
        return next_header_filter(r);
    }
    ngx_int_t rc = ngx::guard(
        log, [&] { return on_answer(*context); },
        [&]() -> ngx_int_t {
            context->capture.reset();  // the page goes on, unstored
            return context->body == RequestContext::Body::of_origin ? NGX_OK
                                                                    : NGX_ERROR;
        });
    if (rc == NGX_ERROR) { return NGX_ERROR; }
    if (rc == NGX_OK) {
        say_status(*context);
        rc = next_header_filter(r);
    }
    if (context->body != RequestContext::Body::of_entry) { return rc; }
    // Not every producer of an error looks whether its header went out.
    if (rc == NGX_HTTP_RANGE_NOT_SATISFIABLE ||
        rc == NGX_HTTP_PRECONDITION_FAILED) {
        return ngx_http_filter_finalize_request(r, nullptr, rc);
    }
    return context->status == Status::stale ? end_error(*context, rc) : rc;
}

// Collected before the filters below consume it, stored after they have sent
// it.
ngx_int_t collect(RequestContext& context, ngx_chain_t* in) noexcept {
    ngx_http_request_t* r = &context.request;
    bool nested = std::exchange(context.in_filters, true);
    if (!nested) { find_printing(context); }
    context.capture->add(in);
    bool last = has_last(in);
    ngx_int_t rc = NGX_ERROR;
    if (!context.client_gone) { rc = next_body_filter(r, in); }
    if (rc == NGX_ERROR) {
        rc = go_on_without_client(context, in) ? NGX_OK : NGX_ERROR;
    }
    context.in_filters = nested;
    ngx::guard(
        r->connection->log, [&] { note_made_by_filters(context); },
        [&] { context.prints_elsewhere = true; });
    if (rc == NGX_ERROR || context.capture == nullptr) { return rc; }
    if (last) {
        ngx::guard(
            r->connection->log, [&] { store_answer(context); }, [] {});
    } else if (r->connection->buffered != 0) {
        if (!context.slow) { context.slow.emplace(context); }
        context.slow->held();
    }
    return rc;
}

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) noexcept {
    if (r != r->main) { return next_body_filter(r, in); }

    if (ngx::ResponseTaker* taker = ngx::DetachedRequest::taker_of(*r)) {
        return taker->on_body(in);
    }
    if (BackgroundFetch* fetch = BackgroundFetch::of(*r); fetch != nullptr) {
        return fetch->on_body(*r, in);
    }
    RequestContext* context = context_of(*r);
    if (context == nullptr) { return next_body_filter(r, in); }
    if (context->body != RequestContext::Body::of_origin) {
        return replace_body(*context, in);
    }
    return context->capture != nullptr && context->capture->begun()
               ? collect(*context, in)
               : next_body_filter(r, in);
}

}  // namespace

void install_filters() noexcept {
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}

}  // namespace cacheback::http
