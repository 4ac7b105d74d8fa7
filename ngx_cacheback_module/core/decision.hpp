// core/decision.hpp: what to do with one request, given what the cache holds.
// Pure: no clock, no I/O. Each rule is one test in decision_test.cpp.
#pragma once

#include <optional>

#include "entry.hpp"
#include "request_directives.hpp"
#include "time.hpp"

namespace cacheback::core {

// How an entry stands at one moment.
enum class State : unsigned char {
    gone,  // past its ttl or all its windows, or from the future
    fresh,
    stale,    // may be served while it is refreshed
    expired,  // too stale, or stale and forbidden: ask while the client waits
};

// What a location asks for, all variables evaluated.
struct Rules {
    Millis ttl = 0;
    std::optional<Millis> threshold;  // an older item is too stale to serve
    bool fetch_on_miss = true;
    bool offline = false;  // serve whatever there is, ask nobody
};

// An item from more than 60 s in the future is gone; negative ages count as 0.
// The item is gone at stored + min(windows.ttl, ttl), or sooner when its own
// windows end: fresh_for + max(stale_for, error_for); a stale_forbidden entry,
// and any of policy rfc9111, stays for revalidation until its ttl.
[[nodiscard]] State state_of(const EntryMeta& entry, const Rules& rules,
                             Millis now) noexcept;

// The same for who asks for more, or for less, than a fresh item (RFC 9111
// 5.2.1). no-cache, max-age and min-fresh make it `expired` (an immutable item
// is not asked for again while it is fresh, whatever max-age says: RFC 8246);
// max-stale makes it `stale`, within the threshold, where that is not
// forbidden.
[[nodiscard]] State state_as_asked(const EntryMeta& entry, const Rules& rules,
                                   const RequestDirectives& asks,
                                   Millis now) noexcept;

[[nodiscard]] inline State state_for(const EntryMeta& entry, const Rules& rules,
                                     const RequestDirectives& asks,
                                     Millis now) noexcept {
    return asks.any ? state_as_asked(entry, rules, asks, now)
                    : state_of(entry, rules, now);
}

// It is fresh, and yet not fresh enough for who asks: what RFC 9211 2.2 calls a
// request that was forwarded for its own sake.
[[nodiscard]] inline bool is_fresh_for_others(const EntryMeta& entry,
                                              const Rules& rules,
                                              const RequestDirectives& asks,
                                              Millis now) noexcept {
    return asks.any && state_of(entry, rules, now) == State::fresh &&
           state_as_asked(entry, rules, asks, now) != State::fresh;
}

// Whether it may take the place of an answer that the origin failed to give
// (RFC 5861 4): not when its staleness is forbidden, nor for who wants what the
// origin says now.
[[nodiscard]] bool serves_on_error(const EntryMeta& entry,
                                   const RequestDirectives& asks,
                                   Millis now) noexcept;

// Who waited for a fetch may have what it has brought. In policy rfc9111 only
// as long as it is fresh: no other response stands for several requests
// (RFC 9111 4).
[[nodiscard]] bool serves_waiters(const EntryMeta& entry,
                                  const RequestDirectives& asks,
                                  Millis now) noexcept;

// No answer for this item does for others (likewise): to wait for one would
// only put them in a row.
[[nodiscard]] bool is_for_one_only(const EntryMeta& entry) noexcept;

// The answers that count as failures then.
[[nodiscard]] constexpr bool is_origin_failure(unsigned status) noexcept {
    return status == 500 || (status >= 502 && status <= 504);
}

// Seconds for the Age field: initial age plus time in store (RFC 9111 4.2.3).
[[nodiscard]] Seconds age_of(const EntryMeta& entry, Millis now) noexcept;

// Milliseconds until it is stale; negative when it is.
[[nodiscard]] Millis fresh_left(const EntryMeta& entry, Millis now) noexcept;

// The same in whole seconds; a remainder counts towards staleness.
[[nodiscard]] Seconds ttl_of(const EntryMeta& entry, Millis now) noexcept;

enum class Lease : unsigned char {
    ours,
    working,  // somebody fetches the item
    kept,     // nobody does: a failure keeps others from trying
};

enum class Verdict : unsigned char {
    fetch,                    // MISS: nothing usable is held
    fill_and_serve_empty,     // EMPTY: the background gets it
    serve_empty,              // EMPTY
    serve_fresh,              // HIT
    serve_stale_and_refresh,  // STALE: the lease is ours
    serve_stale,              // UPDATING: somebody refreshes, or failed lately
    fetch_expired,            // EXPIRED or REVALIDATED: the client waits
    wait,                     // for what somebody else fetches
};

// The rows of the decision table; `on_error` is serves_on_error().
[[nodiscard]] Verdict decide(State state, const Rules& rules, Lease lease,
                             bool on_error) noexcept;

}  // namespace cacheback::core
