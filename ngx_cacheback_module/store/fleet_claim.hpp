// store/fleet_claim.hpp: makes a lease of this box one of the fleet.
#pragma once

#include "fleet/redis_ticket.hpp"
#include "store.hpp"

namespace cacheback::store {

// In the memory of whoever asks, who may go at any time: then nobody is called,
// and the lease is to be ended as always.
class FleetClaim {
  public:
    enum class Answer : unsigned char {
        ours,
        newer,    // ours, and Redis holds what we had not seen yet
        working,  // another box fetches the item: the lease is gone
        kept,     // likewise, but a failure keeps everybody from trying
        alone,    // Redis cannot be asked: this box does without
    };
    using Done = void (*)(void* data, Answer answer) noexcept;

    FleetClaim(Done done, void* data) noexcept : done_(done), data_(data) {}
    FleetClaim(const FleetClaim&) = delete;
    FleetClaim& operator=(const FleetClaim&) = delete;

    struct Terms {
        core::Millis length;  // of the lease
        Over over;
        core::Millis spent;  // of what Redis may cost the caller
    };
    // When the entry was stored that the caller has seen in either tier.
    struct Seen {
        bool any = false;  // do not look for a newer one
        std::optional<core::Millis> stored;
    };

    // False: nobody to ask, as with `alone`. `lease` is the caller's, and is
    // kept up to date; it and `key` stay where they are until `done`.
    [[nodiscard]] bool begin(Store& store, const Key& key, Lease& lease,
                             const Terms& terms, Seen seen);

    // Whether Redis held an entry when it gave the lease.
    [[nodiscard]] bool found() const noexcept { return found_; }

  private:
    static void on_reply(void* self, const ClaimReply& reply);
    [[nodiscard]] Answer take(const ClaimReply& reply);

    Done done_;
    void* data_;
    Store* store_ = nullptr;
    Key key_;
    Lease* lease_ = nullptr;
    Seen seen_;
    std::uint32_t fence_ = 0;
    bool found_ = false;
    RedisTicket ticket_;
};

}  // namespace cacheback::store
