// store/control/control_shared.hpp: what stands in the control zone, and the
// zone under its lock. For the parts of ControlZone alone: control_zone.cpp,
// control_leases.cpp, control_line.cpp, control_feed.cpp.
#pragma once

#include <atomic>

#include "../../ngx/wake_channel.hpp"
#include "control_zone.hpp"

namespace cacheback::store {

// How many items share a place of each kind: wrong guesses cost time only.
inline constexpr std::size_t fence_count = 4096;
inline constexpr std::size_t epoch_count = 4096;
inline constexpr std::size_t glance_count = 2048;
inline constexpr std::size_t background_count = 1024;
inline constexpr unsigned counter_places = 64;  // room for more in this layout
static_assert(static_cast<unsigned>(Counter::last) <= counter_places);

template <class Number>
Number load(const Number& value) noexcept {
    return __atomic_load_n(&value, __ATOMIC_RELAXED);
}

inline core::Millis monotonic() noexcept {
    return static_cast<core::Millis>(ngx_current_msec);
}

inline std::uint32_t own_pid() noexcept {
    return static_cast<std::uint32_t>(ngx_pid);
}

struct ControlZone::Process {
    std::uint32_t pid;  // 0: never used
    std::uint32_t in_flight;
    std::uint32_t in_line;
};

struct ControlZone::FeedReader {
    std::uint32_t pid;  // 0: nobody
    std::uint32_t position_size;
    std::uint64_t seen;  // when it last said that it reads
    core::Millis proven;
    core::Millis missed;
    char position[48];  // two numbers of 20 digits at most
};

// The regions of UseTable, PurgeMarks and LeaseTable follow.
struct alignas(64) ControlZone::Shared {
    std::uint64_t counters[counter_places];
    BreakerTable breakers;
    std::uint32_t dirty;
    std::uint32_t in_flight;  // sums over the processes
    std::uint32_t in_line;
    Turns turns;
    std::uint64_t box;
    FeedReader feed;
    std::uint64_t purge_number;  // the highest of a mark
    std::uint64_t purges_told;   // the feed has come so far
    std::uint64_t purges_heard;  // as Redis said in passing
    std::uint32_t knows_purges;
    Process processes[NGX_MAX_PROCESSES];
    std::uint32_t fences[fence_count];
    std::uint32_t writes_to[fence_count];  // in Redis
    // See outdate() and revoke(); items may share one, as with fences.
    std::uint32_t epochs[epoch_count];
    std::uint32_t revocations[epoch_count];
    std::uint32_t glances[glance_count];  // the last mark there, by its hash
    std::uint8_t background[background_count];  // 1: asked for
};

// The zone under its lock. Leases and the counts of a process are right at any
// moment; only the sums can be left wrong by a worker that dies here.
class ControlZone::Access {
  public:
    explicit Access(ControlZone& zone) noexcept
        : lock_(zone.zone_), zone_(zone), shared_(*zone.shared_) {
        const bool lost = shared_.dirty != 0;
        shared_.dirty = own_pid();
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (lost) { sum_up(); }
    }
    ~Access() {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        shared_.dirty = 0;
    }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // The slot of this process, freed of what its last user left.
    Process& process() noexcept {
        Process& own = shared_.processes[slot()];
        if (own.pid != own_pid()) {
            bury(own);
            own.pid = own_pid();
        }
        return own;
    }

    Owner owner() noexcept { return {process().pid, slot()}; }

    void bury(Process& process) noexcept {
        if (process.pid == 0) { return; }
        // Nobody else would tell those who wait for what it fetched, or for
        // the places it had.
        ngx::WakeChannel::wake(zone_.leases_->sweep(process.pid));
        if (process.in_flight != 0) {
            ngx::WakeChannel::wake(shared_.turns.take_next(true));
        }
        process = {};
        sum_up();
    }

    void sum_up() noexcept {
        shared_.in_flight = 0;
        shared_.in_line = 0;
        for (const Process& process : shared_.processes) {
            shared_.in_flight += process.in_flight;
            shared_.in_line += process.in_line;
        }
    }

    // `sum` is one of the two above, `own` its share of this process.
    static bool enter(std::uint32_t& sum, std::uint32_t& own,
                      std::uint32_t limit) noexcept {
        if (sum >= limit) { return false; }
        sum++;
        own++;
        return true;
    }

    static void leave(std::uint32_t& sum, std::uint32_t& own) noexcept {
        if (own == 0 || sum == 0) { return; }
        own--;
        sum--;
    }

    void note_purge(const std::vector<TagId>& tags, PurgeKind kind,
                    PurgeNumber number) noexcept {
        for (TagId tag : tags) { zone_.purges_->set(tag, kind, number); }
        // Last: who takes an entry for good by this number has missed no mark.
        raise(shared_.purge_number, number);
    }

    static void raise(std::uint64_t& number, PurgeNumber to) noexcept {
        __atomic_store_n(&number, std::max(number, to.value()),
                         __ATOMIC_RELEASE);
    }

  private:
    static std::uint32_t slot() noexcept {
        return static_cast<std::uint32_t>(ngx_process_slot) % NGX_MAX_PROCESSES;
    }

    ngx::SharedZone::Lock lock_;
    ControlZone& zone_;
    Shared& shared_;
};

}  // namespace cacheback::store
