// store/control/control_leases.cpp: leases and marks of items, and who waits
// for them.
#include "control_shared.hpp"

namespace cacheback::store {
namespace {

// How soon this box asks again what another one does with an item.
constexpr core::Millis look_again = 1000;

std::uint32_t glance(const Key& key) noexcept {
    return static_cast<std::uint32_t>(key.hash >> 32);
}

}  // namespace

// The upper half counts what voids fetches, the lower what outdates them.
std::uint64_t ControlZone::epoch(const Key& key) const noexcept {
    const std::size_t place = key.hash % epoch_count;
    return std::uint64_t{load(shared_->revocations[place])} << 32U |
           load(shared_->epochs[place]);
}

// The lease of an item is taken away at once; those of its variants cannot be
// found, and end here.
bool ControlZone::valid(const Key& key,
                        std::uint64_t claimed_in) const noexcept {
    return key.variant.empty() || claimed_in >> 32U == epoch(key) >> 32U;
}

// A delete ends the marks of variants, too: they are not found any more.
std::uint64_t ControlZone::mark_of(const Key& key) const noexcept {
    return key.variant.empty()
               ? key.hash
               : key.lease() ^ (epoch(key) >> 32U) * 0x9e3779b97f4a7c15ULL;
}

LeaseToken ControlZone::claim(const Key& key, core::Millis length, Over over,
                              bool& kept) {
    Access access(*this);
    const core::Millis now = monotonic();
    if (!valid(key, leases_->epoch_of(key.lease()))) { over = Over::anybody; }
    const LeaseToken token = leases_->claim(key.lease(), access.owner(), length,
                                            now, over, epoch(key));
    kept = token == 0 && leases_->is_kept(key.lease(), now);
    return token;
}

bool ControlZone::holds(const Key& key, LeaseToken token) {
    const Access access(*this);
    return leases_->holds(key.lease(), token, monotonic()) &&
           valid(key, leases_->epoch_of(key.lease()));
}

template <class End>
void ControlZone::end(const Key& key, LeaseToken token, End end) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        if (leases_->holds(key.lease(), token, 0)) {
            waiting = leases_->take_waiting(key.lease());
        }
        end(waiting);
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::let_pass(const Key& key, Waiting waiting,
                           core::Millis moment) noexcept {
    const core::Millis now = monotonic();
    if (waiting != 0 && !leases_->is_uncacheable(mark_of(key), now)) {
        leases_->mark_uncacheable(mark_of(key), now + moment, now);
    }
}

void ControlZone::release(const Key& key, LeaseToken token) {
    end(key, token, [&](Waiting) { leases_->release(key.lease(), token); });
}

void ControlZone::release_to_all(const Key& key, LeaseToken token,
                                 core::Millis moment) {
    end(key, token, [&](Waiting waiting) {
        let_pass(key, waiting, moment);
        leases_->release(key.lease(), token);
    });
}

void ControlZone::keep(const Key& key, LeaseToken token) {
    end(key, token, [&](Waiting) { leases_->keep(key.lease(), token); });
}

void ControlZone::keep_a_while(const Key& key, LeaseToken token) {
    end(key, token, [&](Waiting) {
        leases_->keep(key.lease(), token, monotonic() + look_again);
    });
}

void ControlZone::hand_over(const Key& key, LeaseToken token) {
    const Access access(*this);
    leases_->hand_over(key.lease(), token, monotonic() + look_again);
}

void ControlZone::come_back(const Key& key) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_elsewhere(key.lease());
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::come_back_to_all(const Key& key, core::Millis moment) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_elsewhere(key.lease());
        let_pass(key, waiting, moment);
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::come_back_everywhere() {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_all_elsewhere();
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::revoke(const Key& key) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_waiting(key.hash);
        (void)leases_->revoke(key.hash);
        __atomic_fetch_add(&shared_->revocations[key.hash % epoch_count], 1,
                           __ATOMIC_SEQ_CST);
        raise_fence(key);
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::outdate(const Key& key) noexcept {
    __atomic_fetch_add(&shared_->epochs[key.hash % epoch_count], 1,
                       __ATOMIC_SEQ_CST);
    raise_fence(key);
}

bool ControlZone::is_outdated(const Key& key, LeaseToken token) {
    const Access access(*this);
    return leases_->epoch_of(key.lease(), token) != epoch(key);
}

std::uint32_t ControlZone::fence(const Key& key) const noexcept {
    return __atomic_load_n(&shared_->fences[key.hash % fence_count],
                           __ATOMIC_SEQ_CST);
}

void ControlZone::raise_fence(const Key& key) noexcept {
    __atomic_fetch_add(&shared_->fences[key.hash % fence_count], 1,
                       __ATOMIC_SEQ_CST);
}

std::uint32_t ControlZone::writes(std::uint64_t hash) const noexcept {
    return __atomic_load_n(&shared_->writes_to[hash % fence_count],
                           __ATOMIC_SEQ_CST);
}

void ControlZone::note_write(std::uint64_t hash) noexcept {
    __atomic_fetch_add(&shared_->writes_to[hash % fence_count], 1,
                       __ATOMIC_SEQ_CST);
}

bool ControlZone::await(const Key& key) {
    const Access access(*this);
    return leases_->await(key.lease(), ngx::WakeChannel::own(), monotonic());
}

bool ControlZone::is_awaited(const Key& key) {
    const Access access(*this);
    return leases_->is_awaited(key.lease());
}

void ControlZone::ask_for_background(const Key& key) noexcept {
    __atomic_store_n(&shared_->background[key.lease() % background_count], 1,
                     __ATOMIC_SEQ_CST);
}

bool ControlZone::take_background(const Key& key) noexcept {
    return __atomic_exchange_n(
               &shared_->background[key.lease() % background_count], 0,
               __ATOMIC_SEQ_CST) != 0;
}

void ControlZone::check_owner(const Key& key) {
    std::uint32_t pid = 0;
    {
        const Access access(*this);
        pid = leases_->worked_on_by(key.lease(), monotonic());
    }
    if (pid != 0 && !ngx::is_alive(pid)) { sweep(); }
}

void ControlZone::mark_uncacheable(const Key& key, core::Millis length) {
    const Access access(*this);
    const core::Millis now = monotonic();
    leases_->mark_uncacheable(mark_of(key), now + length, now);
    if (key.variant.empty()) {
        shared_->glances[key.hash % glance_count] = glance(key);
    }
}

bool ControlZone::is_uncacheable(const Key& key) {
    const Access access(*this);
    const core::Millis now = monotonic();
    return leases_->is_uncacheable(key.hash, now) ||
           (!key.variant.empty() && leases_->is_uncacheable(mark_of(key), now));
}

bool ControlZone::is_known_uncacheable(const Key& key) {
    return __atomic_load_n(&shared_->glances[key.hash % glance_count],
                           __ATOMIC_RELAXED) == glance(key) &&
           is_uncacheable(key);
}

void ControlZone::unmark(const Key& key) {
    const Access access(*this);
    leases_->unmark(key.hash);
    if (!key.variant.empty()) { leases_->unmark(mark_of(key)); }
    std::uint32_t& last = shared_->glances[key.hash % glance_count];
    if (last == glance(key)) { last = 0; }
}

}  // namespace cacheback::store
