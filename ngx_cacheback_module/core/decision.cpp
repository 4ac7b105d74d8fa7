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
    const bool too_old = rules.threshold && age > *rules.threshold;
    if (stale < windows.stale_for) {
        return too_old ? State::expired : State::stale;
    }
    return stale < windows.error_for ? State::expired : State::gone;
}

bool serves_on_error(const EntryMeta& entry, Millis now) noexcept {
    const Windows& windows = entry.windows;
    const Millis stale = resident(entry, now) - windows.fresh_for;
    return !windows.stale_forbidden && stale < windows.error_for;
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
