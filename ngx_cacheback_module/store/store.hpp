// store/store.hpp: one `cacheback_store`: both tiers, the leases and the line
// of background fetches as one thing, for HTTP and Lua alike.
#pragma once

#include "../core/entry.hpp"
#include "../ngx/ngx.hpp"
#include "control/control_zone.hpp"
#include "control/lease.hpp"
#include "fetch_line.hpp"
#include "fleet/redis_tier.hpp"
#include "memory/bytes.hpp"
#include "memory/memory_tier.hpp"
#include "memory/vary_hints.hpp"

namespace cacheback::store {

// What the words inside `cacheback_store NAME { … }` set.
struct Settings {
    ngx_str_t name;
    std::size_t memory = 32 * 1024 * 1024;  // 0: off
    std::size_t max_entry = 1024 * 1024;
    std::size_t memory_max_entry = 0;  // 0: by the presence of Redis
    std::uint32_t refresh_limit = 64;
    std::uint32_t refresh_queue = 1024;
    bool has_redis = false;
    RedisConf redis;
};

// For who wants to know what became of a change in Redis. In his memory; not
// told any more once it is gone, and the change goes on.
class Watch {
  public:
    using Done = void (*)(Watch& self, Written written) noexcept;

    explicit Watch(Done done) noexcept : done_(done) {}
    ~Watch() {
        if (place_ != nullptr) { *place_ = nullptr; }
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

  private:
    friend class Store;
    Done done_;
    Watch** place_ = nullptr;  // where the writing knows it
};

// Lives in the configuration pool; what belongs to a worker is made there on
// first use and freed with the pool or by leave_worker().
class Store {
  public:
    Settings settings;

    // Of this worker, by its name; null when there is none, and outside of
    // workers.
    [[nodiscard]] static Store* find(std::string_view name) noexcept;
    // False before the worker has begun and once it leaves.
    [[nodiscard]] bool in_worker() const noexcept { return in_worker_; }

    // After `settings` is complete: adds the shared zones. NGX_CONF_OK or the
    // text of an error.
    char* configure(ngx_conf_t* cf, void* tag);

    [[nodiscard]] ControlZone& control() noexcept { return control_; }
    [[nodiscard]] MemoryTier& memory() noexcept { return memory_; }
    [[nodiscard]] RedisTier* redis();  // null when the store has none
    [[nodiscard]] FetchLine& line();

    // What the memory tier holds for a request.
    struct Found {
        std::optional<MemoryTier::Copy> copy;  // in the pool
        bool varies = false;  // by what `selector` was asked for last
        bool others = false;  // other variants are held
    };
    // What the request says in the fields of these names (core::vary_section);
    // lasts until it is asked for again.
    struct Selector {
        std::string_view (*section)(void* data, std::string_view names);
        void* data;
    };
    [[nodiscard]] Found find(const Key& key, const Selector& selector,
                             ngx_pool_t& pool);
    // What this worker knows of items that vary.
    [[nodiscard]] VaryHints& vary_hints() noexcept { return vary_hints_; }

    // Puts an entry that came from Redis into the memory tier, unless that
    // holds a newer one, or the item was deleted, marked or stored there since
    // `fence` was read and Redis asked. `asked`: when.
    void replace(const Key& key, std::string_view entry, std::uint32_t fence,
                 core::Millis asked);
    // The same when memory holds none at all of it.
    void promote(const Key& key, std::string_view entry, std::uint32_t fence,
                 core::Millis asked);
    // The entry of this section that memory holds is right.
    void confirm(const Key& key, const core::EntryView& entry,
                 core::Millis asked);
    // Redis does not hold it, or any of the item (an empty section): nor does
    // memory then, but for what came since.
    void remove_older(const Key& key, std::string_view section,
                      core::Millis asked);
    // Whether a copy in memory that was right `as_of` then is to be served only
    // when Redis has nothing else to say: see ControlZone::trusted_since().
    [[nodiscard]] bool in_doubt(core::Millis as_of) const noexcept {
        return settings.has_redis && as_of < control_.trusted_since();
    }

    // A lease on this box, see LeaseTable; for the fleet's, see FleetClaim.
    // Whoever gets one ends it in one of the ways below, on both.
    // `kept`: see ControlZone.
    [[nodiscard]] Lease claim(const Key& key, core::Millis length, Over over,
                              bool& kept);
    void release(const Key& key, Lease lease) noexcept;
    // The answer is not one to store: those who wait go and ask for themselves.
    // `mark`: how long the item is known as uncacheable, 0: it is not.
    void release_to_all(const Key& key, Lease lease, core::Millis mark);
    // A failure: nobody tries again before the lease ends.
    void keep(const Key& key, Lease lease) noexcept;

