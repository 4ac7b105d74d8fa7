// lua/lease_calls.hpp: the one place where leases of Lua jobs are claimed and
// ended.
#pragma once

#include "../core/decision.hpp"
#include "../store/fleet_claim.hpp"
#include "handle.hpp"
#include "keys.hpp"

namespace cacheback::lua {

// The lease of an item in the hands of a coroutine. When that is gone, or its
// request, so is the lease, and whoever waits takes over.
class HeldLease : public Handle {
  public:
    HeldLease(store::Store& store, std::string text)
        : Handle(store),
          key_(store, std::move(text)),
          fleet_(on_fleet_answer, this),
          watch_(*this) {}
    ~HeldLease() override;

    // Whose it is now.
    [[nodiscard]] core::Lease claim(core::Millis length, store::Over over);
    // Of the fleet as well, before anything is fetched. False: nobody needs to
    // be asked, or nobody can.
    [[nodiscard]] bool ask_fleet(store::Over over, store::FleetClaim::Seen seen,
                                 core::Millis spent, Signal signal);
    // Nothing while it has not answered.
    [[nodiscard]] std::optional<store::FleetClaim::Answer> fleet_answer()
        const noexcept {
        return fleet_answer_;
    }
    void release() noexcept;
    void release_to_all() noexcept;
    void keep() noexcept;
    void keep_unended() noexcept { keeps_unended_ = true; }

    enum class Stored : unsigned char { yes, asking_redis, lost, too_large };
    [[nodiscard]] Stored commit(std::string_view value, char kind,
                                core::Millis expiry, core::Millis ttl,
                                void* semaphore);
    // What Redis said; nothing while it has not.
    [[nodiscard]] std::optional<store::Written> written() const noexcept {
        return written_;
    }

    [[nodiscard]] const store::Key& key() const noexcept { return *key_; }
    [[nodiscard]] core::Millis until() const noexcept { return until_; }

  private:
    // Told what Redis says.
    struct Watch : store::Watch {
        explicit Watch(HeldLease& lease) noexcept
            : store::Watch(on_written), owner(lease) {}
        HeldLease& owner;
    };
    static void on_written(store::Watch& watch,
                           store::Written written) noexcept;
    static void on_fleet_answer(void* data,
                                store::FleetClaim::Answer answer) noexcept;

    OwnedKey key_;
    store::Lease lease_;
    bool keeps_unended_ = false;
    core::Millis since_ = 0;
    core::Millis until_ = 0;
    store::FleetClaim fleet_;
    std::optional<store::FleetClaim::Answer> fleet_answer_;
    Watch watch_;
    Signal signal_{nullptr};
    std::optional<store::Written> written_;
};

}  // namespace cacheback::lua
