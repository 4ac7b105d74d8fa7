// core/targeted_field.hpp: CDN-Cache-Control and its kin (RFC 9213): the words
// of Cache-Control in the grammar of a structured dictionary (RFC 8941).
#pragma once

#include <string_view>

#include "cache_control.hpp"
#include "field.hpp"

namespace cacheback::core {

// Reads all lines of the targeted field `name`. True when there is one that
// counts: it parses, is not empty, and no directive in it has a value of the
// wrong type. A cache then leaves Cache-Control and Expires alone; else the
// field counts as absent and `control` stays untouched (RFC 9213 2.1, 2.2).
[[nodiscard]] bool read_targeted(Fields fields, std::string_view name,
                                 CacheControl& control) noexcept;

}  // namespace cacheback::core
