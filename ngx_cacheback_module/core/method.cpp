#include "method.hpp"

#include <algorithm>
#include <iterator>

namespace cacheback::core {

bool is_safe_method(std::string_view method) noexcept {
    // Case counts (RFC 9110 9.1).
    static constexpr std::string_view safe[] = {"GET",      "HEAD",   "OPTIONS",
                                                "TRACE",    "PRI",    "QUERY",
                                                "PROPFIND", "REPORT", "SEARCH"};
    return std::find(std::begin(safe), std::end(safe), method) !=
           std::end(safe);
}

}  // namespace cacheback::core
