#include "lookup.hpp"

#include "../core/query_args.hpp"
#include "../core/vary_record.hpp"
#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "../store/control/key_space.hpp"
#include "answer.hpp"
#include "background_fetch.hpp"
#include "eligibility.hpp"
#include "field_lists.hpp"
#include "purge.hpp"
#include "request_context.hpp"
#include "request_fields.hpp"
#include "unsafe.hpp"
#include "variant.hpp"

namespace cacheback::http {

bool is_secure(const ngx_http_request_t& r) noexcept {
#if (NGX_HTTP_SSL)
    return r.connection->ssl != nullptr;
#else
    return false;
#endif
}

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

// For the item, or for its variant of this generation. True: asked. Else the
// look-up goes on as if Redis held nothing.
bool ask_redis(RequestContext& context, std::string_view generation);

// Redis does not hold it, so a copy in doubt is none.
void take_absence(RequestContext& context, core::Millis asked, bool variant) {
    if (!std::exchange(context.in_doubt, false)) { return; }
    context.store.remove_older(
        context.key, variant ? std::string_view(context.section) : "", asked);
    context.entry.reset();
    context.seen = {};
    context.tier = Tier::none;
}

// An entry, or what is none. Views into the reply.
void take_entry(RequestContext& context, const store::RedisReply& reply) {
    ngx_http_request_t& r = context.request;
    const bool in_doubt = std::exchange(context.in_doubt, false);
    context.asked = reply.asked;
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
            context.store.confirm(context.key, *context.entry, reply.asked);
            return;
        }
        context.entry = entry;
        context.seen.stored = entry->meta.stored;
        context.tier = Tier::redis;
        context.store.replace(context.key, bytes, context.fence, reply.asked);
        if (entry->vary().empty()) {
            context.store.vary_hints().forget(context.key.hash);
            forget_variant(context);
        }
        return;
    }
    if (!in_doubt) { context.entry.reset(); }
    context.seen.any = true;
    context.reason = core::Reason::redis;
    context.store.redis()->refuse(context.key, reply.bytes.size(),
                                  open.has_value(), *r.connection->log);
}

using Standing = store::PurgeVerdict::Standing;

// What purges of its tags have made of the entry. `seen` stays: in Redis it is
// there, and not newer.
void heed_purges(RequestContext& context, const store::PurgeVerdict& verdict) {
    if (verdict.standing == Standing::gone) {
        context.entry.reset();
        context.tier = Tier::none;
    } else if (verdict.standing == Standing::stale) {
        // This request may have waited for the verdict: to it that was before.
        const core::Millis since = std::min(verdict.since, context.now);
        core::Millis& fresh_for = context.entry->meta.windows.fresh_for;
        fresh_for = std::clamp<core::Millis>(since - context.entry->meta.stored,
                                             0, fresh_for);
    }
}

// It is as good as a copy in memory when Redis cannot be asked: what this box
// has heard of counts.
void do_without_judgement(RequestContext& context) {
    context.reason = core::Reason::redis;
    if (!context.entry) { return; }
    heed_purges(context, context.store.judge_tags(*context.entry,
                                                  store::Store::From::memory));
}

// Awaited by asks_about_tags().
void on_tags_judged(void* data, const store::TagsJudged& judged) noexcept {
    auto& context = *static_cast<RequestContext*>(data);
    add_time_spent(context);
    if (!judged) {
        ngx::guard(
            context.request.connection->log,
            [&] { do_without_judgement(context); }, [] {});
    } else if (context.entry) {
        const store::PurgeVerdict verdict = store::verdict_of(
            *judged, context.entry->meta.sequence, store::wall_clock());
        ngx::guard(
            context.request.connection->log,
            [&] {
                context.store.settle_tags(
                    context.key, *context.entry, verdict,
                    store::PurgeNumber::of_store(judged->last), context.asked);
            },
            [] {});
        heed_purges(context, verdict);
    }
    context.stage = RequestContext::Stage::decided;
    resume(context);
}

// True: asked. Else what was found counts as it is now.
bool asks_about_tags(RequestContext& context) {
    if (!context.entry) { return false; }
    const store::PurgeVerdict verdict =
        context.store.judge_tags(*context.entry, store::Store::From::redis);
    if (verdict.standing != Standing::unknown) {
        heed_purges(context, verdict);
        return false;
    }
    if (context.store.ask_about_tags(*context.entry, on_tags_judged, &context,
                                     context.ticket, context.spent)) {
        return true;
    }
    do_without_judgement(context);
    return false;
}

// The item varies: true when its variant is asked for now.
bool take_record(RequestContext& context, const core::VaryRecord& record) {
    const std::string_view asked = context.generation;
    const std::string_view variant = context.key.variant;
    context.store.vary_hints().remember(context.key.hash, record.names,
                                        record.generation, context.fence);
    name_variant(context, record.names);
    context.vary_missed = true;  // unless it is there
    // The one that was not there, by what was remembered.
    bool again = asked == record.generation && variant == context.key.variant;
    return !again && ask_redis(context, record.generation);
}

