// store/control/control_line.cpp: background fetches in flight and in line.
#include "control_shared.hpp"

namespace cacheback::store {
namespace {

// Whose turn it is. True: this worker's, which needs no wake.
bool tell(ngx::WakeMask next) noexcept {
    if (next == ngx::WakeChannel::own()) { return true; }
    ngx::WakeChannel::wake(next);
    return false;
}

}  // namespace

bool ControlZone::enter_line(std::uint32_t queue) {
    Access access(*this);
    return Access::enter(shared_->in_line, access.process().in_line, queue);
}

void ControlZone::leave_line() {
    Access access(*this);
    Access::leave(shared_->in_line, access.process().in_line);
}

bool ControlZone::start_fetch(std::uint32_t limit, FetchKind kind) {
    Access access(*this);
    if (Access::enter(shared_->in_flight, access.process().in_flight, limit)) {
        return true;
    }
    // In one step with the look: no end of a fetch falls between.
    shared_->turns.want(kind, ngx::WakeChannel::own());
    return false;
}

bool ControlZone::end_fetch(std::uint32_t fill_limit) {
    ngx::WakeMask next = 0;
    {
        Access access(*this);
        Access::leave(shared_->in_flight, access.process().in_flight);
        next = shared_->turns.take_next(shared_->in_flight < fill_limit);
    }
    return tell(next);
}

bool ControlZone::pass_turn(std::uint32_t limit, std::uint32_t fill_limit,
                            bool done) {
    ngx::WakeMask next = 0;
    {
        const Access access(*this);
        if (done) { shared_->turns.forget(ngx::WakeChannel::own()); }
        if (shared_->in_flight < limit) {
            next = shared_->turns.take_next(shared_->in_flight < fill_limit);
        }
    }
    return tell(next);
}

bool ControlZone::turn_wanted() const noexcept {
    return shared_->turns.wanted();
}

std::uint32_t ControlZone::in_flight() const noexcept {
    return __atomic_load_n(&shared_->in_flight, __ATOMIC_RELAXED);
}

std::uint32_t ControlZone::in_line() const noexcept {
    return __atomic_load_n(&shared_->in_line, __ATOMIC_RELAXED);
}

}  // namespace cacheback::store
