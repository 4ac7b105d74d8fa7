// store/feed.hpp: what other boxes do with items, as this box hears of it.
//
// One worker of a box reads the store's feed in Redis, on a link of its own,
// and follows it where it left off after a lost link. Another worker takes
// over when it goes.
#pragma once

#include "../ngx/timer.hpp"
#include "../redis/feed_message.hpp"
#include "control_zone.hpp"
#include "redis_health.hpp"
#include "redis_keys.hpp"
#include "redis_lane.hpp"

namespace cacheback::store {

class Feed {
  public:
    using OnChange = void (*)(void* data, const redis::Change& change);

    // `on_change` hears of the changes that other boxes made.
    Feed(const RedisConf& conf, const RedisKeys& keys, RedisHealth& health,
         ControlZone& control, OnChange on_change, void* data);

    void shut_down() noexcept;

  private:
    void tick();
    void read();
    static void on_page(const redis::Question& question,
                        const redis::Answer& answer);
    void take(const redis::Answer& answer);

    const RedisKeys& keys_;
    RedisHealth& health_;
    ControlZone& control_;
    OnChange on_change_;
    void* data_;
    bool reading_ = false;  // a question is under way
    bool placed_ = false;   // it was for messages, not for where they end
    RedisLane lane_;
    ngx::Timer tick_;
};

}  // namespace cacheback::store
