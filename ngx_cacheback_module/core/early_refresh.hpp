// core/early_refresh.hpp: refreshing an item a little before it is stale, the
// more likely the nearer that is and the longer its fetch takes: XFetch of
// Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede
// Prevention" (VLDB 2015).
#pragma once

#include <cstdint>

#include "time.hpp"

namespace cacheback::core {

// True when now - fetch * beta * ln(draw) >= expiry; `left` is expiry - now,
// and `draw` evenly spread over (0, 1]. So a read with `left` to go refreshes
// with a probability of exp(-left / (beta * fetch)).
[[nodiscard]] bool refreshes_early(Millis left, std::uint32_t fetch_ms,
                                   double beta, double draw) noexcept;

}  // namespace cacheback::core
