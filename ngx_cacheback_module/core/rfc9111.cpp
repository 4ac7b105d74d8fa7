// core/rfc9111.cpp: see rfc9111.hpp.
#include "rfc9111.hpp"

#include <algorithm>

#include "text.hpp"
#include "vary.hpp"

namespace cacheback::core {

namespace rfc9111 {

bool understands(unsigned status) noexcept {
    return (status >= 200 && status <= 206) ||
           (status >= 300 && status <= 308 && status != 306) ||
           (status >= 400 && status <= 417) || status == 421 || status == 422 ||
           status == 426 || (status >= 500 && status <= 505);
}

bool forbids_storing(const CacheControl& control, unsigned status) noexcept {
    const bool set_aside = control.must_understand && understands(status);
    return control.no_store && !set_aside;
}

bool not_understood(const CacheControl& control, unsigned status) noexcept {
    return control.must_understand && !understands(status);
}

bool shares_authorized(const CacheControl& control) noexcept {
    return control.is_public || control.must_revalidate ||
           control.s_maxage.has_value();
}

bool is_heuristically_cacheable(unsigned status) noexcept {
    switch (status) {
    case 200:
    case 203:
    case 204:
    case 206:
    case 300:
    case 301:
    case 308:
    case 404:
    case 405:
    case 410:
    case 414:
    case 501: return true;
    default: return false;
    }
}

std::optional<Seconds> heuristic_lifetime(const CachingFields& fields,
                                          unsigned status,
                                          Millis now) noexcept {
    constexpr Seconds most = 24 * 3600;
    if (!fields.last_modified ||
        !(is_heuristically_cacheable(status) || fields.control.is_public)) {
        return std::nullopt;
    }
    const Seconds date = fields.date.value_or(now / second);
    return std::clamp<Seconds>((date - *fields.last_modified) / 10, 0, most);
}

Seconds corrected_initial_age(const CachingFields& fields, Millis delay,
                              Millis now) noexcept {
    Seconds apparent = fields.date ? now / second - *fields.date : 0;
    if (apparent <= 1) { apparent = 0; }
    const Seconds corrected = fields.age + std::max<Millis>(delay, 0) / second;
    return std::clamp<Seconds>(std::max(apparent, corrected), 0, max_seconds);
}

bool forbids_stale(const CacheControl& control) noexcept {
    return control.no_cache || control.must_revalidate ||
           control.proxy_revalidate || control.s_maxage.has_value();
}

namespace {

constexpr Millis clamp_length(Millis length) noexcept {
    return std::clamp<Millis>(length, 0, max_seconds * second);
}

// What is left of its lifetime; nothing where nobody says or may guess one.
std::optional<NamedLifetime> lifetime_of(
    const CachingFields& fields, const std::optional<NamedLifetime>& named,
    Seconds age, unsigned status, const Policy& policy, Millis now) noexcept {
    if (named) { return within_bounds(*named, policy); }
    if (auto guessed = heuristic_lifetime(fields, status, now)) {
        return within_bounds(less_age(*guessed, age), policy);
    }
    if (policy.lifetime.value_or(0) > 0) {
        NamedLifetime renewed;
        renewed.fresh_for = clamp_length(*policy.lifetime);
        return renewed;
    }
    return std::nullopt;
}

// Stale only where the response says so, or where the origin cannot be asked
// (4.2.4, RFC 5861).
void set_stale_windows(Windows& windows, const CacheControl& control,
                       const Policy& policy) noexcept {
    if (windows.stale_forbidden) { return; }
    windows.stale_for = control.stale_while_revalidate.value_or(0) * second;
    windows.error_for = control.stale_if_error
                            ? *control.stale_if_error * second
                            : clamp_length(policy.stale_if_error);
}

// Section 3: a named lifetime, `public`, or a status that may be stored
// without either.
bool may_store_by_default(const CacheControl& control, bool named,
                          unsigned status) noexcept {
    return named || control.is_public || is_heuristically_cacheable(status);
}

// Never fresh: then a validator gives it a use, or a window of its own.
bool has_use(const Windows& windows, const CacheControl& control,
             bool never_fresh, Fields fields) noexcept {
    if (!never_fresh || has_validator(fields)) { return true; }
    return !windows.stale_forbidden &&
           (control.stale_while_revalidate.value_or(0) > 0 ||
            control.stale_if_error.value_or(0) > 0);
}

}  // namespace

}  // namespace rfc9111

Storability judge_rfc9111(const RequestFacts& request,
                          const ResponseFacts& response, const Policy& policy,
                          Millis now) {
    using namespace rfc9111;
    Storability verdict;
    const auto refuse = [&verdict](Reason reason) {
        verdict.refused = reason;
        return verdict;
    };
    const auto ignored = [&policy](IgnoredField field) {
        return (policy.ignore & field) != 0;
    };
    const unsigned status = response.status;
    const CachingFields caching =
        read_caching_fields(response.fields, policy.ignore, now);
    const CacheControl& control = caching.control;
    const Seconds age = corrected_initial_age(caching, request.delay, now);
    const auto named = named_lifetime(caching, age, now);
    const auto lifetime = lifetime_of(caching, named, age, status, policy, now);
    // X-Accel-Expires speaks to this cache alone, the no-cache beside it to
    // everybody else.
    const bool ask_always = control.no_cache && !(named && named->by_accel);

    Windows& windows = verdict.windows;
    verdict.lifetime_named = named.has_value();
    windows.policy = PolicyName::rfc9111;
    windows.ttl = clamp_length(policy.ttl);
    windows.initial_age = age;
    windows.fresh_for = lifetime && !ask_always ? lifetime->fresh_for : 0;
    windows.immutable = control.immutable;
    windows.stale_forbidden = forbids_stale(control);
    set_stale_windows(windows, control, policy);

    if (status == 206) { return refuse(Reason::partial); }
    if (!is_whole_and_final(status)) { return refuse(Reason::status); }
    if (is_stream(response.fields)) { return refuse(Reason::event_stream); }
    if (forbids_storing(control, status)) { return refuse(Reason::no_store); }
    if (not_understood(control, status)) { return refuse(Reason::status); }
    if (control.is_private) { return refuse(Reason::is_private); }
    if (request.had_authorization && !ignored(ignore_authorization) &&
        !shares_authorized(control)) {
        return refuse(Reason::authorization);
    }
    if (!named && !ignored(ignore_set_cookie) &&
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
    if (!may_store_by_default(control, named.has_value(), status)) {
        return refuse(Reason::status);
    }
    if (caching.accel_seconds == Seconds{0}) {
        return refuse(Reason::zero_lifetime);
    }
    const bool never_fresh = !lifetime || lifetime->zero || ask_always;
    if (!has_use(windows, control, never_fresh, response.fields)) {
        return refuse(lifetime ? Reason::zero_lifetime : Reason::no_lifetime);
    }
    return verdict;
}

}  // namespace cacheback::core
