#include "early_refresh.hpp"

#include <cmath>

namespace cacheback::core {

bool refreshes_early(Millis left, std::uint32_t fetch_ms, double beta,
                     double draw) noexcept {
    return -(static_cast<double>(fetch_ms) * beta * std::log(draw)) >=
           static_cast<double>(left);
}

}  // namespace cacheback::core
