// store/memory/entry_layout.hpp: what an EntryTable keeps in its region, in
// order:
//
//   Header | buckets | pages and links of SegmentPool | segments
//
// An entry is a chain of segments; Head, then the entry's bytes.
#pragma once

#include <algorithm>
#include <type_traits>

#include "entry_table.hpp"

namespace cacheback::store {

struct EntryTable::Header {
    std::uint64_t size;   // of the region
    std::uint32_t dirty;  // pid of who is at work
    std::uint32_t generation;
    std::uint64_t entries;
    std::uint64_t evictions;
    std::uint64_t busy;
    std::uint64_t resets;
    Ends queues[3];
    std::uint32_t wanted;  // units that lately were not to be had
    SegmentPool::State segments;
};

struct EntryTable::Head {
    std::uint64_t hash;
    core::Millis as_of;    // when it was known to be right
    std::uint64_t values;  // of its Variety, and so are the other two
    std::uint64_t digest;
    std::uint32_t names;
    std::uint32_t chain;  // next of the same bucket
    std::uint32_t newer;
    std::uint32_t older;
    std::uint32_t size;
    std::uint32_t key_size;
    std::uint32_t touched;  // seconds
    std::uint32_t pins;
    std::uint8_t queue;
    std::uint8_t reserved[3];

    [[nodiscard]] std::uint32_t units() const noexcept {
        return static_cast<std::uint32_t>(
            SegmentPool::units_for(sizeof(Head) + std::uint64_t{size}));
    }
};

// A function of the region's size alone.
struct EntryTable::Layout {
    std::uint32_t page_count = 0;
    std::uint32_t bucket_count = 0;
    std::size_t pages = 0;  // offsets
    std::size_t links = 0;
    std::size_t data = 0;

    explicit Layout(std::size_t size) noexcept {
        const std::size_t most = SegmentPool::max_pages;
        page_count = static_cast<std::uint32_t>(
            std::min(size / SegmentPool::page_size, most));
        while (page_count > 1 && !fits(size)) { page_count--; }
    }

    static constexpr std::size_t buckets = (sizeof(Header) + 63) / 64 * 64;

  private:
    bool fits(std::size_t size) noexcept {
        bucket_count = 1;  // one for each KB or two
        while (bucket_count <= page_count * 4) { bucket_count *= 2; }
        pages = buckets + bucket_count * sizeof(std::uint32_t);
        links = pages + (page_count + 1) * sizeof(SegmentPool::Page);
        data = links + std::size_t{page_count + 1} * SegmentPool::page_units *
                           sizeof(std::uint32_t);
        data = (data + 63) / 64 * 64;
        return data + page_count * SegmentPool::page_size <= size;
    }
};

}  // namespace cacheback::store
