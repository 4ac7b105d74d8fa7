#include "breaker.hpp"

#include <algorithm>

namespace cacheback::store {

namespace {

// A server that held so long is no flapper.
constexpr core::Millis steady = 5 * core::second;

}  // namespace

bool Breaker::open(std::uint64_t skipped, core::Millis now) noexcept {
    std::uint64_t shut = 0;
    const auto time =
        static_cast<std::uint64_t>(std::max<core::Millis>(now, 1));
    if (!__atomic_compare_exchange_n(&opened_, &shut, time, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        return false;
    }
    __atomic_store_n(&skipped_, skipped, __ATOMIC_RELAXED);
    const std::uint64_t closed = __atomic_load_n(&closed_, __ATOMIC_RELAXED);
    const core::Millis held = now - static_cast<core::Millis>(closed);
    const bool soon = closed != 0 && held >= 0 && held < steady;
    __atomic_store_n(&flaps_, soon ? std::min(flaps() + 1, most_flaps) : 0,
                     __ATOMIC_RELAXED);
    return true;
}

bool Breaker::close(core::Millis now) noexcept {
    if (__atomic_exchange_n(&opened_, 0, __ATOMIC_RELAXED) == 0) {
        return false;
    }
    __atomic_store_n(&closed_, static_cast<std::uint64_t>(now),
                     __ATOMIC_RELAXED);
    return true;
}

bool Breaker::take_probe(core::Millis now, core::Millis pause) noexcept {
    std::uint64_t last = __atomic_load_n(&probed_, __ATOMIC_RELAXED);
    const auto since = now - static_cast<core::Millis>(last);
    // Less than nothing: the clock was set back.
    if (since >= 0 && since < pause) { return false; }
    return __atomic_compare_exchange_n(&probed_, &last,
                                       static_cast<std::uint64_t>(now), false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

ServerBreakers& BreakerTable::of(std::uint64_t server,
                                 core::Millis now) noexcept {
    ServerBreakers* place = &servers_[0];
    for (ServerBreakers& known : servers_) {
        if (known.server == server) {
            place = &known;
            break;
        }
        if (known.used < place->used) { place = &known; }
    }
    if (place->server != server) {
        *place = {};
        __atomic_store_n(&place->server, server, __ATOMIC_RELAXED);
    }
    place->used = static_cast<std::uint64_t>(now);
    return *place;
}

}  // namespace cacheback::store
