// store/control/use_table.cpp: a slot is, from above: 32 bits of the hash, 16
// bits of the time of its last use, 16 bits of count (0: the slot is free).
#include "use_table.hpp"

#include <algorithm>

namespace cacheback::store {

namespace {

// The clock of the slots wraps after 36 hours, many times what is remembered.
constexpr core::Millis tick = 2 * core::second;
constexpr unsigned clock_mask = 0xffff;

struct Slot {
    std::uint32_t tag;
    unsigned used;
    unsigned count;
};

Slot unpack(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32),
            static_cast<unsigned>(word >> 16) & clock_mask,
            static_cast<unsigned>(word) & UseTable::most};
}

std::uint64_t pack(const Slot& slot) noexcept {
    return std::uint64_t{slot.tag} << 32 | std::uint64_t{slot.used} << 16 |
           slot.count;
}

unsigned ticks_since(const Slot& slot, unsigned clock) noexcept {
    return (clock - slot.used) & clock_mask;
}

bool is_forgotten(const Slot& slot, unsigned clock) noexcept {
    return slot.count == 0 ||
           ticks_since(slot, clock) > UseTable::memory / tick;
}

// Which of two gives way first.
bool is_less_used(const Slot& a, const Slot& b, unsigned clock) noexcept {
    const unsigned count_a = is_forgotten(a, clock) ? 0 : a.count;
    const unsigned count_b = is_forgotten(b, clock) ? 0 : b.count;
    if (count_a != count_b) { return count_a < count_b; }
    return ticks_since(a, clock) > ticks_since(b, clock);
}

}  // namespace

UseTable::UseTable(void* region, std::size_t capacity) noexcept
    : slots_(static_cast<std::uint64_t*>(region)), sets_(capacity / ways) {}

unsigned UseTable::count(std::uint64_t hash, core::Millis now) noexcept {
    // The set is chosen by other bits than the tag consists of.
    std::uint64_t* set = slots_ + (hash & (sets_ - 1)) * ways;
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    const unsigned clock = static_cast<unsigned>(now / tick) & clock_mask;

    std::uint64_t* chosen = set;
    std::uint64_t before = __atomic_load_n(set, __ATOMIC_RELAXED);
    for (std::uint64_t* each = set; each != set + ways; each++) {
        const std::uint64_t word = __atomic_load_n(each, __ATOMIC_RELAXED);
        const Slot slot = unpack(word);
        const bool is_it = slot.count != 0 && slot.tag == tag;
        if (is_it || is_less_used(slot, unpack(before), clock)) {
            chosen = each;
            before = word;
        }
        if (is_it) { break; }
    }

    const Slot found = unpack(before);
    const bool goes_on = found.tag == tag && !is_forgotten(found, clock);
    const unsigned count = goes_on ? std::min(found.count + 1, most) : 1;
    __atomic_compare_exchange_n(chosen, &before, pack({tag, clock, count}),
                                false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return count;
}

}  // namespace cacheback::store
