// core/http_date.hpp: HTTP dates (RFC 9110 5.6.7), all three received forms.
#pragma once

#include <optional>
#include <string_view>

#include "time.hpp"

namespace cacheback::core {

// Seconds since the epoch; nothing for anything that is not a date in one of
// the three forms, or names a zone other than GMT.
// `now` places the two-digit years of the RFC 850 form (within 50 years).
[[nodiscard]] std::optional<Seconds> parse_http_date(std::string_view text,
                                                     Seconds now) noexcept;

}  // namespace cacheback::core
