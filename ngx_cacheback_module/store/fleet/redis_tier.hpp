// store/fleet/redis_tier.hpp: the Redis tier of one store in one worker: which
// question travels on which of two links, keys, and what replies mean.
//
// Reads go out on the small lane, pipelined; writes, and reads of values known
// to be big, on the bulk lane, so that a body never delays a look-up. All
// commands of one turn of the event loop leave together at its end.
//
// Never blocks, never throws into nginx. Every failure looks like "not there".
#pragma once

#include <list>

#include "../../ngx/ngx.hpp"
#include "../control/control_zone.hpp"
#include "../control/key.hpp"
#include "../memory/bytes.hpp"
#include "entry_seal.hpp"
#include "feed.hpp"
#include "log_budget.hpp"
#include "redis_leases.hpp"
#include "redis_purges.hpp"
#include "redis_servers.hpp"
#include "redis_ticket.hpp"
#include "shared_gets.hpp"

namespace cacheback::store {

// What became of a write.
enum class Written : unsigned char {
    yes,
    outdated,  // yes, and stale: it was made so while it was fetched
    refused,   // its lease was lost meanwhile
    late,      // maybe yet
    no,        // dropped, or answered with an error
};

// What becomes of the fetches that are under way when their item changes.
enum class Fetches : unsigned char {
    voided,    // what they bring is not stored
    outdated,  // it is stale when it is stored
};
using RedisWritten = void (*)(void* data, Written written) noexcept;

// Where an entry stands that varies: nothing of it is known for one that does
// not.
struct Target {
    std::string_view variant;  // TextDigest of its section
    std::string_view names;    // as core::vary_names() has them
};

class RedisTier {
  public:
    // One per worker; `on_change`: see Feed.
    RedisTier(const RedisConf& conf, ControlZone& control,
              Feed::OnChange on_change, void* data);
    ~RedisTier();
    RedisTier(const RedisTier&) = delete;
    RedisTier& operator=(const RedisTier&) = delete;

    // False: nothing can be asked now (breaker open, link down): the caller
    // goes on at once as if Redis held nothing. True: `done(data, reply)` will
    // be called within conf.timeout, less what the caller has `spent` of it
    // before, unless `ticket` is cancelled. Who asks for a key that is being
    // read already, and has not changed since, gets the same answer.
    // Of an item that varies there is a core::VaryRecord; with a `generation`,
    // as that has it, the variant is read that the key names.
    [[nodiscard]] bool get(const Key& key, std::string_view generation,
                           RedisDone done, void* data, RedisTicket& ticket,
                           core::Millis spent = 0);

    // The entry in what get() has brought; nothing when it is not signed as it
    // should be. Valid as long as `value`.
    [[nodiscard]] std::optional<std::string_view> open(const Key& key,
                                                       std::string_view value);
    // What open() or the entry's own checks have refused is counted and told.
    void refuse(const Key& key, std::size_t size, bool opened, ngx_log_t& log);

    // SET with PX; the pieces are copied before it returns. Best effort: what
    // would make more than 16 MB unsent in this worker is dropped and counted,
    // as are failures, which are logged on change of state.
    // With a `token` it is stored only if that holds the key's lease in Redis,
    // and ends it; without, or where there are no scripts, an entry that varies
    // stands alone in its item's place. The other boxes are told.
    // `written` is called once, maybe before put() returns, or never when the
    // tier is shut down meanwhile. So it is with remove().
    void put(const Key& key, const Target& target, const Pieces& entry,
             core::Millis ttl, LeaseToken token, RedisWritten written,
             void* data);
    // The entry, and the lease of whoever fetches it; with a `token` both only
    // if that holds the lease, and only the variant that the key names.
    void remove(const Key& key, LeaseToken token, RedisWritten written,
                void* data);
    // Makes the item stale where it lies. `written`: `refused` when there was
    // none.
    void invalidate(const Key& key, core::Millis now, Fetches fetches,
                    RedisWritten written, void* data);
    // Tells the other boxes, after what was said of the item's lease before.
    // Best effort; or told what came of it (`found`: they will know).
    void announce(const Key& key, redis::Change::Kind kind,
                  core::Millis length = 0) noexcept;
    [[nodiscard]] bool announce(const Key& key, redis::Change::Kind kind,
                                RedisDone done, void* data,
                                RedisTicket& ticket);

