// core/decision.cpp: see decision.hpp; each line of it is a rule there.
#include "decision.hpp"

#include <algorithm>

namespace cacheback::core {

namespace {

constexpr Millis future_allowed = 60 * second;

// Time in store; clocks that disagree a little make no negative ages.
Millis resident(const EntryMeta& entry, Millis now) noexcept {
    return std::max<Millis>(now - entry.stored, 0);
}

// By 0 everybody means "ask again", also within the first second.
bool too_old(const EntryMeta& entry, const RequestDirectives& asks,
             Millis now) noexcept {
    return asks.max_age &&
           (*asks.max_age == 0 || age_of(entry, now) > *asks.max_age);
}

// Not long enough to go.
bool ends_too_soon(const EntryMeta& entry, const RequestDirectives& asks,
                   Millis now) noexcept {
    return asks.min_fresh && fresh_left(entry, now) < *asks.min_fresh * second;
}

// max-stale, which 4.2.4 lets the client say.
bool takes_stale(const EntryMeta& entry, const RequestDirectives& asks,
                 Millis now) noexcept {
    return asks.max_stale && !entry.windows.stale_forbidden &&
           -fresh_left(entry, now) <= *asks.max_stale * second;
}

bool past_threshold(const EntryMeta& entry, const Rules& rules,
                    Millis now) noexcept {
    return rules.threshold && resident(entry, now) > *rules.threshold;
}

}  // namespace

State state_of(const EntryMeta& entry, const Rules& rules,
               Millis now) noexcept {
    if (entry.stored - now > future_allowed) { return State::gone; }

    const Windows& windows = entry.windows;
    const Millis age = resident(entry, now);
    if (age >= std::min(windows.ttl, rules.ttl)) { return State::gone; }
    if (age < windows.fresh_for) { return State::fresh; }
    if (windows.stale_forbidden) { return State::expired; }

    const Millis stale = age - windows.fresh_for;
    if (stale < windows.stale_for) {
        return past_threshold(entry, rules, now) ? State::expired
                                                 : State::stale;
    }
    return stale < windows.error_for || windows.policy == PolicyName::rfc9111
               ? State::expired
               : State::gone;
}

State state_as_asked(const EntryMeta& entry, const Rules& rules,
                     const RequestDirectives& asks, Millis now) noexcept {
    const State state = state_of(entry, rules, now);
    if (state == State::gone) { return state; }

    const bool fresh = state == State::fresh;
    const bool unchanging = fresh && entry.windows.immutable;
    if (asks.no_cache || ends_too_soon(entry, asks, now) ||
        (too_old(entry, asks, now) && !unchanging)) {
        return State::expired;
    }
    if (fresh) { return state; }
    if (takes_stale(entry, asks, now)) {
        return past_threshold(entry, rules, now) ? State::expired
                                                 : State::stale;
    }
    // Who names an age wants nothing stale (5.2.1.1).
    return asks.max_age || asks.max_stale ? State::expired : state;
}

bool serves_on_error(const EntryMeta& entry, const RequestDirectives& asks,
                     Millis now) noexcept {
    const Windows& windows = entry.windows;
    const Millis stale = resident(entry, now) - windows.fresh_for;
    if (windows.stale_forbidden) { return false; }
    if (!asks.any) { return stale < windows.error_for; }
    return !asks.no_cache && !too_old(entry, asks, now) &&
           (stale < windows.error_for ||
            stale < asks.stale_if_error.value_or(0) * second);
}

bool serves_waiters(const EntryMeta& entry, const RequestDirectives& asks,
                    Millis now) noexcept {
    if (entry.windows.policy == PolicyName::cacheback) { return true; }
    const bool old = asks.max_age && age_of(entry, now) > *asks.max_age;
    return fresh_left(entry, now) > 0 && !old &&
           !ends_too_soon(entry, asks, now);
}

bool is_for_one_only(const EntryMeta& entry) noexcept {
    return entry.windows.policy == PolicyName::rfc9111 &&
           entry.windows.fresh_for == 0;
}

Seconds age_of(const EntryMeta& entry, Millis now) noexcept {
    const Seconds age =
        entry.windows.initial_age + resident(entry, now) / second;
    return std::min(age, max_seconds);
}

Millis fresh_left(const EntryMeta& entry, Millis now) noexcept {
    return entry.windows.fresh_for - resident(entry, now);
}

Seconds ttl_of(const EntryMeta& entry, Millis now) noexcept {
    const Millis left = fresh_left(entry, now);
    const Seconds whole = left / second;
    return left < 0 && left % second != 0 ? whole - 1 : whole;
}

namespace {

Verdict decide_missing(const Rules& rules, Lease lease) noexcept {
    if (rules.offline) { return Verdict::serve_empty; }
    if (!rules.fetch_on_miss) {
        return lease == Lease::ours ? Verdict::fill_and_serve_empty
                                    : Verdict::serve_empty;
    }
    return lease == Lease::working ? Verdict::wait : Verdict::fetch;
}

}  // namespace

Verdict decide(State state, const Rules& rules, Lease lease,
               bool on_error) noexcept {
    switch (state) {
    case State::fresh: return Verdict::serve_fresh;
    case State::stale:
        return lease == Lease::ours && !rules.offline
                   ? Verdict::serve_stale_and_refresh
                   : Verdict::serve_stale;
    case State::expired:
        if (rules.offline) { return Verdict::serve_stale; }
        if (lease == Lease::working) { return Verdict::wait; }
        return lease == Lease::kept && on_error ? Verdict::serve_stale
                                                : Verdict::fetch_expired;
    case State::gone: break;
    }
    return decide_missing(rules, lease);
}

}  // namespace cacheback::core
