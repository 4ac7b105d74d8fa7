// store/fleet/redis_node.hpp: one Redis server in one worker: where it is, how
// it does, and the links to it.
#pragma once

#include <memory>

#include "redis_health.hpp"
#include "redis_keys.hpp"
#include "redis_lane.hpp"
#include "redis_place.hpp"

namespace cacheback::store {

struct RedisNode {
    // `name` is for logs.
    RedisNode(const RedisConf& conf, const RedisKeys& keys,
              ControlZone& control, std::unique_ptr<RedisPlace> where,
              std::string name)
        : place(std::move(where)),
          health(conf, control, std::move(name)),
          small(conf, health, *place, "cacheback", keys.probe(),
                ngx::Timer::Exit::waits),
          bulk(conf, health, *place, "cacheback-bulk", keys.probe(),
               ngx::Timer::Exit::waits),
          feed(conf, health, *place, "cacheback-feed", keys.probe(),
               ngx::Timer::Exit::goes) {}

    void redirect_to(Redirector& redirector) noexcept {
        small.set_redirector(redirector);
        bulk.set_redirector(redirector);
    }
    [[nodiscard]] bool is_held() const noexcept {
        return small.is_held() || bulk.is_held() || feed.is_held();
    }
    // See RedisLane.
    void rest() {
        feed.rest();
        small.rest();
        bulk.rest();
    }
    void shut_down() noexcept {
        feed.shut_down();
        small.shut_down();
        bulk.shut_down();
    }

    std::unique_ptr<RedisPlace> place;
    RedisHealth health;
    RedisLane small;  // look-ups, leases, entries up to 64 KB
    RedisLane bulk;   // larger entries: a body never delays a look-up
    RedisLane feed;   // on which the server waits for changes
};

}  // namespace cacheback::store
