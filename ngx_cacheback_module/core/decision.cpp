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

State state_of(const EntryMeta& entry, Millis ttl, Millis now) noexcept {
    if (entry.stored - now > future_allowed) { return State::gone; }

    const Windows& windows = entry.windows;
    const Millis age = resident(entry, now);
    if (age >= std::min(windows.ttl, ttl)) { return State::gone; }
    if (age < windows.fresh_for) { return State::fresh; }
    if (windows.stale_forbidden) { return State::expired; }

    const Millis stale = age - windows.fresh_for;
    if (stale < windows.stale_for) { return State::stale; }
    return stale < windows.error_for ? State::expired : State::gone;
}

Seconds age_of(const EntryMeta& entry, Millis now) noexcept {
    const Seconds age =
        entry.windows.initial_age + resident(entry, now) / second;
    return std::min(age, max_seconds);
}

Millis fresh_left(const EntryMeta& entry, Millis now) noexcept {
    return entry.windows.fresh_for - resident(entry, now);
}

Verdict decide(State state, Lease lease) noexcept {
    switch (state) {
    case State::fresh: return Verdict::serve_fresh;
    case State::stale:
        return lease == Lease::free ? Verdict::serve_stale_and_refresh
                                    : Verdict::serve_stale;
    case State::expired: return Verdict::fetch_expired;
    case State::gone: break;
    }
    return Verdict::fetch;
}

}  // namespace cacheback::core
