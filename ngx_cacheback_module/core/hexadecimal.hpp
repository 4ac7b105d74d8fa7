// core/hexadecimal.hpp: numbers as sixteen hexadecimal digits, as names and
// messages have them.
#pragma once

#include <cstdint>
#include <string>

namespace cacheback::core {

[[nodiscard]] inline std::string hexadecimal(std::uint64_t number) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text(2 * sizeof(number), '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit) {
        *digit = digits[number & 15U];
        number >>= 4U;
    }
    return text;
}

}  // namespace cacheback::core
