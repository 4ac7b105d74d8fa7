// ngx/wake_channel.hpp: how one worker wakes another. nginx's own channel
// cannot be extended and its ends do not reach workers of an older
// configuration, which may still be at work that new ones wait for: so there
// is one fixed set of eventfds, made by the master before its first workers
// and kept over reloads.
#pragma once

#include "ngx.hpp"

namespace cacheback::ngx {

// One bit per channel; processes beyond share them, and then wake together.
using WakeMask = std::uint64_t;

class WakeChannel {
  public:
    using OnWake = void (*)(void* data);

    // In the master, at each configuration; makes the channels once.
    static ngx_int_t prepare(ngx_cycle_t& cycle) noexcept;

    // In a worker: listens on its own channel. `on_wake` is called once for
    // any number of wakes since the last call.
    static ngx_int_t open_worker(ngx_cycle_t& cycle, OnWake on_wake,
                                 void* data) noexcept;
    static void close_worker() noexcept;

    // This process as a bit.
    [[nodiscard]] static WakeMask own() noexcept;

    // Wakes all that are in the mask. Never blocks; a lost wake is made good
    // by whoever waits looking again from time to time.
    static void wake(WakeMask mask) noexcept;
};

}  // namespace cacheback::ngx
