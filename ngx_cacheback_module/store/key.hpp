// store/key.hpp: an item's identity on its way through both tiers.
#pragma once

#include <cstdint>
#include <string_view>

namespace cacheback::store {

// `text` is the evaluated cacheback_key; `hash` is seeded per box (see
// ControlZone::seed), so nobody outside can aim at a bucket.
struct Key {
    std::string_view text;
    std::uint64_t hash = 0;
};

// 64-bit hash of a key. Not for Redis: boxes have different seeds.
[[nodiscard]] std::uint64_t seeded_hash(std::uint64_t seed,
                                        std::string_view text) noexcept;

}  // namespace cacheback::store