// True when there is more to ask.
bool take_reply(RequestContext& context, const store::RedisReply& reply) {
    using ReplyStatus = store::RedisReply::Status;
    if (reply.status == ReplyStatus::unavailable) {
        context.in_doubt = false;  // a copy is better than nothing
        context.reason = core::Reason::redis;
        return false;
    }
    if (reply.status == ReplyStatus::absent) {
        if (context.asked_for_variant && !context.vary_missed) {
            return ask_redis(context, {});  // it was a guess
        }
        take_absence(context, reply.asked, context.asked_for_variant);
        if (!context.asked_for_variant) { forget_variant(context); }
        return false;
    }
    if (auto record = core::read_vary_record(reply.bytes)) {
        if (take_record(context, *record)) { return true; }
        take_absence(context, reply.asked, true);
        return false;
    }
    take_entry(context, reply);
    if (context.entry) { context.vary_missed = false; }
    return false;
}

// Awaited by look_in_redis(). The phases go on; the handler is entered again
// and finds the look-up decided.
void on_redis_reply(void* data, const store::RedisReply& reply) noexcept {
    auto& context = *static_cast<RequestContext*>(data);
    add_time_spent(context);
    bool asking = ngx::guard(
        context.request.connection->log,
        [&] { return take_reply(context, reply) || asks_about_tags(context); },
        [&] {
            context.reason = core::Reason::error;
            return false;
        });
    if (asking) {
        context.parked = ngx_current_msec;
        return;
    }
    context.stage = RequestContext::Stage::decided;
    resume(context);
}

bool ask_redis(RequestContext& context, std::string_view generation) {
    context.asked_for_variant = !generation.empty();
    if (context.asked_for_variant) {
        ngx_str_t kept;
        if (!ngx::copy(*context.request.pool, kept, generation)) {
            throw std::bad_alloc{};
        }
        context.generation = ngx::view(kept);
    }
    if (context.store.redis()->get(context.key, generation, on_redis_reply,
                                   &context, context.ticket, context.spent)) {
        return true;
    }
    context.reason = core::Reason::redis;
    return false;
}

// "$scheme://$host$request_uri", what most keys are, as nginx itself fills in
// these three: evaluating the text costs each request a multiple.
ngx_int_t write_default_key(const ngx_http_request_t& r, std::string_view uri,
                            ngx_str_t& text) noexcept {
    const std::string_view scheme = is_secure(r) ? "https://" : "http://";
    const std::string_view host = host_of(r);
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

std::optional<store::Key> key_of_target(ngx_http_request_t& r,
                                        const LocationConf& conf,
                                        std::string_view target) {
    const MainConf& main = main_conf(r);
    std::string uri(target);
    if (conf.key == main.default_key_of_args) {
        const core::Target parts = core::split_target(target);
        const std::string query =
            core::normal_args(parts.query, ignored_args(conf));
        uri = parts.path;
        if (!query.empty()) { uri.append("?").append(query); }
    } else if (conf.key != main.default_key) {
        return std::nullopt;
    }
    ngx_str_t text;
    if (write_default_key(r, uri, text) != NGX_OK) { throw std::bad_alloc{}; }
    return conf.store->control().key(ngx::view(text));
}

store::Key make_key(ngx_http_request_t& r, const LocationConf& conf) {
    ngx_str_t text;
    bool is_default = conf.key == main_conf(r).default_key;
    ngx_int_t rc = is_default
                       ? write_default_key(r, ngx::view(r.unparsed_uri), text)
                       : ngx_http_complex_value(&r, conf.key, &text);
    if (rc != NGX_OK) { throw std::bad_alloc{}; }
    if (!is_default && store::needs_colon(ngx::view(text))) {
        const std::string moved = ":" + std::string(ngx::view(text));
        if (!ngx::copy(*r.pool, text, moved)) { throw std::bad_alloc{}; }
    }
    return conf.store->control().key(ngx::view(text));
}

ngx_int_t look_up(RequestContext& context) {
    // Whoever serves or marks what there is looks whether there is something.
    if (context.conf.offline == nullptr && context.purging == nullptr &&
        context.store.control().is_known_uncacheable(context.key)) {
        context.reason = core::Reason::uncacheable;
        return follow(context);
    }
    if (auto copy = find_in_memory(context)) {
        context.entry = core::EntryView::trusted(copy->bytes);
        context.seen.stored = context.entry->meta.stored;
        context.tier = Tier::memory;
        const store::PurgeVerdict verdict = context.store.judge_tags(
            *context.entry, store::Store::From::memory);
        heed_purges(context, verdict);
        context.in_doubt =
            context.entry && (verdict.standing == Standing::unknown ||
                              context.store.in_doubt(copy->as_of));
        if (context.entry && !context.in_doubt) { return follow(context); }
        name_variant(context);
        return look_in_redis(context);
    }
    name_variant(context);
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
    context.generation = {};
    std::string_view generation;
    if (!context.key.variant.empty()) {
        generation = context.store.vary_hints().generation(context.key.hash,
                                                           context.fence);
    }
    bool missed = std::exchange(context.vary_missed, false);
    if (!ask_redis(context, generation)) {
        context.in_doubt = false;  // a copy is better than nothing
        context.vary_missed = missed;
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
    context.key = context.key.item();
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
        if (context.purging != nullptr) { return follow_purge(context); }
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
