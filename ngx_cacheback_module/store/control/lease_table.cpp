// store/control/lease_table.cpp: set-associative slots for leases and for
// marks.
#include "lease_table.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace cacheback::store {

struct LeaseTable::Header {
    std::uint64_t seed;
    std::uint64_t sets;
    std::uint64_t claims;
    std::uint64_t reserved;
};

enum class LeaseTable::State : std::uint16_t {
    working,    // the process `pid`
    kept,       // nobody
    elsewhere,  // another box
};

struct LeaseTable::Lease {
    std::uint64_t hash;
    LeaseToken token;  // 0: the slot is free
    core::Millis until;
    std::uint32_t pid;
    std::uint16_t slot;
    State state;
    Waiting waiting;
    std::uint64_t epoch;
};

struct LeaseTable::Mark {
    std::uint64_t hash;
    core::Millis until;  // 0: the slot is free
};

namespace {

// The order of stores as written, also for a reader that comes after we died
// between two of them; within one machine the processor keeps it.
void fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

// One to one, so that no two claims have the same token, and none can be
// guessed from another one.
std::uint64_t scramble(std::uint64_t value) noexcept {
    value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
    value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
    return value ^ value >> 32;
}

}  // namespace

std::size_t LeaseTable::size_for(std::size_t capacity) noexcept {
    return sizeof(Header) + capacity * (sizeof(Lease) + sizeof(Mark));
}

void LeaseTable::format(void* region, std::size_t size,
                        std::uint64_t seed) noexcept {
    std::size_t capacity = ways;
    while (size_for(capacity * 2) <= size) { capacity *= 2; }
    std::memset(region, 0, size_for(capacity));
    auto* header = static_cast<Header*>(region);
    header->seed = seed;
    header->sets = capacity / ways;
}

LeaseTable::LeaseTable(void* region) noexcept
    : header_(static_cast<Header*>(region)), sets_(header_->sets) {}

std::uint64_t LeaseTable::seed() const noexcept { return header_->seed; }

std::size_t LeaseTable::capacity() const noexcept { return sets_ * ways; }

LeaseTable::Lease* LeaseTable::lease_set(std::uint64_t hash) const noexcept {
    auto* leases = reinterpret_cast<Lease*>(header_ + 1);
    return leases + (hash & (sets_ - 1)) * ways;
}

LeaseTable::Mark* LeaseTable::mark_set(std::uint64_t hash) const noexcept {
    auto* leases = reinterpret_cast<Lease*>(header_ + 1);
    auto* marks = reinterpret_cast<Mark*>(leases + sets_ * ways);
    return marks + (hash & (sets_ - 1)) * ways;
}

LeaseTable::Lease* LeaseTable::find(std::uint64_t hash) const noexcept {
    Lease* set = lease_set(hash);
    for (Lease* lease = set; lease != set + ways; lease++) {
        if (lease->hash == hash && lease->token != 0) { return lease; }
    }
    return nullptr;
}

LeaseTable::Mark* LeaseTable::find_mark(std::uint64_t hash) const noexcept {
    Mark* set = mark_set(hash);
    for (Mark* mark = set; mark != set + ways; mark++) {
        if (mark->hash == hash && mark->until != 0) { return mark; }
    }
    return nullptr;
}

LeaseToken LeaseTable::claim(std::uint64_t hash, Owner owner,
                             core::Millis length, core::Millis now, Over over,
                             std::uint64_t epoch) noexcept {
    Lease* chosen = find(hash);
    if (chosen != nullptr && chosen->until > now) {
        bool aside = over == Over::anybody ||
                     (over == Over::kept && chosen->state == State::kept);
        if (!aside) { return 0; }
    }
    if (chosen == nullptr) {
        Lease* set = lease_set(hash);
        const auto end_of = [](const Lease& lease) {
            return lease.token == 0 ? core::Millis{0} : lease.until;
        };
        chosen = std::min_element(set, set + ways,
                                  [&](const Lease& a, const Lease& b) {
                                      return end_of(a) < end_of(b);
                                  });
    }
    LeaseToken token = 0;
    while (token == 0) { token = scramble(header_->seed + ++header_->claims); }
    chosen->token = 0;
    fence();
    // Who waited for the last owner of this item waits for the next one.
    if (chosen->hash != hash) { chosen->waiting = 0; }
    chosen->hash = hash;
    chosen->until = now + length;
    chosen->pid = owner.pid;
    chosen->slot = static_cast<std::uint16_t>(owner.slot);
    chosen->state = State::working;
    chosen->epoch = epoch;
    fence();
    chosen->token = token;
    return token;
}

bool LeaseTable::taken(std::uint64_t hash, core::Millis now) const noexcept {
    const Lease* lease = find(hash);
    return lease != nullptr && lease->until > now;
}

bool LeaseTable::holds(std::uint64_t hash, LeaseToken token,
                       core::Millis now) const noexcept {
    const Lease* lease = find(hash);
    return lease != nullptr && lease->token == token && lease->until > now;
}

std::uint64_t LeaseTable::epoch_of(std::uint64_t hash,
                                   LeaseToken token) const noexcept {
    const Lease* lease = find(hash);
    return lease != nullptr && lease->token == token ? lease->epoch : 0;
}

