// store/fleet/feed.hpp: what other boxes do with items, as this box hears of
// it.
//
// One worker of a box reads the store's feed in Redis, on a link of its own,
// and follows it where it left off after a lost link. Another worker takes
// over when it goes. A few times a second the reader proves that the box has
// read all that was said (ControlZone::trusted_since); what it has missed for
// good puts the copies in memory in doubt.
#pragma once

#include "../../ngx/timer.hpp"
#include "../../redis/feed_message.hpp"
#include "../../redis/purge_message.hpp"
#include "../control/control_zone.hpp"
#include "../memory/memory_tier.hpp"
#include "log_budget.hpp"
#include "redis_servers.hpp"

namespace cacheback::store {

class Feed {
  public:
    using OnChange = void (*)(void* data, const redis::Change& change);

    // `on_change` hears of all changes, this box's own among them.
    Feed(const RedisKeys& keys, RedisServers& servers, ControlZone& control,
         OnChange on_change, void* data);

    void shut_down() noexcept;

  private:
    void tick();
    void follow();  // to where the feed is now
    void read();
    void look_for_anchor();
    void begin_stream();
    static void on_anchor(const redis::Question& question,
                          const redis::Answer& answer);
    static void on_page(const redis::Question& question,
                        const redis::Answer& answer);
    [[nodiscard]] bool take(const redis::Answer& answer);
    [[nodiscard]] bool fail(std::string_view why);
    void take_page(const redis::FeedPage& page);
    bool take_marks(const redis::Reply& reply);
    void begin_at(std::string_view newest);
    void prove();
    void watch();

    const RedisKeys& keys_;
    RedisServers& servers_;
    RedisNode* node_ = nullptr;  // that holds the feed, as far as is known
    ControlZone& control_;
    OnChange on_change_;
    void* data_;
    bool reading_ = false;  // a question is under way
    // What it is for. Each new link begins with a look whether what was read
    // last is still there: the server may be another one, or another's copy.
    // The marks of purged tags are read behind the place, so that none is
    // missed in between.
    enum class Step : unsigned char { place, newest, marks, catch_up, follow };
    Step step_ = Step::place;
    std::string position_;  // of the last message that was read
    // One that was read some time before: while it is there, the stream is the
    // same, and all behind it has been read.
    std::string anchor_;
    bool missed_ = false;            // it is not
    std::size_t marks_ = 0;          // how many have been read
    core::Millis last_mark_ = 0;     // the highest of them
    bool marks_refused_ = false;     // on this link
    core::Millis asked_ = 0;         // when the question was
    core::Millis looked_ = 0;        // for the anchor
    core::Millis begun_ = 0;         // a stream that was empty
    core::Millis complete_ = 0;      // all said before has been read, if it is
    core::Millis reader_since_ = 0;  // 0: it is not
    bool told_silence_ = false;      // to the log
    LogBudget budget_{6, 10 * core::second};
    ngx::Timer tick_;
};

}  // namespace cacheback::store
