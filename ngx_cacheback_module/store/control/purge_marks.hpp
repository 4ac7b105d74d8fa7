// store/control/purge_marks.hpp: which tags were purged when, in a flat region
// of memory. A purge of a tag touches no entry: it is a mark, and who finds an
// entry looks whether its tags were marked since its fetch began.
//
// Times are the numbers of purges, PurgeNumber. Bounded: sets of sixteen marks;
// where there is no room the lowest goes and raises the floor, below which
// nothing is known. Pure, and without links: a process that dies in set()
// leaves a free place at worst. The caller holds a lock for every call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../../core/time.hpp"

namespace cacheback::store {

// The upper bits are what Redis counts on for the whole store, mostly the
// millisecond of the purge; the lower ones what a box counts on alone as long
// as it has not heard from Redis.
class PurgeNumber {
  public:
    static constexpr unsigned local_bits = 22;

    // 0: before all.
    constexpr PurgeNumber(std::uint64_t value = 0) noexcept : value_(value) {}
    static constexpr PurgeNumber of_store(core::Millis number) noexcept {
        return {static_cast<std::uint64_t>(number) << local_bits};
    }
    [[nodiscard]] constexpr core::Millis in_store() const noexcept {
        return static_cast<core::Millis>(value_ >> local_bits);
    }
    [[nodiscard]] constexpr std::uint64_t value() const noexcept {
        return value_;
    }
    // When that was, by the clock that says `now`. Those of the store may be
    // ahead of it; one that only this box counted has no time of its own, and
    // what it ends is found out now.
    [[nodiscard]] constexpr core::Millis time(core::Millis now) const noexcept {
        const bool counted_here =
            value_ % (std::uint64_t{1} << local_bits) != 0;
        return counted_here || in_store() > now ? now : in_store();
    }
    // The next of this box.
    [[nodiscard]] constexpr PurgeNumber next() const noexcept {
        return {value_ + 1};
    }
    constexpr bool operator<(PurgeNumber other) const noexcept {
        return value_ < other.value_;
    }

  private:
    std::uint64_t value_;
};

// What becomes of the entries that have the tag.
enum class PurgeKind : unsigned char {
    stale,  // they are served while they are fetched again
    gone,
};

// What stands for a tag; not 0.
using TagId = std::uint64_t;

// What purges have made of an entry.
struct PurgeVerdict {
    enum class Standing : unsigned char { good, stale, gone, unknown };
    Standing standing = Standing::good;
    core::Millis since = 0;  // stale: when it became so
};

class PurgeMarks {
  public:
    static constexpr std::size_t ways = 16;

    // A region of zeros, aligned to 64 bytes, as large as size_for(capacity);
    // `capacity` is a power of two, 16 or more.
    PurgeMarks(void* region, std::size_t capacity) noexcept;
    [[nodiscard]] static constexpr std::size_t size_for(
        std::size_t capacity) noexcept {
        return sizeof(Header) + capacity * sizeof(Mark);
    }

    // Marks only go up.
    void set(TagId tag, PurgeKind kind, PurgeNumber number) noexcept;
    void raise_floor(PurgeNumber number) noexcept;
    // The last one of the tag, as far as is known.
    [[nodiscard]] PurgeNumber find(TagId tag, PurgeKind kind) const noexcept;
    [[nodiscard]] PurgeNumber floor() const noexcept;
    // Of an entry with these tags whose fetch began at that number.
    [[nodiscard]] PurgeVerdict judge(const std::vector<TagId>& tags,
                                     PurgeNumber began,
                                     core::Millis now) const noexcept;

  private:
    struct alignas(64) Header {
        std::uint64_t floor;
    };
    struct Mark {
        std::uint64_t tag;     // its lowest bit tells which purge
        std::uint64_t number;  // 0: the place is free
    };

    [[nodiscard]] Mark* set_of(std::uint64_t tag) const noexcept;

    Header* header_;
    Mark* marks_;
    std::size_t sets_;
};

}  // namespace cacheback::store
