// store/fleet/log_budget.hpp: how many lines there may be in the log about one
// thing, whatever is said of it by others.
#pragma once

#include <cstdint>
#include <utility>

#include "../../core/time.hpp"

namespace cacheback::store {

// So many lines at once, and one more for each `pause`. Pure: the time is an
// argument, in milliseconds.
class LogBudget {
  public:
    constexpr LogBudget(unsigned lines, core::Millis pause) noexcept
        : most_(lines), pause_(pause), left_(lines) {}

    // False: not this one, which is counted.
    [[nodiscard]] bool take(core::Millis now) noexcept {
        const core::Millis more = (now - since_) / pause_;
        if (left_ == most_ || more < 0) {
            since_ = now;
        } else if (more >= static_cast<core::Millis>(most_ - left_)) {
            left_ = most_;
            since_ = now;
        } else {
            left_ += static_cast<unsigned>(more);
            since_ += more * pause_;
        }
        if (left_ == 0) {
            ++left_out_;
            return false;
        }
        --left_;
        return true;
    }
    // How many were not told; for the next line that is.
    [[nodiscard]] std::uint64_t take_left_out() noexcept {
        return std::exchange(left_out_, 0);
    }

  private:
    unsigned most_;
    core::Millis pause_;
    unsigned left_;
    core::Millis since_ = 0;  // when the last one came back, if some are gone
    std::uint64_t left_out_ = 0;
};

}  // namespace cacheback::store