std::uint64_t LeaseTable::epoch_of(std::uint64_t hash) const noexcept {
    const Lease* lease = find(hash);
    return lease == nullptr ? 0 : lease->epoch;
}

bool LeaseTable::release(std::uint64_t hash, LeaseToken token) noexcept {
    Lease* lease = find(hash);
    if (lease == nullptr || lease->token != token) { return false; }
    lease->token = 0;
    return true;
}

void LeaseTable::keep(std::uint64_t hash, LeaseToken token) noexcept {
    Lease* lease = find(hash);
    if (lease != nullptr && lease->token == token) {
        lease->state = State::kept;
    }
}

void LeaseTable::keep(std::uint64_t hash, LeaseToken token,
                      core::Millis until) noexcept {
    keep(hash, token);
    if (Lease* lease = find(hash); lease != nullptr && lease->token == token) {
        lease->until = std::min(lease->until, until);
    }
}

void LeaseTable::hand_over(std::uint64_t hash, LeaseToken token,
                           core::Millis until) noexcept {
    Lease* lease = find(hash);
    if (lease == nullptr || lease->token != token) { return; }
    lease->state = State::elsewhere;
    lease->until = until;
}

Waiting LeaseTable::take_elsewhere(std::uint64_t hash) noexcept {
    Lease* lease = find(hash);
    if (lease == nullptr || lease->state != State::elsewhere) { return 0; }
    lease->token = 0;
    return std::exchange(lease->waiting, 0);
}

bool LeaseTable::revoke(std::uint64_t hash) noexcept {
    Lease* lease = find(hash);
    if (lease == nullptr) { return false; }
    lease->token = 0;
    return true;
}

template <class Which>
Waiting LeaseTable::take_each(Which which) noexcept {
    auto* leases = reinterpret_cast<Lease*>(header_ + 1);
    Waiting waiting = 0;
    for (Lease* lease = leases; lease != leases + capacity(); lease++) {
        if (lease->token != 0 && which(*lease)) {
            lease->token = 0;
            waiting |= std::exchange(lease->waiting, 0);
        }
    }
    return waiting;
}

Waiting LeaseTable::take_all_elsewhere() noexcept {
    return take_each(
        [](const Lease& lease) { return lease.state == State::elsewhere; });
}

Waiting LeaseTable::sweep(std::uint32_t pid) noexcept {
    return take_each([pid](const Lease& lease) {
        return lease.pid == pid && lease.state == State::working;
    });
}

bool LeaseTable::await(std::uint64_t hash, Waiting who,
                       core::Millis now) noexcept {
    Lease* lease = find(hash);
    if (lease == nullptr || lease->until <= now ||
        lease->state == State::kept) {
        return false;
    }
    lease->waiting |= who;
    return true;
}

Waiting LeaseTable::take_waiting(std::uint64_t hash) noexcept {
    Lease* lease = find(hash);
    return lease == nullptr ? 0 : std::exchange(lease->waiting, 0);
}

bool LeaseTable::is_kept(std::uint64_t hash, core::Millis now) const noexcept {
    const Lease* lease = find(hash);
    return lease != nullptr && lease->until > now &&
           lease->state == State::kept;
}

bool LeaseTable::is_awaited(std::uint64_t hash) const noexcept {
    const Lease* lease = find(hash);
    return lease != nullptr && lease->waiting != 0;
}

std::uint32_t LeaseTable::worked_on_by(std::uint64_t hash,
                                       core::Millis now) const noexcept {
    const Lease* lease = find(hash);
    return lease != nullptr && lease->until > now &&
                   lease->state == State::working
               ? lease->pid
               : 0;
}

void LeaseTable::mark_uncacheable(std::uint64_t hash, core::Millis until,
                                  core::Millis now) noexcept {
    if (until <= now) { return unmark(hash); }
    Mark* chosen = find_mark(hash);
    if (chosen == nullptr) {
        Mark* set = mark_set(hash);
        chosen = std::min_element(
            set, set + ways,
            [](const Mark& a, const Mark& b) { return a.until < b.until; });
    }
    chosen->until = 0;
    fence();
    chosen->hash = hash;
    fence();
    chosen->until = until;
}

bool LeaseTable::is_uncacheable(std::uint64_t hash,
                                core::Millis now) const noexcept {
    const Mark* mark = find_mark(hash);
    return mark != nullptr && mark->until > now;
}

void LeaseTable::unmark(std::uint64_t hash) noexcept {
    if (Mark* mark = find_mark(hash)) { mark->until = 0; }
}

const char* LeaseTable::check(core::Millis now) const noexcept {
    auto* leases = reinterpret_cast<Lease*>(header_ + 1);
    for (Lease* lease = leases; lease != leases + capacity(); lease++) {
        if (lease->token == 0 || lease->until <= now) { continue; }
        if (find(lease->hash) != lease) {
            return "a lease is in the wrong set, or twice in its own";
        }
        if (lease->state > State::elsewhere) {
            return "a lease is in a state that nobody knows";
        }
    }
    auto* marks = reinterpret_cast<Mark*>(leases + capacity());
    for (Mark* mark = marks; mark != marks + capacity(); mark++) {
        if (mark->until > now && find_mark(mark->hash) != mark) {
            return "a mark is in the wrong set, or twice in its own";
        }
    }
    return nullptr;
}

}  // namespace cacheback::store
