// store/control/breaker.hpp: what all workers of a box know of the servers they
// ask: whether one is to be asked at all. Lies in shared memory.
//
// Pure: the time is an argument, in milliseconds of the wall clock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../core/time.hpp"

namespace cacheback::store {

// Closed: all is well. Open: nobody asks, and one at a time probes. Lock-free.
class Breaker {
  public:
    // When the first failure was; 0: it is closed.
    [[nodiscard]] core::Millis opened() const noexcept {
        return static_cast<core::Millis>(
            __atomic_load_n(&opened_, __ATOMIC_RELAXED));
    }
    // True for the one worker that changed the state (and so logs it).
    // `skipped`: the value of a counter of what is not asked meanwhile.
    bool open(std::uint64_t skipped, core::Millis now) noexcept;
    bool close(core::Millis now) noexcept;
    // How often in a row it was opened again soon after it had closed: such a
    // server is given ever more rest.
    [[nodiscard]] unsigned flaps() const noexcept {
        return static_cast<unsigned>(
            __atomic_load_n(&flaps_, __ATOMIC_RELAXED));
    }
    static constexpr unsigned most_flaps = 5;
    // Whether it has been open for so long; true as well when the clock was set
    // back meanwhile.
    [[nodiscard]] bool older_than(core::Millis age,
                                  core::Millis now) const noexcept {
        const core::Millis since = now - opened();
        return opened() != 0 && (since >= age || since < 0);
    }
    // What the counter, being `skipped` now, has gained since it opened.
    [[nodiscard]] std::uint64_t skipped_of(
        std::uint64_t skipped) const noexcept {
        return skipped - __atomic_load_n(&skipped_, __ATOMIC_RELAXED);
    }
    // True for one caller per `pause`: that worker probes the server, the
    // others wait for what it finds.
    [[nodiscard]] bool take_probe(core::Millis now,
                                  core::Millis pause) noexcept;

  private:
    std::uint64_t opened_;
    std::uint64_t skipped_;
    std::uint64_t probed_;
    std::uint64_t closed_;  // when it was last; 0: never
    std::uint64_t flaps_;
};

// A full or read-only server still answers reads.
struct ServerBreakers {
    std::uint64_t server;  // who it is; 0: nobody
    std::uint64_t used;    // when a worker last began to use it
    Breaker reads;
    Breaker writes;
};

class BreakerTable {
  public:
    // Those of `server`, which is not 0; closed ones when it is new here. They
    // may become those of another server once there are too many: `server`
    // tells. Under the zone's lock.
    [[nodiscard]] ServerBreakers& of(std::uint64_t server,
                                     core::Millis now) noexcept;

    static constexpr std::size_t count = 128;

  private:
    ServerBreakers servers_[count];
};

}  // namespace cacheback::store
