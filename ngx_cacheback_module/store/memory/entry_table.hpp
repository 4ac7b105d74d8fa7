// store/memory/entry_table.hpp: a hash table of entries in one flat region of
// memory, made of small segments in chains (SegmentPool), so that it never
// fragments.
//
// Pure: no nginx, no locks, no pointers inside the region (offsets only). The
// caller holds the lock of the region for every call; nothing here logs,
// allocates or blocks. One region is one shard of the memory tier. A link that
// leads out of the region is never followed: it marks the table as damaged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../../core/time.hpp"
#include "../control/key.hpp"
#include "bytes.hpp"
#include "segment_pool.hpp"

namespace cacheback::store {

enum class Inserted : unsigned char { yes, busy, too_large };

class EntryTable {
  public:
    // Where an entry stands; valid while the lock is held, or while pinned.
    using Node = std::uint32_t;
    static constexpr Node none = 0;

    // Whoever changes what is kept in a region counts this up: it is part of
    // the zones' names, so that no module meets another one's layout.
    static constexpr unsigned layout_version = 3;
    static constexpr std::size_t min_size = 64 * 1024;
    static constexpr unsigned max_evictions = 8;  // for one insert

    // Lays out an empty table in `size` bytes at `region`, which is aligned to
    // 8 bytes. Not for less than min_size.
    static void format(void* region, std::size_t size) noexcept;
    explicit EntryTable(void* region) noexcept;  // of a region laid out before

    // First call under the lock: marks the region as being changed by `pid`
    // until settle(). Whoever finds a mark left by somebody else, or a damaged
    // link, empties the table, since its links cannot be trusted: then true,
    // and all pins are gone.
    bool recover(std::uint32_t pid) noexcept;
    void settle() noexcept;  // last call under the lock
    // Empties the table: pins are gone, see generation().
    void empty() noexcept;
    // Counts how often the table was emptied. Bytes read under a pin outside
    // of the lock are good if this is still the same afterwards.
    [[nodiscard]] std::uint32_t generation() const noexcept;

    // An entry holds its own key, right after the prologue.
    [[nodiscard]] Node find(const Key& key,
                            const Variety& wanted = {}) const noexcept;
    // The one of that key which was stored last, whatever its variety; on what
    // it varies, the item does.
    [[nodiscard]] Node newest(const Key& key) const noexcept;
    [[nodiscard]] std::uint32_t names_of(Node node) const noexcept;
    // The names themselves, as core::vary_names() has them. Their size, 0 when
    // there are none or `room` is too small.
    [[nodiscard]] std::size_t read_names(Node node, char* to,
                                         std::size_t room) const noexcept;
    // A hint to the processor that find() and read() come next, so that it
    // fetches what they look at all at once. May be called without the lock.
    void prefetch(const Key& key) const noexcept;
    [[nodiscard]] std::size_t size_of(Node node) const noexcept;

    // When it was inserted, or confirmed last.
    [[nodiscard]] core::Millis as_of(Node node) const noexcept;
    void confirm(Node node, core::Millis now) noexcept;

    // Copies `count` bytes from `offset` of the entry's bytes to `to`. False
    // when the entry has not so many.
    bool read(Node node, std::size_t offset, void* to,
              std::size_t count) const noexcept;
    // Overwrites bytes within an entry (a renewed prologue). Who copies it
    // under a pin may see half of that.
    bool write(Node node, std::size_t offset, std::string_view bytes) noexcept;
    // Makes the entries of `key` stale (core::invalidation): true when there
    // are any.
    bool invalidate(const Key& key, core::Millis now) noexcept;
    // The entry was used. Writes at most once a second for one entry. `now` is
    // of any clock, as long as it is the same in all calls.
    void touch(Node node, core::Millis now) noexcept;

    // Replaces the entry of `key` that is of this variety; those of the key
    // that vary on other names go, and beyond core::max_variants the one of
    // them that was never read again, and longest ago. Evicts at most 8 others,
    // least recently used first, pinned ones never; else the answer is `busy`
    // and the old entry (now outdated) is gone as well. pieces[0] is the head.
    Inserted insert(const Key& key, const Pieces& pieces, core::Millis now,
                    const Variety& variety = {}) noexcept;
    // All of the key.
    bool remove(const Key& key) noexcept;
    // Those with this digest, and those that vary on other names.
    bool remove(const Key& key, const Variety& variety) noexcept;
    bool remove_variant(const Key& key, std::uint64_t digest) noexcept;
    // Those that were known to be right before `as_of` only; one, or all
    // (null).
    void remove_older(const Key& key, const Variety* variety,
                      core::Millis as_of) noexcept;
    [[nodiscard]] std::size_t max_entry() const noexcept;  // a quarter of it

    // A pinned node is neither evicted nor reused; a removed one is freed when
    // its last pin goes.
    void pin(Node node) noexcept;
    void unpin(Node node) noexcept;

    struct Figures {
        // bytes_used counts whole segments.
        std::uint64_t entries, bytes_used, bytes_total, evictions, busy, resets;
    };
    [[nodiscard]] Figures figures() const noexcept;

    // Walks everything; what is wrong, null when nothing is. Only tests call
    // it, so it is defined in entry_table_test.cpp.
    [[nodiscard]] const char* check() const;

  private:
    // New entries are on probation; one that was read again is protected, so
    // that a flood of keys nobody asks for twice evicts only its own like.
    enum Queue : std::uint8_t { probation, protection, condemned };
    struct Ends {
        std::uint32_t newest;
        std::uint32_t oldest;
        std::uint32_t units;
    };
    struct Header;
    struct Head;
    struct Layout;

    [[nodiscard]] Head* head(Node node) const noexcept;
    [[nodiscard]] Head* sound_head(Node node) const noexcept;
    [[nodiscard]] std::uint32_t* bucket(std::uint64_t hash) const noexcept;
    // Calls `each(node, head)` for all of the key.
    template <class Each>
    void for_each(const Key& key, Each each) const noexcept;
    [[nodiscard]] bool is_of(Node node, const Head& entry,
                             const Key& key) const noexcept;
    [[nodiscard]] Queue make_way(const Key& key,
                                 const Variety& variety) noexcept;
    template <class Use>
    bool walk(Node node, std::size_t offset, std::size_t count,
              Use use) const noexcept;
    [[nodiscard]] bool has_key(Node node, std::string_view key) const noexcept;
    void attach(Node node, Head& entry, Queue queue) noexcept;
    void detach(Head& entry) noexcept;
    void unlink(Node node, const Head& entry) noexcept;
    void drop(Node node, Head& entry) noexcept;
    bool evict() noexcept;
    void shrink_protection() noexcept;
    bool make_room(std::uint32_t units) noexcept;
    void clear() noexcept;

    Header* header_;
    std::uint32_t* buckets_;
    std::uint32_t bucket_mask_;
    SegmentPool segments_;
};

}  // namespace cacheback::store
