// core/jitter.hpp: lifetimes shortened by a part that follows from the key, so
// that what was stored together does not become stale together, and still
// becomes stale at the same time on all boxes (cacheback_jitter).
#pragma once

#include <cstdint>
#include <string_view>

#include "storability.hpp"
#include "time.hpp"

namespace cacheback::core {

inline constexpr unsigned max_jitter = 100;  // per cent

// Spread evenly over 0 to 2^32 - 1; no seed, so it is the same everywhere.
[[nodiscard]] std::uint32_t key_hash(std::string_view key) noexcept;

// What `percent` takes from a lifetime: from nothing up to, and never quite,
// that share of it.
[[nodiscard]] Millis jitter_of(Millis lifetime, std::string_view key,
                               unsigned percent) noexcept;

// Takes it from fresh_for. What follows freshness begins earlier then and ends
// when it would have ended anyway: nothing is used longer than the response
// lets it be.
void apply_jitter(Windows& windows, std::string_view key,
                  unsigned percent) noexcept;

}  // namespace cacheback::core
