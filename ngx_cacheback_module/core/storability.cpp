// core/storability.cpp: the rules of policy `cacheback`, one small function
// each, in the order in which they are asked; and what becomes of an item.
#include "storability.hpp"

#include <algorithm>

#include "freshness.hpp"
#include "rfc9111.hpp"
#include "text.hpp"
#include "vary.hpp"

namespace cacheback::core {

namespace {

constexpr Millis clamp_length(Millis length) noexcept {
    return std::clamp<Millis>(length, 0, max_seconds * second);
}

// What such an answer says of itself, it says of the item.
bool is_settled(unsigned status) noexcept {
    return status == 200 || status == 203 || status == 301 || status == 308;
}

// The stale window is the response's own where it names one, also beside
// s-maxage, else the time until the item is gone (CONTRACT of the policy).
void set_windows(Windows& windows, const CacheControl& control,
                 const Policy& policy) noexcept {
    const Millis until_gone =
        std::max<Millis>(windows.ttl - windows.fresh_for, 0);
    if (windows.stale_forbidden) {
        windows.stale_for = 0;
        windows.error_for = 0;
        return;
    }
    windows.stale_for = control.stale_while_revalidate
                            ? *control.stale_while_revalidate * second
                            : until_gone;
    windows.error_for =
        control.stale_if_error
            ? *control.stale_if_error * second
            : std::clamp<Millis>(policy.stale_if_error, 0, until_gone);
}

}  // namespace

bool is_whole_and_final(unsigned status) noexcept {
    return status >= 200 && status <= 599 && status != 206 && status != 304;
}

bool is_stream(Fields fields) noexcept {
    const Field* type = find(fields, "Content-Type");
    if (type != nullptr) {
        const std::string_view value = type->value;
        if (iequal(trim(value.substr(0, value.find(';'))),
                   "text/event-stream")) {
            return true;
        }
    }
    const Field* buffering = find(fields, "X-Accel-Buffering");
    return buffering != nullptr && iequal(trim(buffering->value), "no");
}

bool has_validator(Fields fields) noexcept {
    const Field* etag = find(fields, "ETag");
    const Field* modified = find(fields, "Last-Modified");
    return (etag != nullptr && !trim(etag->value).empty()) ||
           (modified != nullptr && !trim(modified->value).empty());
}

Storability judge(const RequestFacts& request, const ResponseFacts& response,
                  const Policy& policy, Millis now) {
    return policy.name == PolicyName::rfc9111
               ? judge_rfc9111(request, response, policy, now)
               : judge_cacheback(request, response, policy, now);
}

Storability judge_cacheback(const RequestFacts& request,
                            const ResponseFacts& response, const Policy& policy,
                            Millis now) {
    Storability verdict;
    const auto refuse = [&verdict](Reason reason) {
        verdict.refused = reason;
        return verdict;
    };
    const CachingFields caching =
        read_caching_fields(response.fields, policy.ignore, now);
    const CacheControl& control = caching.control;
    // A 0 from X-Accel-Expires switches nginx's caches off, whatever else the
    // response or the location says.
    const bool off = caching.accel_seconds == Seconds{0};
    const Seconds age = received_age(caching);
    auto named = named_lifetime(caching, age, now);
    if (named && !off) { named = within_bounds(*named, policy); }
    const auto ignored = [&policy](IgnoredField field) {
        return (policy.ignore & field) != 0;
    };

    Windows& windows = verdict.windows;
    verdict.lifetime_named = named.has_value();
    windows.ttl = clamp_length(policy.ttl);
    windows.initial_age = age;
    windows.stale_forbidden =
        control.no_cache || control.must_revalidate || control.proxy_revalidate;
    windows.fresh_for =
        named ? named->fresh_for : clamp_length(policy.lifetime.value_or(0));
    // X-Accel-Expires speaks to this cache alone, the no-cache beside it to
    // everybody else; without it no use goes unasked (RFC 9111 5.2.2.4).
    const bool ask_always = control.no_cache && !(named && named->by_accel);
    if (ask_always) { windows.fresh_for = 0; }
    set_windows(windows, control, policy);

    if (response.status == 206) { return refuse(Reason::partial); }
    if (!is_whole_and_final(response.status)) { return refuse(Reason::status); }
    if (!named && !policy.lifetime) { return refuse(Reason::status); }
    if (is_stream(response.fields)) { return refuse(Reason::event_stream); }
    if (control.no_store) { return refuse(Reason::no_store); }
    if (control.is_private || control.private_fields) {
        return refuse(Reason::is_private);
    }
    if (!ignored(ignore_set_cookie) &&
        find(response.fields, "Set-Cookie") != nullptr) {
        return refuse(Reason::set_cookie);
    }
    if (!ignored(ignore_vary) && varies_on_everything(response.fields)) {
        return refuse(Reason::vary);
    }
    if (response.by_accel_redirect && !control.is_public && !control.s_maxage &&
        !(named && named->by_accel)) {
        return refuse(Reason::accel_redirect);
    }
    if (response.has_trailers) { return refuse(Reason::trailers); }
    if (request.had_cookie && !named && !ignored(ignore_cookie)) {
        return refuse(Reason::cookie);
    }

    if (!named && *policy.lifetime <= 0) { return refuse(Reason::no_lifetime); }
    if (named && named->zero) {
        if (off || control.stale_while_revalidate.value_or(0) == 0) {
            return refuse(Reason::zero_lifetime);
        }
    }
    // Never fresh and never stale: only a validator gives it a use.
    if (windows.stale_forbidden && (ask_always || (named && named->zero)) &&
        !has_validator(response.fields)) {
        return refuse(Reason::zero_lifetime);
    }
    return verdict;
}

FetchOutcome fetch_outcome(const FetchFacts& fetch,
                           const Storability& verdict) noexcept {
    // A login or a maintenance page does not take a good item's place.
    const auto is_redirect_for_now = [](unsigned status) {
        return status == 302 || status == 303 || status == 307;
    };
    if (fetch.from_error_page || fetch.nested_stale) {
        return FetchOutcome::keep;
    }
    // That we could not take it in says nothing of the item.
    if (verdict.refused == Reason::busy ||
        verdict.refused == Reason::incomplete) {
        return FetchOutcome::keep;
    }
    if (fetch.status == 304) {
        if (!fetch.conditional) { return FetchOutcome::keep; }
        return verdict.may_store() || verdict.refused == Reason::status
                   ? FetchOutcome::renew
                   : FetchOutcome::remove_and_mark;
    }
    if (!fetch.complete) { return FetchOutcome::keep; }
    switch (fetch.status) {
    case 401:
    case 403:
    case 407:
    case 429:
        // These say something of who asks and when, not of the item.
        return FetchOutcome::keep;
    case 404:
    case 410:
        return verdict.may_store() ? FetchOutcome::replace
                                   : FetchOutcome::remove;
    default: break;
    }
    if (is_redirect_for_now(fetch.status) && fetch.stored_status != 0 &&
        fetch.stored_status != fetch.status) {
        return FetchOutcome::keep;
    }
    if (is_settled(fetch.status)) {
        return verdict.may_store() ? FetchOutcome::replace
                                   : FetchOutcome::remove_and_mark;
    }
    // A failing origin never takes a good item away, whatever it says of its
    // own lifetime; other answers count when they may be stored.
    return fetch.status < 500 && verdict.may_store() ? FetchOutcome::replace
                                                     : FetchOutcome::keep;
}

bool marks_uncacheable(Reason refused, unsigned status) noexcept {
    if (!is_settled(status)) { return false; }
    switch (refused) {
    case Reason::no_store:
    case Reason::is_private:
    case Reason::set_cookie:
    case Reason::vary:
    case Reason::zero_lifetime:
    case Reason::no_lifetime:
    case Reason::status:
    case Reason::event_stream:
    case Reason::accel_redirect:
    case Reason::trailers:
    case Reason::too_large: return true;
    default: return false;
    }
}

Millis kept_for(const Windows& windows) noexcept {
    if (windows.stale_forbidden || windows.policy == PolicyName::rfc9111) {
        return windows.ttl;
    }
    return std::min(
        windows.ttl,
        windows.fresh_for + std::max(windows.stale_for, windows.error_for));
}

}  // namespace cacheback::core
