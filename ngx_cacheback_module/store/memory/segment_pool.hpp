// store/memory/segment_pool.hpp: memory for entries in units of 256 bytes,
// handed out as chains of runs, so that any free units fit and nothing ever
// fragments.
//
// Thirty-two units are a page; a run is a piece of one page. Whole pages are
// preferred for what is large, the fullest page that fits for what is small.
// Pure, without locks, offsets only; part of EntryTable's region.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cacheback::store {

class SegmentPool {
  public:
    using Unit = std::uint32_t;  // 0 is none: pages count from 1
    static constexpr std::size_t unit_size = 256;
    static constexpr std::uint32_t page_units = 32;
    static constexpr std::size_t page_size = unit_size * page_units;
    static constexpr std::uint32_t max_pages = (1U << 22U) - 2;  // 32 GB

    // What is kept in the region: one State, `pages + 1` of Page, a link for
    // each unit of those, and the pages themselves.
    struct State {
        std::uint64_t occupied;  // bit n: lists[n] is not empty
        std::uint32_t free_units;
        std::uint32_t damaged;  // a link led nowhere: trust nothing
        std::uint32_t lists[page_units + 1];  // pages by number of free units
        std::uint32_t reserved;
    };
    struct Page {
        std::uint32_t previous;
        std::uint32_t next;
        std::uint32_t used;  // a bit for each unit
        std::uint32_t free;
    };
    // Where these are; filled in by whoever lays out the region.
    struct Place {
        State* state;
        Page* pages;
        std::uint32_t* links;
        char* data;
        std::uint32_t page_count;
    };

    explicit SegmentPool(const Place& place) noexcept : at_(place) {}

    void clear() noexcept;

    [[nodiscard]] std::uint32_t free_units() const noexcept {
        return at_.state->free_units;
    }
    [[nodiscard]] std::uint32_t all_units() const noexcept {
        return at_.page_count * page_units;
    }
    [[nodiscard]] static constexpr std::uint64_t units_for(
        std::uint64_t bytes) noexcept {
        return (bytes + unit_size - 1) / unit_size;
    }

    // A chain of `units`; 0 when there are not as many free ones.
    Unit take(std::uint32_t units) noexcept;
    void give(Unit first) noexcept;

    // The run that begins at `first`; no bytes when that is no unit of ours.
    struct Run {
        char* bytes = nullptr;
        std::size_t size = 0;
        Unit next = 0;
    };
    [[nodiscard]] Run run(Unit first) const noexcept {
        if (!valid(first)) {
            damage();
            return {};
        }
        const std::uint32_t link = at_.links[first];
        const std::uint32_t units = (link & length_mask) + 1;
        if (first % page_units + units > page_units) {
            damage();
            return {};
        }
        return {address(first), units * unit_size, link >> length_bits};
    }

    // See EntryTable::prefetch().
    void prefetch(Unit first) const noexcept {
        if (valid(first)) { __builtin_prefetch(&at_.links[first]); }
    }

    // The bytes of one unit; null when it is no unit of ours.
    [[nodiscard]] char* unit(Unit unit) const noexcept {
        return valid(unit) ? address(unit) : nullptr;
    }

    [[nodiscard]] bool damaged() const noexcept {
        return at_.state->damaged != 0;
    }
    void damage() const noexcept { at_.state->damaged = 1; }

    // For tests: what is wrong with lists and counts, null when nothing is.
    // Whether each used unit has an owner is for the owner to say.
    [[nodiscard]] const char* check() const;
    [[nodiscard]] bool is_used(Unit unit) const noexcept {
        return valid(unit) &&
               (at_.pages[unit / page_units].used >> unit % page_units & 1U);
    }

  private:
    static constexpr std::uint32_t length_bits = 5;
    static constexpr std::uint32_t length_mask = page_units - 1;

    [[nodiscard]] bool valid(Unit unit) const noexcept {
        return unit / page_units - 1 < at_.page_count;
    }
    [[nodiscard]] char* address(Unit unit) const noexcept {
        return at_.data + (unit - page_units) * unit_size;
    }
    [[nodiscard]] std::uint32_t pick(std::uint32_t units) const noexcept;
    void enlist(std::uint32_t page) noexcept;
    void delist(std::uint32_t page) noexcept;

    Place at_;
};

}  // namespace cacheback::store
