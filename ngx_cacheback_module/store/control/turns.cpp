#include "turns.hpp"

namespace cacheback::store {

void Turns::want(FetchKind kind, Mask who) noexcept {
    (kind == FetchKind::refresh ? refreshes_ : fills_) |= who;
}

void Turns::forget(Mask who) noexcept {
    refreshes_ &= ~who;
    fills_ &= ~who;
}

bool Turns::wanted() const noexcept {
    return (__atomic_load_n(&refreshes_, __ATOMIC_RELAXED) |
            __atomic_load_n(&fills_, __ATOMIC_RELAXED)) != 0;
}

Turns::Mask Turns::take_next(bool fills_too) noexcept {
    const Mask next = take_next(refreshes_);
    return next != 0 || !fills_too ? next : take_next(fills_);
}

Turns::Mask Turns::take_next(Mask& wanting) noexcept {
    // The bits above the last one's, then all from the lowest on.
    Mask rest = wanting & ~(last_ | (last_ - 1));
    if (last_ == 0 || rest == 0) { rest = wanting; }
    const Mask next = rest & (~rest + 1);
    if (next != 0) { last_ = next; }
    wanting &= ~next;
    return next;
}

}  // namespace cacheback::store
