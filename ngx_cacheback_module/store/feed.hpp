// store/feed.hpp: what other boxes do with items, as this box hears of it.
//
// One worker of a box reads the store's feed in Redis, on a link of its own,
// and follows it where it left off after a lost link. Another worker takes
// over when it goes.
#pragma once

#include "../ngx/timer.hpp"
#include "../redis/feed_message.hpp"
#include "control_zone.hpp"
#include "redis_servers.hpp"

namespace cacheback::store {

class Feed {
  public:
    // A null change: some were missed, nothing that is held is to be trusted.
    using OnChange = void (*)(void* data, const redis::Change* change);

    // `on_change` hears of all changes, this box's own among them.
    Feed(const RedisKeys& keys, RedisServers& servers, ControlZone& control,
         OnChange on_change, void* data);

    void shut_down() noexcept;

  private:
    void tick();
    void follow();  // to where the feed is now
    void read();
    static void on_page(const redis::Question& question,
                        const redis::Answer& answer);
    void take(RedisHealth& health, const redis::Answer& answer);
    void take_page(const redis::FeedPage& page);
    void place(std::string_view newest);

    const RedisKeys& keys_;
    RedisServers& servers_;
    RedisNode* node_ = nullptr;  // that holds the feed, as far as is known
    ControlZone& control_;
    OnChange on_change_;
    void* data_;
    bool reading_ = false;  // a question is under way
    // What it is for. Each new link begins with a look at what is kept, since
    // messages may have gone, or the server may be another one.
    enum class Step : unsigned char { oldest, newest, follow };
    Step step_ = Step::oldest;
    std::string oldest_;
    ngx::Timer tick_;
};

}  // namespace cacheback::store
