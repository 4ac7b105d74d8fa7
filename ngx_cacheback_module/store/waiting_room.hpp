// store/waiting_room.hpp: those in this worker who wait for an item that
// somebody else fetches, in this worker or in another one of the box.
#pragma once

#include "../ngx/ngx.hpp"
#include "../ngx/timer.hpp"
#include "control/control_zone.hpp"

namespace cacheback::store {

// In the memory of whoever waits; leaves the room before it goes.
class Waiter {
  public:
    // `look_again` is called once, with the waiter out of the room: the fetch
    // has ended in some way, or its owner has died.
    using LookAgain = void (*)(Waiter& self) noexcept;

    explicit Waiter(LookAgain look_again) noexcept : look_again_(look_again) {}
    ~Waiter() { leave(); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    // False: nobody fetches the item (any more); look at once.
    [[nodiscard]] bool enter(ControlZone& control, const Key& key) noexcept;
    void leave() noexcept;

  private:
    friend class WaitingRoom;

    ngx_queue_t link_{};  // first: found again from the queue
    ControlZone* control_ = nullptr;
    Key key_;
    LookAgain look_again_;
    bool inside_ = false;
};

// One per worker, for all stores.
class WaitingRoom {
  public:
    static WaitingRoom& instance() noexcept;

    // Somebody's fetch has ended: all look whether it was theirs.
    void wake() noexcept;
    void close() noexcept;

  private:
    friend class Waiter;

    WaitingRoom() noexcept;
    void look_around() noexcept;
    void watch() noexcept;

    ngx_queue_t waiting_;
    ngx::PostedEvent turn_;
    ngx::Timer backstop_;
};

}  // namespace cacheback::store
