// store/fleet/redis_leases.hpp: the leases of the fleet: what keeps boxes that
// use the same Redis from fetching an item twice (redis/lease_scripts.hpp).
//
// Every failure looks like "nobody can be asked": then a box is on its own.
#pragma once

#include "../control/control_zone.hpp"
#include "redis_servers.hpp"
#include "redis_ticket.hpp"

namespace cacheback::store {

struct ClaimReply {
    enum class Status : unsigned char {
        ours,
        working,  // another box fetches the item
        kept,     // nobody does, and nobody shall: a failure's back-off
        unavailable,
    };
    Status status = Status::unavailable;
    // ours: the first bytes of the entry as it is now, empty when there is
    // none. Valid during the callback only.
    std::string_view prologue;
};

using RedisClaimed = void (*)(void* data, const ClaimReply& reply);

class RedisLeases {
  public:
    // All that concerns an item's lease travels on one lane, in its order.
    RedisLeases(const RedisKeys& keys, RedisServers& servers,
                ControlZone& control) noexcept
        : keys_(keys), servers_(servers), control_(control) {}

    // As RedisTier::get(). The lease ends after `length`.
    [[nodiscard]] bool claim(const Key& key, LeaseToken token,
                             core::Millis length, Over over, core::Millis spent,
                             RedisClaimed done, void* data,
                             RedisTicket& ticket);
    // Ends it, when it is still the token's. Best effort: it ends by itself.
    void release(const Key& key, LeaseToken token) noexcept;
    // Nobody works on it any more, it stays to its end.
    void keep(const Key& key, LeaseToken token) noexcept;

  private:
    static void on_claim(const redis::Question& question,
                         const redis::Answer& answer);
    static void on_finish(const redis::Question& question,
                          const redis::Answer& answer);
    ClaimReply judge(RedisHealth& health, const redis::Answer& answer);
    void finish(const Key& key, LeaseToken token,
                std::string_view what) noexcept;

    const RedisKeys& keys_;
    RedisServers& servers_;
    ControlZone& control_;
};

}  // namespace cacheback::store
