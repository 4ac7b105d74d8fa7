#include "lookup.hpp"

#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "../store/key_space.hpp"
#include "answer.hpp"
#include "background_fetch.hpp"
#include "eligibility.hpp"
#include "field_lists.hpp"
#include "purge.hpp"
#include "request_context.hpp"
#include "request_fields.hpp"
#include "unsafe.hpp"

namespace cacheback::http {

namespace {

using store::Counter;

// For as long as the request. A copy of megabytes is time that other requests
// of this worker wait for.
std::string_view keep(ngx_pool_t& pool, std::string_view bytes,
                      std::string* owner) {
    constexpr std::size_t large = 64 * 1024;
    if (owner != nullptr && bytes.size() > large) {
        (void)ngx::make_in_pool<std::string>(pool, std::move(*owner));
        return bytes;  // they have not moved
    }
    ngx_str_t copy;
    if (!ngx::copy(pool, copy, bytes)) { throw std::bad_alloc{}; }
    return ngx::view(copy);
}

void take_reply(RequestContext& context, const store::RedisReply& reply) {
    ngx_http_request_t& r = context.request;
    const bool in_doubt = std::exchange(context.in_doubt, false);
    if (reply.status == store::RedisReply::Status::unavailable) {
        context.reason = core::Reason::redis;
    }
    if (reply.status == store::RedisReply::Status::absent && in_doubt) {
        context.store.memory().remove_older(context.key, reply.asked);
        context.entry.reset();
        context.seen = {};
        context.tier = Tier::none;
    }
    if (reply.status != store::RedisReply::Status::found) { return; }

    const auto open = context.store.redis()->open(context.key, reply.bytes);
    std::optional<core::EntryView> entry;
    std::string_view bytes;
    if (open) {
        bytes = keep(*r.pool, *open, reply.owner);
        entry = core::EntryView::check(bytes, context.key.text);
    }
    if (entry) {
        if (in_doubt && entry->meta.stored < context.entry->meta.stored) {
            // Redis has lost what came later, in a failover: the copy stands.
            context.store.memory().confirm(context.key, reply.asked);
            return;
        }
        context.entry = entry;
        context.seen.stored = entry->meta.stored;
        context.tier = Tier::redis;
        if (in_doubt || context.seen.any) {  // memory holds an older one
            context.store.replace(context.key, bytes, context.fence,
                                  reply.asked);
        } else {
            context.store.promote(context.key, bytes, context.fence,
                                  reply.asked);
        }
        return;
    }
    if (!in_doubt) { context.entry.reset(); }
    context.seen.any = true;
    context.store.control().count(Counter::redis_errors);
    context.reason = core::Reason::redis;
    ngx_log_error(NGX_LOG_WARN, r.connection->log, 0,
                  "cacheback: redis holds %uz bytes for \"%*s\" that are not "
                  "%s, taken as a miss",
                  reply.bytes.size(), context.key.text.size(),
                  context.key.text.data(),
                  open ? "an entry of this key and format"
                       : "signed by a key of \"redis_sign\"");
}

// Awaited by look_up(). The phases go on; the handler is entered again and
// finds the look-up decided.
void on_redis_reply(void* data, const store::RedisReply& reply) noexcept {
    auto& context = *static_cast<RequestContext*>(data);
    context.stage = RequestContext::Stage::decided;
    add_time_spent(context);
    ngx::guard(
        context.request.connection->log, [&] { take_reply(context, reply); },
        [&] { context.reason = core::Reason::error; });
    resume(context);
}

// "$scheme://$host$request_uri", what most keys are, as nginx itself fills in
// these three: evaluating the text costs each request a multiple.
ngx_int_t write_default_key(const ngx_http_request_t& r,
                            ngx_str_t& text) noexcept {
    bool secure = false;
#if (NGX_HTTP_SSL)
    secure = r.connection->ssl != nullptr;
#endif
    const std::string_view scheme = secure ? "https://" : "http://";
    const std::string_view host = host_of(r);
    const std::string_view uri = ngx::view(r.unparsed_uri);
    text.len = scheme.size() + host.size() + uri.size();
    text.data = static_cast<u_char*>(ngx_pnalloc(r.pool, text.len));
    if (text.data == nullptr) { return NGX_ERROR; }
    u_char* at = ngx_cpymem(text.data, scheme.data(), scheme.size());
    at = ngx_cpymem(at, host.data(), host.size());
    ngx_memcpy(at, uri.data(), uri.size());
    return NGX_OK;
}

// What the request says to caches, where the policy lets it.
void heed_request(RequestContext& context) {
    context.asks = asked_of_caches(context.request);
    if (context.asks->no_store && (context.reason == core::Reason::none ||
                                   context.reason == core::Reason::bypass)) {
        context.reason = core::Reason::no_store;
    }
}

}  // namespace

store::Key make_key(ngx_http_request_t& r, const LocationConf& conf) {
    ngx_str_t text;
    bool is_default = conf.key == main_conf(r).default_key;
    ngx_int_t rc = is_default ? write_default_key(r, text)
                              : ngx_http_complex_value(&r, conf.key, &text);
    if (rc != NGX_OK) { throw std::bad_alloc{}; }
    if (!is_default && store::needs_colon(ngx::view(text))) {
        const std::string moved = ":" + std::string(ngx::view(text));
        if (!ngx::copy(*r.pool, text, moved)) { throw std::bad_alloc{}; }
    }
    return conf.store->control().key(ngx::view(text));
}

ngx_int_t look_up(RequestContext& context) {
    ngx_pool_t& pool = *context.request.pool;
    // Whoever serves or marks what there is looks whether there is something.
    if (context.conf.offline == nullptr &&
        context.purge == RequestContext::Purge::none &&
        context.store.control().is_known_uncacheable(context.key)) {
        context.reason = core::Reason::uncacheable;
        return follow(context);
    }
    if (auto copy = context.store.memory().get(context.key, pool)) {
        context.entry = core::EntryView::trusted(copy->bytes);
        context.seen.stored = context.entry->meta.stored;
        context.tier = Tier::memory;
        if (!context.store.in_doubt(copy->as_of)) { return follow(context); }
        context.in_doubt = true;
        return look_in_redis(context);
    }
    if (context.store.control().is_uncacheable(context.key)) {
        context.reason = core::Reason::uncacheable;
        return follow(context);
    }
    return look_in_redis(context);
}

ngx_int_t look_in_redis(RequestContext& context) {
    store::RedisTier* redis = context.store.redis();
    if (redis == nullptr) { return follow(context); }

    context.fence = context.store.control().fence(context.key);
    if (!redis->get(context.key, on_redis_reply, &context, context.ticket,
                    context.spent)) {
        context.in_doubt = false;  // a copy is better than nothing
        context.reason = core::Reason::redis;
        return follow(context);
    }
    if (context.in_doubt) { context.store.control().count(Counter::doubted); }
    return park(context, RequestContext::Stage::asking_redis);
}

ngx_int_t look_again(RequestContext& context) {
    context.now = store::wall_clock();
    context.seen = {};
    context.spent = 0;
    context.entry.reset();
    context.tier = Tier::none;
    context.reason = core::Reason::none;
    return look_up(context);
}

ngx_int_t on_precontent(ngx_http_request_t& r) {
    if (r.main != &r) { return NGX_DECLINED; }

    if (ngx::DetachedRequest::taker_of(r) != nullptr) {
        return NGX_DECLINED;  // what it gets is stored elsewhere
    }
    if (BackgroundFetch* fetch = BackgroundFetch::of(r); fetch != nullptr) {
        fetch->redirects.note(r);
        return NGX_DECLINED;
    }
    if (RequestContext* known = context_of(r); known != nullptr) {
        RequestContext& context = *known;
        switch (context.stage) {
        case RequestContext::Stage::asking_redis:
        case RequestContext::Stage::asking_fleet:
        case RequestContext::Stage::waiting:
            return NGX_AGAIN;  // woken by something else
        case RequestContext::Stage::newer: return look_in_redis(context);
        case RequestContext::Stage::again: return look_again(context);
        case RequestContext::Stage::decided: break;
        }
        if (context.purge != RequestContext::Purge::none) {
            return follow_purge(context);
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
    if (conf.purge != nullptr && is_purge(r)) { return purge(r, conf); }

    RequestContext& context = make_context(r, conf);
    context.redirects = before;
    context.reason = why_not_looked_up(r, conf);
    if (core::traits_of(policy_name(conf)).heeds_requests) {
        heed_request(context);
    }
    context.is_head = asked_by_head(r);
    context.is_partial = asks_for_part(r);
    context.is_validation = context.is_partial && asks_for_validation(r);
    context.had_cookie =
        (conf.ignore & core::ignore_cookie) == 0 && sent_cookie(r);
    if (context.reason == core::Reason::bypass && !context.is_partial) {
        // Not looked up, yet its answer becomes the item.
        context.key = make_key(r, conf);
        return fetch_for_store(context);
    }
    if (context.reason != core::Reason::none) {
        context.status = Status::bypass;
        context.forward = context.reason == core::Reason::method
                              ? core::Forward::method
                              : core::Forward::bypass;
        context.store.control().count(Counter::bypassed);
        if (context.reason == core::Reason::method) { expect_change(context); }
        prepare_origin_fields(context, false, nullptr);
        return NGX_DECLINED;
    }
    context.key = make_key(r, conf);
    return look_up(context);
}

}  // namespace cacheback::http