    // While `written` is called: the write went to another node than was
    // thought first, so what was announced behind it may have been told before
    // it.
    [[nodiscard]] bool redirected() const noexcept { return redirected_; }

    // The server that holds the item is asked, as far as is known.
    [[nodiscard]] bool well(const Key& key) const noexcept;
    [[nodiscard]] RedisServers::State state() const noexcept {
        return servers_->state();
    }

    [[nodiscard]] RedisLeases& leases() noexcept { return leases_; }
    [[nodiscard]] RedisPurges& purges() noexcept { return purges_; }

    // Worker exit: the links are closed, nobody is called any more. A worker
    // that leaves gracefully has waited for what was under way by then.
    void shut_down() noexcept;

  private:
    // Which values are known, or may be about, to be large: their reads take
    // the bulk lane. One place for many keys; a wrong guess costs time only.
    class Hints {
      public:
        Hints() : marks_(places) {}
        [[nodiscard]] bool large(std::uint64_t hash) const noexcept {
            return marks_[hash % places] == mark(hash);
        }
        void set(std::uint64_t hash, bool large) noexcept {
            std::uint32_t& place = marks_[hash % places];
            if (large) {
                place = mark(hash);
            } else if (place == mark(hash)) {
                place = 0;
            }
        }

      private:
        static constexpr std::size_t places = 4096;
        static std::uint32_t mark(std::uint64_t hash) noexcept {
            return static_cast<std::uint32_t>(hash >> 32) | 1;
        }
        std::vector<std::uint32_t> marks_;
    };

    static void on_get(const redis::Question& question,
                       const redis::Answer& answer);
    // The hint that is left behind tells whether the value is large.
    template <bool is_large, void (RedisHealth::*judge)(const redis::Answer&)>
    static void on_write(const redis::Question& question,
                         const redis::Answer& answer);
    static void on_announced(const redis::Question& question,
                             const redis::Answer& answer);
    RedisReply judge(const redis::Question& question,
                     const redis::Answer& answer);
    void skip() noexcept { control_.count(Counter::redis_skipped); }
    // Null: it cannot be written to now.
    [[nodiscard]] RedisNode* to_write_to(const TextDigest& digest,
                                         std::size_t size);
    // Calls `ask`, which is true when `written` will be called by an answer.
    template <class Ask>
    void attempt(RedisWritten written, void* data, Ask ask) noexcept;
    redis::Question question_of(const Key& key, RedisWritten written,
                                void* data) noexcept;
    static void ask_set(RedisLane& lane, const std::string& name,
                        const Pieces& entry, core::Millis ttl,
                        const redis::Question& question);
    redis::QuestionId ask_del(RedisNode& node, const Key& key,
                              const TextDigest& digest,
                              const redis::Question& question);
    // The whole item, by a script; `mark` as in redis::change_script.
    redis::QuestionId ask_change(RedisNode& node, const Key& key,
                                 const TextDigest& digest,
                                 std::string_view epoch, std::string_view mark,
                                 const redis::Question& question);
    struct LateWord;
    // After what was said before on this lane; no lane: it cannot be said.
    SentQuestion ask_announce(RedisNode& node, RedisLane& lane, const Key& key,
                              redis::Change change,
                              const redis::Question& question);
    template <void (RedisHealth::*judge)(const redis::Answer&)>
    static void on_reply(const redis::Question& question,
                         const redis::Answer& answer);
    // Of what nobody waits for the end of.
    template <void (RedisHealth::*judge)(const redis::Answer&)>
    static void on_side_write(const redis::Question& question,
                              const redis::Answer& answer);

    ControlZone& control_;
    EntrySeal seal_;
    RedisKeys keys_;
    std::unique_ptr<RedisServers> servers_;
    SharedGets gets_;
    RedisLeases leases_;
    RedisPurges purges_;
    Feed feed_;
    Hints hints_;
    bool redirected_ = false;
    LogBudget refusals_{100, core::second};  // one for each of many items
    std::list<LateWord> late_words_;
};

}  // namespace cacheback::store
