// core/time.hpp: the units of time that the rules are written in.
// Every point in time is wall-clock, every length says its unit by its type.
#pragma once

#include <cstdint>

namespace cacheback::core {

using Millis = std::int64_t;   // a length, or a time since the epoch
using Seconds = std::int64_t;  // likewise; what HTTP fields carry

inline constexpr Millis second = 1000;

// No length that HTTP names is longer (RFC 9111 1.2.2), so that sums of some
// of them cannot overflow.
inline constexpr Seconds max_seconds = Seconds{1} << 31;

}  // namespace cacheback::core
