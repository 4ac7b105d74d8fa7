// store/control/key.hpp: an item's identity on its way through both tiers.
#pragma once

#include <cstdint>
#include <string_view>

namespace cacheback::store {

// `text` is the evaluated cacheback_key; `hash` is seeded per box (see
// ControlZone::seed), so nobody outside can aim at a bucket.
struct Key {
    std::string_view text;
    std::uint64_t hash = 0;
    // Which variant of the item is meant, where that is known: its name
    // (TextDigest of the section), and the hash of both, seeded likewise.
    std::string_view variant = {};
    std::uint64_t variant_hash = 0;

    // What leases and marks are found by.
    [[nodiscard]] std::uint64_t lease() const noexcept {
        return variant.empty() ? hash : variant_hash;
    }
    // The same for all variants.
    [[nodiscard]] Key item() const noexcept { return {text, hash, {}, 0}; }
};

// What tells an entry from others of its key. Items that do not vary have one
// entry, and this.
struct Variety {
    std::uint32_t names = 0;   // hash of the names of the fields; 0: none
    std::uint64_t values = 0;  // of what the request said there
    std::uint64_t digest = 0;  // number_of() its name, the same on all boxes

    [[nodiscard]] bool same(const Variety& other) const noexcept {
        return names == other.names && values == other.values;
    }
};

// 64-bit hash of a key. Not for Redis: boxes have different seeds.
[[nodiscard]] std::uint64_t seeded_hash(std::uint64_t seed,
                                        std::string_view text) noexcept;

}  // namespace cacheback::store
