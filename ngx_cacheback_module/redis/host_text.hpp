// redis/host_text.hpp: what a server may call a host. It is connected to,
// looked up, and written to the log.
#pragma once

#include <cstddef>
#include <string_view>

namespace cacheback::redis {

// A name, or an address without brackets.
[[nodiscard]] inline bool is_host(std::string_view text) noexcept {
    constexpr std::size_t longest = 255;
    if (text.empty() || text.size() > longest) { return false; }
    for (const char c : text) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                          c == '_' || c == ':' || c == '%';
        if (!fits) { return false; }
    }
    return true;
}

}  // namespace cacheback::redis