    // Another box fetches the item, as Redis says, see ControlZone.
    void hand_over(const Key& key, Lease lease);

    // Stores what the holder of the lease has fetched, in both tiers, and
    // releases the lease once others can find it. False when the lease was lost
    // meanwhile (a delete or an invalidation came in between): then nothing is
    // stored. Where only another box knows of that yet, it is taken back.
    // `watch` is told what Redis says, maybe before this returns; never when
    // the store has no Redis or nothing was stored.
    bool commit(const Key& key, Lease lease, const Pieces& entry,
                core::Millis ttl, Watch* watch = nullptr);
    // Takes the item, all its variants, out of the memory tier, and the leases
    // from whoever has them, so that no fetch under way brings it back. True
    // when it was there.
    bool forget(const Key& key);
    // Again when Redis has confirmed its part: somebody may have read the item,
    // or the variant, there meanwhile.
    void drop_copies(const Key& key) noexcept;
    // All of these, in both tiers. `watch` hears what Redis says: `yes`, or
    // `refused` when nothing was there. The other boxes are for the caller to
    // tell.
    bool remove(const Key& any, Watch* watch);
    // Makes the item stale in both tiers, likewise; with a `watch` the other
    // boxes are for the caller to tell. True when it was in memory.
    bool invalidate(const Key& any, core::Millis now, Fetches fetches,
                    Watch* watch = nullptr);

    // The same for "it is gone": removes the item from both tiers, or the
    // variant where the key names one.
    bool commit_removal(const Key& key, Lease lease);

    // What purges of tags have made of this entry. That of the memory tier is
    // as good as the copy itself (in_doubt()); of one that Redis has just
    // brought nothing is known where the feed is behind.
    enum class From : unsigned char { memory, redis };
    [[nodiscard]] PurgeVerdict judge_tags(const core::EntryView& entry,
                                          From from);
    // Where that is unknown: as RedisPurges::judge().
    [[nodiscard]] bool ask_about_tags(const core::EntryView& entry,
                                      RedisJudged done, void* data,
                                      RedisTicket& ticket, core::Millis spent);
    // Purges until then have made that of it, which is right `as_of` then.
    void settle_tags(const Key& key, const core::EntryView& entry,
                     const PurgeVerdict& verdict, PurgeNumber until,
                     core::Millis as_of);
    // All entries that have one of these tags, whatever they are called.
    void purge_tags(const std::vector<std::string>& tags, PurgeKind kind);

    void enter_worker();
    void leave_worker();

  private:
    struct Writing;  // what follows when Redis has answered a store

    void give_back(const Key& key, Lease lease) noexcept;
    Writing* begin_writing(const Key& key, Lease lease, bool held,
                           Watch* watch);
    static void on_change(void* self, const redis::Change& change);
    void on_tags_purged(const redis::Change& change);

    [[nodiscard]] std::size_t memory_limit() const noexcept;
    // False: the lease was lost before or meanwhile.
    bool put_in_memory(const Key& key, LeaseToken token, const Pieces& entry,
                       const Variety& variety, bool& held);

    // As of when a copy is right that was stored or read then: one with tags
    // may have been purged long before, where this box does not hear of that.
    [[nodiscard]] core::Millis known_right(const core::EntryView& entry,
                                           core::Millis as_of) const noexcept;
    [[nodiscard]] Variety variety_of(std::string_view section) const;
    void drop_variant(const Key& key, const Variety& variety) noexcept;
    void mark_copies(const Key& key) noexcept;

    ControlZone control_;
    MemoryTier memory_;
    VaryHints vary_hints_;         // of this worker
    RedisTier* redis_ = nullptr;   // of this worker
    FetchLine* line_ = nullptr;    // of this worker
    Writing* writings_ = nullptr;  // likewise, a list
    bool in_worker_ = false;
    Store* next_ = nullptr;  // of this worker
};

// The wall clock as nginx caches it, in milliseconds.
[[nodiscard]] inline core::Millis wall_clock() noexcept {
    const ngx_time_t* now = ngx_timeofday();
    return static_cast<core::Millis>(now->sec) * 1000 +
           static_cast<core::Millis>(now->msec);
}

}  // namespace cacheback::store
