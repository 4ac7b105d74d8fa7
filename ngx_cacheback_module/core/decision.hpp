// core/decision.hpp: what to do with one request, given what the cache holds.
// Pure: no clock, no I/O. Each rule is one test in decision_test.cpp.
#pragma once

#include "entry.hpp"
#include "time.hpp"

namespace cacheback::core {

// How an entry stands at one moment.
enum class State : unsigned char {
    gone,  // past its ttl or all its windows, or from the future
    fresh,
    stale,    // may be served while it is refreshed
    expired,  // too stale, or stale and forbidden: ask while the client waits
};

// An item from more than 60 s in the future is gone; negative ages count as 0.
// The item is gone at stored + min(windows.ttl, ttl), or sooner when its own
// windows end: fresh_for + max(stale_for, error_for); a stale_forbidden entry
// stays for revalidation until its ttl.
[[nodiscard]] State state_of(const EntryMeta& entry, Millis ttl,
                             Millis now) noexcept;

// Seconds for the Age field: initial age plus time in store (RFC 9111 4.2.3).
[[nodiscard]] Seconds age_of(const EntryMeta& entry, Millis now) noexcept;

// Milliseconds until it is stale; negative when it is.
[[nodiscard]] Millis fresh_left(const EntryMeta& entry, Millis now) noexcept;

enum class Lease : unsigned char { free, taken };

enum class Verdict : unsigned char {
    fetch,                    // MISS: nothing usable is held
    serve_fresh,              // HIT
    serve_stale_and_refresh,  // STALE: the lease is ours
    serve_stale,              // UPDATING: somebody refreshes, or failed lately
    fetch_expired,            // EXPIRED or REVALIDATED: the client waits
};

[[nodiscard]] Verdict decide(State state, Lease lease) noexcept;

}  // namespace cacheback::core
