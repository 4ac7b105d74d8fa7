// store/control/use_table.hpp: how often items that are not stored were asked
// for lately, in a flat region of memory (cacheback_min_uses). Pure, and
// without locks: a slot is one word, so a process that dies leaves nothing half
// done.
//
// Bounded: sets of eight slots; a new item takes the place of the one that was
// asked for least, and longest ago. A count is forgotten `memory` after its
// last use. Two processes that count one item at the same moment may count it
// once: the item is stored one request later.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../core/time.hpp"

namespace cacheback::store {

class UseTable {
  public:
    static constexpr unsigned ways = 8;
    static constexpr unsigned most = 0xffff;  // counts end there
    static constexpr core::Millis memory = 600 * core::second;

    // A region of zeros, aligned to 64 bytes, as large as size_for(capacity);
    // `capacity` is a power of two, 8 or more.
    UseTable(void* region, std::size_t capacity) noexcept;
    [[nodiscard]] static constexpr std::size_t size_for(
        std::size_t capacity) noexcept {
        return capacity * sizeof(std::uint64_t);
    }

    // Counts one more use; returns how many there have been with this one.
    // `now` is of any clock that all processes share.
    unsigned count(std::uint64_t hash, core::Millis now) noexcept;

  private:
    std::uint64_t* slots_;
    std::size_t sets_;
};

}  // namespace cacheback::store
