// store/fleet/redis_servers.hpp: which of a store's Redis servers holds what.
#pragma once

#include <memory>

#include "redis_node.hpp"

namespace cacheback::store {

class RedisServers {
  public:
    static std::unique_ptr<RedisServers> make(const RedisConf& conf,
                                              const RedisKeys& keys,
                                              ControlZone& control);
    virtual ~RedisServers() = default;
    RedisServers(const RedisServers&) = delete;
    RedisServers& operator=(const RedisServers&) = delete;

    // The one that holds an item; null: nobody knows at present. Valid until
    // the event loop turns, and as long as one of its lanes is held.
    [[nodiscard]] virtual RedisNode* holder(
        const TextDigest& digest) noexcept = 0;
    [[nodiscard]] virtual RedisNode* feed_holder() noexcept = 0;
    // Of all that are asked, for who shows it.
    struct State {
        bool up;
        bool writable;
    };
    [[nodiscard]] virtual State state() const noexcept = 0;
    // A server says that it does not hold what it was asked for.
    virtual void doubt() noexcept {}

    virtual void shut_down() noexcept = 0;

  protected:
    RedisServers() = default;
};

}  // namespace cacheback::store
