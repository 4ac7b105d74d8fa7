#include "answer.hpp"

#include "../core/decision.hpp"
#include "../core/early_refresh.hpp"
#include "../core/vary.hpp"
#include "background_fetch.hpp"
#include "client_wait.hpp"
#include "empty_answer.hpp"
#include "lookup.hpp"
#include "purge.hpp"
#include "request_fields.hpp"
#include "serve.hpp"
#include "variant.hpp"

namespace cacheback::http {

namespace {

using store::Counter;

core::Millis lease_length(RequestContext& context) {
    return evaluate(context.request, context.conf.refresh_timeout,
                    default_refresh_timeout);
}

core::Rules rules_of(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    const LocationConf& conf = context.conf;
    core::Rules rules;
    rules.ttl = evaluate(r, conf.ttl, default_ttl);
    rules.threshold = evaluate_optional(r, conf.threshold);
    rules.fetch_on_miss = evaluate(r, conf.fetch_on_miss, true);
    rules.offline = conf.offline != nullptr &&
                    ngx_http_test_predicates(&r, conf.offline) != NGX_OK;
    return rules;
}

// What was stored by another policy counts for nothing here: its windows are
// not what this one would have made of the response.
bool answers(const core::EntryView& entry, RequestContext& context) {
    return entry.meta.windows.policy == policy_name(context.conf) &&
           answered_by(context, entry);
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

ngx_int_t serve_empty(RequestContext& context) {
    context.status = Status::empty;
    context.store.control().count(Counter::empty);
    context.request.content_handler = send_empty_answer;
    return NGX_OK;
}

// Why the origin must be asked for what was looked up.
core::Forward why_asked(RequestContext& context, bool missing) {
    if (!missing) {
        return context.asks->any && core::is_fresh_for_others(
                                        context.entry->meta, rules_of(context),
                                        *context.asks, context.now)
                   ? core::Forward::request
                   : core::Forward::stale;
    }
    if (context.vary_missed) { return core::Forward::vary_miss; }
    // Then nobody has looked, or could not.
    return context.reason == core::Reason::uncacheable ||
                   context.reason == core::Reason::redis
               ? core::Forward::miss
               : core::Forward::uri_miss;
}

// only-if-cached: the client wants no answer that the origin must be asked for
// (RFC 9111 5.2.1.7).
ngx_int_t refuse_to_ask(RequestContext& context) noexcept {
    context.status = Status::empty;
    context.reason = core::Reason::only_if_cached;
    context.store.control().count(Counter::empty);
    return NGX_HTTP_GATEWAY_TIME_OUT;
}

// On what the item varies, as far as that is known.
std::string names_of(const RequestContext& context) {
    return core::names_of_vary(context.entry ? context.entry->vary()
                                             : context.section);
}

// The content handler asks the origin while the client waits. Who holds the
// item's lease collects the answer; answers to others pass.
ngx_int_t fetch(RequestContext& context, Status status, Counter counter,
                core::Millis length) {
    ngx_http_request_t& r = context.request;
    context.status = status;
    context.forward = status == Status::bypass
                          ? core::Forward::bypass
                          : why_asked(context, status != Status::expired);
    context.store.control().count(counter);
    if (!context.lease) {
        prepare_origin_fields(context, false, nullptr);
        return NGX_DECLINED;
    }

    bool attached = !context.is_partial;
    const core::EntryView* stored =
        context.entry && context.conf.revalidate ? &*context.entry : nullptr;

    // For those whose own answer cannot fill the item: a fetch made ready now,
    // while the request stands in its look-up, and started or dropped when the
    // answer shows whether the item may be stored.
    if ((context.is_partial || context.had_cookie) &&
        status != Status::bypass) {
        context.fill = BackgroundFetch::prepare(
            r, context.conf, context.key,
            attached ? store::Lease{} : context.lease, context.now + length,
            names_of(context), context.entry ? &*context.entry : nullptr,
            context.seen);
        if (!attached && context.fill != nullptr) { context.lease = {}; }
    }
    if (attached) {
        context.capture = std::make_unique<Capture>(
            context.now, context.store.control().fetch_number());
    }
    prepare_origin_fields(context, attached, attached ? stored : nullptr);
    return NGX_DECLINED;
}

// Beside somebody else's fetch, whose answer would not do.
ngx_int_t fetch_alone(RequestContext& context) {
    return fetch(context, Status::expired, Counter::expired, 0);
}

// A fetch that nobody waits for takes the lease over. False: no memory for
// it, and the lease is free again.
bool fetch_in_background(RequestContext& context, core::Millis length) {
    store::Lease lease = std::exchange(context.lease, {});
    std::unique_ptr<BackgroundFetch> fetch = BackgroundFetch::prepare(
        context.request, context.conf, context.key, lease, context.now + length,
        names_of(context), context.entry ? &*context.entry : nullptr,
        context.seen);
    if (fetch == nullptr) {
        context.store.release(context.key, lease);
        return false;
    }
    BackgroundFetch::launch(std::move(fetch));
    return true;
}

core::Lease claim(RequestContext& context, core::Millis length,
                  store::Over over) {
    if (context.lease) { return core::Lease::ours; }  // the fleet's as well
    context.fleet_asked = false;
    name_variant(context);
    bool kept = false;
    context.lease = context.store.claim(context.key, length, over, kept);
    if (context.lease) { return core::Lease::ours; }
    return kept ? core::Lease::kept : core::Lease::working;
}

void on_fleet_answer(void* data, store::FleetClaim::Answer answer) noexcept {
    using Answer = store::FleetClaim::Answer;
    auto& context = *static_cast<RequestContext*>(data);
    context.stage = RequestContext::Stage::decided;
    add_time_spent(context);
    if (answer == Answer::newer) {
        context.store.release(context.key, std::exchange(context.lease, {}));
        context.seen.any = true;
        context.stage = RequestContext::Stage::newer;
    }
    resume(context);
}

// A client's own fetch, like any other, is made by one box. True: the client
// waits for the answer.
bool asks_fleet(RequestContext& context, core::Millis length,
                store::Over over) {
    // A fetch that is left to the background asks for itself.
    if (context.is_partial || std::exchange(context.fleet_asked, true)) {
        return false;
    }
    context.fleet =
        std::make_unique<store::FleetClaim>(on_fleet_answer, &context);
    return context.fleet->begin(context.store, context.key, context.lease,
                                {length, over, context.spent}, context.seen);
}

// Between our look and our claim somebody stored what we are about to fetch:
// the lease goes back, and that is served.
bool overtaken(RequestContext& context, const core::Rules& rules) {
    // The lease is that of the variant which the key names now.
    const std::string section = context.section;
    const auto copy = find_in_memory(context);
    std::optional<core::EntryView> held;
    if (copy && !context.store.in_doubt(copy->as_of)) {
        held = core::EntryView::trusted(copy->bytes);
    }
    bool newer =
        held && answers(*held, context) &&
        context.store.judge_tags(*held, store::Store::From::memory).standing ==
            store::PurgeVerdict::Standing::good &&
        (!context.entry || held->meta.stored > context.entry->meta.stored);
    if (!newer || core::state_for(held->meta, rules, *context.asks,
                                  context.now) != core::State::fresh) {
        context.section = section;
        return false;
    }
    context.store.release(context.key, std::exchange(context.lease, {}));
    context.entry = held;
    context.tier = Tier::memory;
    return true;
}

// Few answers to Authorization may be shared (RFC 9111 3.5): who waited for one
// would wait for nothing.
bool is_authorized(const ngx_http_request_t& r,
                   const LocationConf& conf) noexcept {
    return r.headers_in.authorization != nullptr &&
           (conf.ignore & core::ignore_authorization) == 0;
}

// A seat among those who wait for what somebody else fetches. False: there is
// no waiting here, or the time is over, or the fetch ended just now.
bool wait(RequestContext& context) {
    if (context.conf.lock == 0 || context.is_partial ||
        is_authorized(context.request, context.conf)) {
        return false;
    }
    if (!context.wait) {
        context.wait.emplace(context,
                             static_cast<ngx_msec_t>(context.conf.lock));
    }
    return context.wait->begin();
}

bool may_wait_more(const RequestContext& context) {
    return context.wait && !context.wait->over();
}

// Asked for less often than cacheback_min_uses wants before it stores. A
// request that has waited was counted when it came.
bool is_rare(RequestContext& context) noexcept {
    return context.conf.min_uses > 1 && !context.wait &&
           context.store.control().count_use(context.key) <
               static_cast<unsigned>(context.conf.min_uses);
}

// Some reads of a fresh item refresh it (cacheback_early_refresh), if nobody
// does already; the client gets it as it is.
void refresh_early(RequestContext& context, const core::Rules& rules) {
    constexpr double draws = 2147483648.0;  // of ngx_random()
    const core::EntryMeta& meta = context.entry->meta;
    double draw = (static_cast<double>(ngx_random() & 0x7fffffff) + 1) / draws;
    double beta = static_cast<double>(context.conf.early_refresh) / 1000;
    if (rules.offline ||
        !core::refreshes_early(core::fresh_left(meta, context.now),
                               meta.fetch_ms, beta, draw)) {
        return;
    }
    core::Millis length = lease_length(context);
    if (claim(context, length, store::Over::nobody) != core::Lease::ours) {
        return;
    }
    if (!overtaken(context, rules)) {
        (void)fetch_in_background(context, length);
    }
}

ngx_int_t carry_out(RequestContext& context, core::State state,
                    const core::Rules& rules) {
    core::Millis length = lease_length(context);
    bool missing = state == core::State::gone;
    bool on_error =
        !missing &&
        core::serves_on_error(context.entry->meta, *context.asks, context.now);
    bool must_ask = missing ? rules.fetch_on_miss
                            : state == core::State::expired && !on_error;
    if (rules.offline) { context.reason = core::Reason::offline; }
    // Who has nothing to serve need not respect a failure's back-off.
    store::Over over = must_ask ? store::Over::kept : store::Over::nobody;
    core::Lease lease =
        rules.offline ? core::Lease::working : claim(context, length, over);

    if (lease == core::Lease::ours && overtaken(context, rules)) {
        return serve(context, Status::hit, Counter::hits);
    }

    if (lease == core::Lease::ours && may_wait_more(context) &&
        context.store.control().take_background(context.key)) {
        // The client before us was too slow for those that wait: so might we
        // be. If there is no memory for it, nobody works on it, and we go on
        // like one who has waited for nothing.
        (void)fetch_in_background(context, length);
        lease = core::Lease::working;
    }

    switch (core::decide(state, rules, lease, on_error)) {
    case core::Verdict::serve_fresh:
        return serve(context, Status::hit, Counter::hits);
    case core::Verdict::serve_stale_and_refresh:
        return fetch_in_background(context, length)
                   ? serve(context, Status::stale, Counter::stale)
                   : serve(context, Status::updating, Counter::updating);
    case core::Verdict::serve_stale:
        return serve(context, Status::updating, Counter::updating);
    case core::Verdict::fill_and_serve_empty:
        (void)fetch_in_background(context, length);
        return serve_empty(context);
    case core::Verdict::serve_empty: return serve_empty(context);
    case core::Verdict::wait:
        if (!missing && core::is_for_one_only(context.entry->meta)) {
            return fetch_alone(context);
        }
        if (context.would_forward == core::Forward::none) {
            context.would_forward = why_asked(context, missing);
        }
        if (wait(context)) {
            return park(context, RequestContext::Stage::waiting);
        }
        // It ended just now, so what it brought may be there.
        if (may_wait_more(context)) { return look_again(context); }
        [[fallthrough]];
    case core::Verdict::fetch:
    case core::Verdict::fetch_expired:
        if (lease == core::Lease::ours && asks_fleet(context, length, over)) {
            return park(context, RequestContext::Stage::asking_fleet);
        }
        return missing
                   ? fetch(context, Status::miss, Counter::misses, length)
                   : fetch(context, Status::expired, Counter::expired, length);
    }
    return NGX_DECLINED;
}

}  // namespace

void refresh_now(RequestContext& context) {
    core::Millis length = lease_length(context);
    if (claim(context, length, store::Over::kept) == core::Lease::ours) {
        (void)fetch_in_background(context, length);
    }
}

ngx_int_t fetch_for_store(RequestContext& context) {
    core::Millis length = lease_length(context);
    // The newest answer is the item's.
    constexpr store::Over over = store::Over::anybody;
    context.seen.any = true;
    if (claim(context, length, over) == core::Lease::ours &&
        asks_fleet(context, length, over)) {
        return park(context, RequestContext::Stage::asking_fleet);
    }
    return fetch(context, Status::bypass, Counter::bypassed, length);
}

ngx_int_t follow(RequestContext& context) {
    context.stage = RequestContext::Stage::decided;
    if (context.purging != nullptr) { return follow_purge(context); }
    if (context.reason == core::Reason::bypass) {
        return fetch_for_store(context);
    }
    if (context.entry && !answers(*context.entry, context)) {
        context.entry.reset();
        context.vary_missed = true;
    }
    if (context.wait && context.entry &&
        context.entry->meta.stored >= context.began) {
        // What it waited for, be its lifetime as short as it may; or what each
        // of those that waited must ask for. Nobody takes the lease then, or
        // the others would go on waiting.
        if (!core::serves_waiters(context.entry->meta, *context.asks,
                                  context.now)) {
            return fetch_alone(context);
        }
        context.reason = core::Reason::collapsed;
        return serve(context, Status::hit, Counter::hits);
    }

    core::Rules rules = rules_of(context);
    core::State state = context.entry
                            ? core::state_for(context.entry->meta, rules,
                                              *context.asks, context.now)
                            : core::State::gone;
    if (state == core::State::fresh) {
        if (context.conf.early_refresh != 0) { refresh_early(context, rules); }
        return serve(context, Status::hit, Counter::hits);
    }
    if (context.asks->only_if_cached && !rules.offline &&
        state != core::State::stale) {
        return refuse_to_ask(context);
    }
    if (state == core::State::gone) { context.entry.reset(); }
    if (context.is_validation) { context.is_partial = !context.entry; }
    if (context.reason == core::Reason::uncacheable && !rules.offline) {
        return fetch(context, Status::miss, Counter::misses, 0);
    }
    if (state == core::State::gone && !rules.offline && is_rare(context)) {
        context.reason = core::Reason::min_uses;
        return rules.fetch_on_miss
                   ? fetch(context, Status::miss, Counter::misses, 0)
                   : serve_empty(context);
    }
    return carry_out(context, state, rules);
}

}  // namespace cacheback::http
