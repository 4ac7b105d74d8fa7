// store/memory/memory_tier.hpp: the shared-memory tier of one store: EntryTable
// shards in nginx zones, seen by all workers of this box, kept over reloads.
#pragma once

#include "../../core/entry.hpp"
#include "../../core/vary.hpp"
#include "../../ngx/ngx.hpp"
#include "../../ngx/shared_zone.hpp"
#include "../control/key.hpp"
#include "../control/purge_marks.hpp"
#include "bytes.hpp"
#include "entry_table.hpp"

namespace cacheback::store {

class MemoryTier {
  public:
    static constexpr std::size_t min_size = 256 * 1024;

    // At configuration: adds the zones; `size` 0 turns the tier off.
    // NGX_CONF_OK or an error text as a directive's setter returns it.
    char* configure(ngx_conf_t* cf, const ngx_str_t& store_name,
                    std::size_t size, std::size_t max_entry, void* tag);

    struct Copy {
        std::string_view bytes;
        core::Millis as_of;  // when it was known to be right, see clock()
    };
    // On what an item varies whose wanted variant is not held.
    struct Others {
        bool any = false;        // there are other entries of the item
        std::uint32_t hash = 0;  // Variety::names
        std::size_t size = 0;
        char names[core::max_vary_names];
    };
    // Copies the whole entry into `pool`; nothing when it is not held: then
    // `others` is filled in. Entries above 16 KB are copied outside the lock,
    // under a pin.
    [[nodiscard]] std::optional<Copy> get(const Key& key, const Variety& wanted,
                                          Others& others, ngx_pool_t& pool);
    // Of an item that does not vary; the second into somebody's buffer, nothing
    // either when it does not fit.
    [[nodiscard]] std::optional<Copy> get(const Key& key, ngx_pool_t& pool);
    [[nodiscard]] std::optional<Copy> get(const Key& key, char* to,
                                          std::size_t room);
    Inserted put(const Key& key, const Pieces& entry, const Variety& variety,
                 core::Millis as_of);
    // Purges until then have made this of the entry of which that was read, and
    // which is right `as_of` then.
    void settle_tags(const Key& key, const Variety& variety,
                     const core::EntryMeta& read, const PurgeVerdict& verdict,
                     PurgeNumber until, core::Millis as_of);
    // The entry that it holds is right.
    void confirm(const Key& key, const Variety& variety, core::Millis as_of);
    // Any variant.
    [[nodiscard]] bool holds(const Key& key);
    // All variants; or one, and those of other names, see EntryTable.
    bool remove(const Key& key);
    bool remove(const Key& key, const Variety& variety);
    bool remove_variant(const Key& key, std::uint64_t digest);
    // Those that were not put or confirmed since; one, or all (null).
    void remove_older(const Key& key, const Variety* variety,
                      core::Millis as_of);
    // Makes all variants stale; false when it holds none.
    bool invalidate(const Key& key, core::Millis now);
    // When this entry was stored; nothing when it is not held.
    [[nodiscard]] std::optional<core::Millis> stored(const Key& key,
                                                     const Variety& variety);

    // Goes forward only, and is the same for all workers.
    [[nodiscard]] static core::Millis clock() noexcept {
        return static_cast<core::Millis>(ngx_current_msec);
    }

    [[nodiscard]] bool enabled() const noexcept { return shard_count_ != 0; }
    [[nodiscard]] EntryTable::Figures figures();

    // Counts each change and removal of items that share it, `key`'s among
    // them, whoever makes it. A copy of the item is still what is held as long
    // as this is what it was before the copy was made. Lock-free.
    [[nodiscard]] const std::uint32_t& changes(const Key& key) noexcept;

    // Drops what dead processes of this box held (pins).
    void sweep();

  private:
    static constexpr std::size_t shard_size = 8 * 1024 * 1024;
    static constexpr unsigned max_shards = 8;
    static constexpr std::size_t copy_limit = 16 * 1024;
    static constexpr unsigned hint_count = 256;

    struct Pin;
    struct Pins;
    struct Changes;
    class Access;

    struct Shard {
        ngx::SharedZone zone;
        ngx_str_t name;
        Pins* pins = nullptr;
        Changes* changes = nullptr;
        std::optional<EntryTable> table;
    };

    static void note_change(Shard& shard, const Key& key) noexcept;

    // How large an entry was when this worker last read it: so that memory can
    // be had from the pool before the lock is taken.
    struct Hint {
        std::uint32_t tag;
        std::uint32_t size;
    };

    static void attach(void* shard, void* region, std::size_t size, bool fresh);
    [[nodiscard]] Shard& shard_of(const Key& key) noexcept;
    static bool copy_pinned(Shard& shard, Pin& pin, std::uint32_t generation,
                            void* to, std::size_t size);

    unsigned shard_count_ = 0;
    std::size_t max_entry_ = 0;
    Shard shards_[max_shards];
    Hint hints_[hint_count] = {};
};

}  // namespace cacheback::store
