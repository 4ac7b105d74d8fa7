// store/control/control_zone.hpp: the small shared zone of one store, apart
// from the data: leases and marks, background fetches in flight and in line,
// counters, breakers. Fixed size, kept over reloads whatever `memory` says.
#pragma once

#include "../../ngx/ngx.hpp"
#include "../../ngx/shared_zone.hpp"
#include "breaker.hpp"
#include "key.hpp"
#include "lease_table.hpp"
#include "purge_marks.hpp"
#include "turns.hpp"
#include "use_table.hpp"

namespace cacheback::store {

enum class Counter : unsigned {
    hits,
    stale,
    updating,
    misses,
    expired,
    revalidated,
    bypassed,
    refreshes_started,
    refreshes_stored,
    refreshes_renewed,
    refreshes_failed,
    refreshes_dropped,
    refreshes_removed,
    refreshes_elsewhere,  // left to another box
    stored,
    not_stored,
    memory_hits,
    redis_hits,
    redis_misses,
    redis_errors,
    redis_timeouts,
    redis_skipped,
    redis_writes_dropped,
    redis_unsigned,
    empty,
    purges,
    doubted,  // copies in memory that Redis was asked about
    last      // how many there are
};

class ControlZone {
  public:
    char* configure(ngx_conf_t* cf, const ngx_str_t& store_name, void* tag);

    [[nodiscard]] Key key(std::string_view text) const noexcept;  // hashes it
    // Makes `key` that of one variant; `variant` lives as long as its text. An
    // empty one: of the item.
    void name_variant(Key& key, std::string_view variant) const noexcept;
    // What tells an entry of this section, whose names these are, from others
    // of its key. `digest` is left out.
    [[nodiscard]] Variety variety(std::string_view names,
                                  std::string_view section) const noexcept;

    // Leases are those of a variant where the key names one, and so are marks.
    // revoke() and outdate() are about the item, all its variants together.
    //
    // Leases, see LeaseTable; these take the zone's lock and the monotonic
    // clock (a step of the wall clock neither ends nor prolongs a lease), and
    // name this process as the owner.
    // Whoever waits for an item is woken when its lease ends in any way.
    // `kept`, when it is taken: nobody works on it, a failure keeps it until it
    // ends.
    LeaseToken claim(const Key& key, core::Millis length, Over over,
                     bool& kept);
    [[nodiscard]] bool holds(const Key& key, LeaseToken token);
    void release(const Key& key, LeaseToken token);
    // The answer is not one to store: those who wait for it go and ask for
    // themselves, all at once, rather than one after another. `moment`: until
    // they all have looked.
    void release_to_all(const Key& key, LeaseToken token, core::Millis moment);
    void keep(const Key& key, LeaseToken token);
    // Another box fetches the item, or keeps it after a failure, see
    // LeaseTable. Looked into again after a second, and while the breaker is
    // open this box is on its own.
    void hand_over(const Key& key, LeaseToken token);
    void keep_a_while(const Key& key, LeaseToken token);
    void come_back(const Key& key);
    // The same when nothing was stored: those who waited go alone, for what
    // release_to_all() calls a moment.
    void come_back_to_all(const Key& key, core::Millis moment);
    // Redis is away: nobody waits for other boxes any more.
    void come_back_everywhere();
    void revoke(const Key& key);
    // What those bring who fetch the item now is stale when it is stored: they
    // have asked too early.
    void outdate(const Key& key) noexcept;
    [[nodiscard]] bool is_outdated(const Key& key, LeaseToken token);
    // Changes with each revoke(), and with what other boxes do: what was asked
    // for before must not be put where it was taken from. Items may share one,
    // which costs a copy.
    [[nodiscard]] std::uint32_t fence(const Key& key) const noexcept;
    void raise_fence(const Key& key) noexcept;
    // Counts what this box writes to Redis, when it is sent and again when it
    // has arrived: who asks then is not served by a read that was sent before.
    // Items may share one, which costs a read.
    [[nodiscard]] std::uint32_t writes(std::uint64_t hash) const noexcept;
    void note_write(std::uint64_t hash) noexcept;
    // True: somebody fetches the item, this worker is woken when that ends.
    [[nodiscard]] bool await(const Key& key);
    [[nodiscard]] bool is_awaited(const Key& key);
    // Whoever of those that wait gets the lease next is to fetch in the
    // background, at nobody's pace: true for the first who asks. Items may
    // share one, which costs no more than that.
    void ask_for_background(const Key& key) noexcept;
    [[nodiscard]] bool take_background(const Key& key) noexcept;
    // Frees what its owner holds when that is a process which has died.
    void check_owner(const Key& key);
    void mark_uncacheable(const Key& key, core::Millis length);
    [[nodiscard]] bool is_uncacheable(const Key& key);
    // The same for the price of a glance, and with no for an answer where many
    // are marked: to be asked before the memory tier.
    [[nodiscard]] bool is_known_uncacheable(const Key& key);
    void unmark(const Key& key);

    // How often the item was asked for lately, with this time. Lock-free.
    [[nodiscard]] unsigned count_use(const Key& key) noexcept;

