// store/control/turns.hpp: whose turn it is to start a fetch when a place in
// flight has become free. Pure, of zeros at first, shared by the workers of a
// box under the lock of their zone.
//
// One is told for each place: the places go round among those that want one,
// and a crowd of workers is not woken for one of them to succeed.
#pragma once

#include <cstdint>

namespace cacheback::store {

// A refresh renews what is being served; a fill gets what is missing, and
// whoever asks for many names that do not exist causes many of those.
enum class FetchKind : unsigned char { refresh, fill };

class Turns {
  public:
    using Mask = std::uint64_t;  // a bit per worker

    // To be told once: who is told and finds no place says so again.
    void want(FetchKind kind, Mask who) noexcept;
    void forget(Mask who) noexcept;
    [[nodiscard]] bool wanted() const noexcept;  // needs no lock

    // Who is next among those that want a place, the one told last being the
    // last in the round; 0 when there is nobody. Refreshes go before fills,
    // and those only with `fills_too`.
    [[nodiscard]] Mask take_next(bool fills_too) noexcept;

  private:
    [[nodiscard]] Mask take_next(Mask& wanting) noexcept;

    Mask refreshes_;
    Mask fills_;
    Mask last_;
};

}  // namespace cacheback::store
