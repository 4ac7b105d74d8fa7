#include "jitter.hpp"

#include "crc32c.hpp"

namespace cacheback::core {

// Checksums of similar keys differ in few bits; each of these steps can be
// undone, so different checksums stay different, and all bits count.
std::uint32_t key_hash(std::string_view key) noexcept {
    std::uint32_t hash = crc32c(0, key);
    hash = (hash ^ hash >> 16) * 0x85ebca6bU;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
    return hash ^ hash >> 16;
}

Millis jitter_of(Millis lifetime, std::string_view key,
                 unsigned percent) noexcept {
    // 2^41 at most, times 2^20: no more than 63 bits.
    const Millis most = lifetime * percent / 100;
    return most * (key_hash(key) >> 12) >> 20;
}

void apply_jitter(Windows& windows, std::string_view key,
                  unsigned percent) noexcept {
    if (percent == 0) { return; }
    const Millis cut = jitter_of(windows.fresh_for, key, percent);
    windows.fresh_for -= cut;
    if (windows.stale_forbidden) { return; }
    windows.stale_for += cut;
    windows.error_for += cut;
}

}  // namespace cacheback::core
