// http/client_wait.hpp: a client that waits for an item which somebody else
// fetches, on this worker or another (cacheback_lock).
#pragma once

#include "../ngx/timer.hpp"
#include "../store/waiting_room.hpp"

namespace cacheback::http {

struct RequestContext;

class ClientWait {
  public:
    // All waits of the request together take at most `limit`.
    ClientWait(RequestContext& context, ngx_msec_t limit) noexcept;

    // True: parked, and the phases run again when the fetch has ended or the
    // time is over. False: nobody fetches the item, or the time is over.
    [[nodiscard]] bool begin() noexcept;
    [[nodiscard]] bool over() const noexcept { return over_; }

  private:
    // The waiter's own queue link must be found from the waiter: no bases.
    struct Seat : store::Waiter {
        explicit Seat(ClientWait& wait) noexcept
            : Waiter(on_look_again), owner(wait) {}
        ClientWait& owner;
    };

    static void on_look_again(store::Waiter& waiter) noexcept;
    void look_again() noexcept;

    RequestContext& context_;
    Seat seat_;
    ngx::Timer deadline_;  // a client waits on it: a leaving worker does too
    bool over_ = false;
};

}  // namespace cacheback::http