    // Background fetches: at most `limit` in flight and `queue` in line on
    // this box, counted per process slot so that a dead worker's are swept.
    [[nodiscard]] bool enter_line(std::uint32_t queue);
    void leave_line();
    // False: all are taken. The worker is told when one may be free again.
    [[nodiscard]] bool start_fetch(std::uint32_t limit, FetchKind kind);
    // Tells the next one that wants the place: true when that is this worker,
    // others are woken. Fills get it where fewer than `fill_limit` are taken.
    [[nodiscard]] bool end_fetch(std::uint32_t fill_limit);
    // This worker needs no more places, none at all when it is `done`: one
    // that is free is for the next. True as above.
    [[nodiscard]] bool pass_turn(std::uint32_t limit, std::uint32_t fill_limit,
                                 bool done);
    [[nodiscard]] bool turn_wanted() const noexcept;  // lock-free
    [[nodiscard]] std::uint32_t in_flight() const noexcept;
    [[nodiscard]] std::uint32_t in_line() const noexcept;

    // Lock-free; wraps never in practice.
    void count(Counter counter, std::uint64_t by = 1) noexcept;
    [[nodiscard]] std::uint64_t value(Counter counter) const noexcept;

    // What this box knows of a Redis server, see BreakerTable; stays where it
    // is. Workers of the configuration before a reload, which ask another
    // server, have others.
    [[nodiscard]] ServerBreakers& breakers(std::uint64_t server);

    // Tells this box from the others that use the same Redis.
    [[nodiscard]] std::uint64_t box() const noexcept;

    // The feed of changes that other boxes make (see Feed) is read by one
    // worker of this box: true for the one whose part it is, as long as it
    // asks again within a second.
    [[nodiscard]] bool reads_feed();
    void leave_feed();
    // The last message that was read, in Redis' words; empty: none yet. Who
    // does not read the feed any more does not move it.
    [[nodiscard]] std::string feed_position();
    void set_feed_position(std::string_view position);
    // All that was said in it before `when` (of MemoryTier::clock()) has been
    // read here.
    void prove_feed(core::Millis when) noexcept;
    [[nodiscard]] core::Millis feed_proven() const noexcept;
    // Some of it is lost: the copies in memory may be outdated.
    void miss_feed() noexcept;
    // Copies in memory that were right at this time or later may be served
    // without asking Redis. Where the feed has not been proven to be complete
    // for almost a second, only what is younger than that. Lock-free.
    [[nodiscard]] core::Millis trusted_since() const noexcept;
    // For a copy that is right but for what purges may have made of it: as of
    // when, so that it is trusted only while the feed is known to be complete.
    [[nodiscard]] static core::Millis unjudged(core::Millis as_of) noexcept;

    // Purges of tags, see PurgeMarks. The last one that this box knows of;
    // lock-free.
    [[nodiscard]] PurgeNumber purge_number() const noexcept;
    // And what is fetched from now on is younger than these: some this box has
    // only heard of, and does not know yet what they were about. Lock-free.
    [[nodiscard]] PurgeNumber fetch_number() const noexcept;
    void hear_of_purge(PurgeNumber number);
    // All there are until that one are known here, if those before are.
    [[nodiscard]] bool knows_all_heard_of() const noexcept;
    // As the feed tells them, one after another.
    void note_purge(const std::vector<TagId>& tags, PurgeKind kind,
                    PurgeNumber number);
    // One that only this box knows of yet.
    void note_own_purge(const std::vector<TagId>& tags, PurgeKind kind,
                        PurgeNumber least);
    [[nodiscard]] PurgeVerdict judge_tags(const std::vector<TagId>& tags,
                                          PurgeNumber began, core::Millis now);
    // One of those that Redis keeps, in any order: counts by know_purges(). All
    // since then and until `last` are known here, and those before are not;
    // until some of the feed is lost.
    void note_mark(TagId tag, PurgeKind kind, PurgeNumber number);
    void know_purges(PurgeNumber since, PurgeNumber last);
    [[nodiscard]] bool knows_purges() const noexcept;
    // And the feed has been proven to be complete within the last second.
    [[nodiscard]] bool hears_purges() const noexcept;

    // At the start of a worker: frees what dead processes of this box left.
    void sweep();

  private:
    struct Shared;
    struct Process;
    struct FeedReader;
    class Access;

    // 16,384 leases, as many marks, as many purged tags, the use of 8,192
    // items, a slot for each process, the counters.
    static constexpr std::size_t zone_size = 1792 * 1024;
    // Counted up with each change of what is kept in the zone, LeaseTable's
    // included.
    static constexpr unsigned layout_version = 14;

    // The holder's part in a lease ends by `end(who waits)`, under the lock;
    // who waits is woken then.
    template <class End>
    void end(const Key& key, LeaseToken token, End end);
    // Under the lock: those who wait go to the origin together.
    void let_pass(const Key& key, Waiting waiting,
                  core::Millis moment) noexcept;

    // What has become of the item so far, in one number; see outdate().
    [[nodiscard]] std::uint64_t epoch(const Key& key) const noexcept;
    // False: the item was deleted since the lease of this variant was claimed.
    [[nodiscard]] bool valid(const Key& key,
                             std::uint64_t claimed_in) const noexcept;
    [[nodiscard]] std::uint64_t mark_of(const Key& key) const noexcept;

    static void attach(void* self, void* region, std::size_t size, bool fresh);

    ngx::SharedZone zone_;
    Shared* shared_ = nullptr;
    std::optional<LeaseTable> leases_;
    std::optional<UseTable> uses_;
    std::optional<PurgeMarks> purges_;
};

}  // namespace cacheback::store
