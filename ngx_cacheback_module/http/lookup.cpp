#include "lookup.hpp"

#include "../core/decision.hpp"
#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "background_fetch.hpp"
#include "eligibility.hpp"
#include "request_context.hpp"
#include "request_fields.hpp"
#include "serve.hpp"

namespace cacheback::http {

namespace {

using store::Counter;

store::Key make_key(ngx_http_request_t& r, const LocationConf& conf) {
    ngx_str_t text;
    if (ngx_http_complex_value(&r, conf.key, &text) != NGX_OK) {
        throw std::bad_alloc{};
    }
    return conf.store->control().key(ngx::view(text));
}

core::Millis lease_length(RequestContext& context) {
    return evaluate(context.request, context.conf.refresh_timeout,
                    default_refresh_timeout);
}

// Answered from the store: nginx goes to the content phase and finds us there.
ngx_int_t serve(RequestContext& context, Status status, Counter counter) {
    store::ControlZone& control = context.store.control();
    context.status = status;
    control.count(counter);
    control.count(context.tier == Tier::memory ? Counter::memory_hits
                                               : Counter::redis_hits);
    context.request.content_handler = serve_entry;
    return NGX_OK;
}

// The content handler asks the origin while the client waits. Whoever holds
// the item's lease collects the answer; answers to others pass.
ngx_int_t fetch(RequestContext& context, Status status, Counter counter) {
    ngx_http_request_t& r = context.request;
    store::ControlZone& control = context.store.control();
    context.status = status;
    control.count(counter);

    if (context.reason == core::Reason::uncacheable) {
        prepare_origin_fields(context, false, nullptr);
        return NGX_DECLINED;
    }

    core::Millis length = lease_length(context);
    context.lease = control.claim(context.key, length);
    bool attached = context.lease != 0 && !context.is_partial;
    const core::EntryView* stored =
        context.entry && context.conf.revalidate ? &*context.entry : nullptr;

    // For those whose own answer cannot fill the item: a fetch made ready now,
    // while the request stands in its look-up, and started or dropped when the
    // answer shows whether the item may be stored.
    if (context.lease != 0 && (context.is_partial || context.had_cookie) &&
        status != Status::bypass) {
        context.fill = BackgroundFetch::prepare(
            r, context.conf, context.key, attached ? 0 : context.lease,
            context.now + length, stored);
        if (!attached && context.fill != nullptr) { context.lease = 0; }
    }
    if (attached) {
        context.capture = std::make_unique<Capture>(context.now);
    }
    prepare_origin_fields(context, attached, attached ? stored : nullptr);
    return NGX_DECLINED;
}

// A stale entry at once; who gets the lease also starts the refresh.
ngx_int_t serve_stale(RequestContext& context) {
    core::Millis length = lease_length(context);
    store::ControlZone& control = context.store.control();
    store::LeaseToken token = control.claim(context.key, length);
    core::Lease lease = token == 0 ? core::Lease::taken : core::Lease::free;

    if (core::decide(core::State::stale, lease) ==
        core::Verdict::serve_stale) {
        return serve(context, Status::updating, Counter::updating);
    }

    std::unique_ptr<BackgroundFetch> refresh = BackgroundFetch::prepare(
        context.request, context.conf, context.key, token,
        context.now + length, &*context.entry);
    if (refresh == nullptr) {
        control.release(context.key, token);
        return serve(context, Status::updating, Counter::updating);
    }
    BackgroundFetch::launch(std::move(refresh));
    return serve(context, Status::stale, Counter::stale);
}

// What is known of the item is known: fresh, stale, too stale, or nothing.
ngx_int_t follow(RequestContext& context) {
    context.stage = RequestContext::Stage::decided;
    ngx_http_request_t& r = context.request;

    if (context.entry && !variant_matches(*context.entry, r)) {
        context.entry.reset();
    }
    if (!context.entry) { return fetch(context, Status::miss, Counter::misses); }

    core::Millis ttl = evaluate(r, context.conf.ttl, default_ttl);
    switch (core::state_of(context.entry->meta, ttl, context.now)) {
    case core::State::fresh:
        return serve(context, Status::hit, Counter::hits);
    case core::State::stale:
        return serve_stale(context);
    case core::State::expired:
        return fetch(context, Status::expired, Counter::expired);
    case core::State::gone:
        break;
    }
    context.entry.reset();
    return fetch(context, Status::miss, Counter::misses);
}

void take_reply(RequestContext& context, const store::RedisReply& reply) {
    ngx_http_request_t& r = context.request;
    if (reply.status == store::RedisReply::Status::unavailable) {
        context.reason = core::Reason::redis;
    }
    if (reply.status != store::RedisReply::Status::found) { return; }

    ngx_str_t bytes;
    if (!ngx::copy(*r.pool, bytes, reply.bytes)) { throw std::bad_alloc{}; }
    context.entry = core::EntryView::check(ngx::view(bytes), context.key.text);
    if (context.entry) {
        context.tier = Tier::redis;
        context.store.promote(context.key, ngx::view(bytes));
        return;
    }
    context.store.control().count(Counter::redis_errors);
    context.reason = core::Reason::redis;
    ngx_log_error(NGX_LOG_WARN, r.connection->log, 0,
                  "cacheback: redis holds %uz bytes for \"%*s\" that are not "
                  "an entry of this key and format, taken as a miss",
                  reply.bytes.size(), context.key.text.size(),
                  context.key.text.data());
}

// Awaited by look_up(). The phases go on; the handler is entered again and
// finds the look-up decided.
void on_redis_reply(void* data, const store::RedisReply& reply) noexcept {
    auto& context = *static_cast<RequestContext*>(data);
    ngx_http_request_t& r = context.request;
    ngx_connection_t* c = r.connection;

    context.stage = RequestContext::Stage::decided;
    ngx::guard(
        c->log, [&] { take_reply(context, reply); },
        [&] { context.reason = core::Reason::error; });

    r.read_event_handler = ngx_http_block_reading;
    ngx_http_core_run_phases(&r);
    ngx_http_run_posted_requests(c);
}

ngx_int_t look_up(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    context.key = make_key(r, context.conf);

    if (auto bytes = context.store.memory().get(context.key, *r.pool)) {
        context.entry = core::EntryView::trusted(*bytes);
        context.tier = Tier::memory;
        return follow(context);
    }
    if (context.store.control().is_uncacheable(context.key)) {
        context.reason = core::Reason::uncacheable;
        return follow(context);
    }
    store::RedisTier* redis = context.store.redis();
    if (redis == nullptr) { return follow(context); }

    context.stage = RequestContext::Stage::asking_redis;
    if (!redis->get(context.key, on_redis_reply, &context, context.ticket)) {
        context.reason = core::Reason::redis;
        return follow(context);
    }
    // Parked: Redis' answer or its deadline runs the phases again; a client
    // that leaves takes the ticket with it.
    if (ngx_handle_read_event(r.connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r.read_event_handler = ngx_http_test_reading;
    r.write_event_handler = ngx_http_core_run_phases;
    return NGX_AGAIN;
}

}  // namespace

ngx_int_t on_precontent(ngx_http_request_t& r) {
    if (r.main != &r) { return NGX_DECLINED; }

    if (BackgroundFetch* fetch = BackgroundFetch::of(r); fetch != nullptr) {
        fetch->redirects.note(r);
        return NGX_DECLINED;
    }
    if (RequestContext* known = context_of(r); known != nullptr) {
        RequestContext& context = *known;
        if (context.stage == RequestContext::Stage::asking_redis) {
            return NGX_AGAIN;  // woken by something else
        }
        if (context.status == Status::none) { return follow(context); }
        context.redirects.note(r);
        return NGX_DECLINED;
    }

    LocationConf& conf = location_conf(r);
    Redirects before;
    before.note(r);
    if (!conf.enabled || before.by_error_page || r.post_action) {
        return NGX_DECLINED;
    }

    RequestContext& context = make_context(r, conf);
    context.redirects = before;
    context.reason = why_not_looked_up(r, conf);
    context.is_head = asked_by_head(r);
    context.is_partial = asks_for_part(r);
    context.had_cookie =
        (conf.ignore & core::ignore_cookie) == 0 && sent_cookie(r);
    if (context.reason == core::Reason::bypass && !context.is_partial) {
        // Not looked up, yet its answer becomes the item.
        context.key = make_key(r, conf);
        return fetch(context, Status::bypass, Counter::bypassed);
    }
    if (context.reason != core::Reason::none) {
        context.status = Status::bypass;
        context.store.control().count(Counter::bypassed);
        prepare_origin_fields(context, false, nullptr);
        return NGX_DECLINED;
    }
    return look_up(context);
}

}  // namespace cacheback::http
