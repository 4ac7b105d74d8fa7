// store/fleet/redis_purges.hpp: purges of tags, as the boxes of a store share
// them in Redis (redis/purge_scripts.hpp). For reading all of them see Feed.
#pragma once

#include "../../redis/purge_message.hpp"
#include "../control/control_zone.hpp"
#include "redis_keys.hpp"
#include "redis_servers.hpp"
#include "redis_ticket.hpp"

namespace cacheback::store {

// What Redis says of the tags of an entry; nothing when it cannot be asked.
using TagsJudged = std::optional<redis::TagsJudged>;
using RedisJudged = void (*)(void* data, const TagsJudged& judged) noexcept;

// By that, what purges have made of an entry whose fetch began at that number.
[[nodiscard]] PurgeVerdict verdict_of(const redis::TagsJudged& judged,
                                      PurgeNumber began,
                                      core::Millis now) noexcept;

class RedisPurges {
  public:
    RedisPurges(const RedisKeys& keys, RedisServers& servers,
                ControlZone& control) noexcept
        : keys_(keys), servers_(servers), control_(control) {}

    // Tells the other boxes, and this one by the feed its number. Best effort:
    // false when it cannot be sent.
    bool tell(const std::vector<TagId>& tags, PurgeKind kind);

    // As RedisTier::get().
    [[nodiscard]] bool judge(const std::vector<TagId>& tags, RedisJudged done,
                             void* data, RedisTicket& ticket,
                             core::Millis spent);

  private:
    static void on_told(const redis::Question& question,
                        const redis::Answer& answer);
    static void on_judged(const redis::Question& question,
                          const redis::Answer& answer);

    const RedisKeys& keys_;
    RedisServers& servers_;
    ControlZone& control_;
};

}  // namespace cacheback::store
