// t/fuzz/fuzz.hpp: what the fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/field.hpp"

inline void require(bool holds) {
    if (!holds) { std::abort(); }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Up to `end`, which is taken as well.
inline std::string_view take_until(char end, std::string_view& input) {
    const std::string_view part = input.substr(0, input.find(end));
    input.remove_prefix(std::min(part.size() + 1, input.size()));
    return part;
}

// Each line of the input is a field: its first byte picks the name, the rest is
// the value.
template <std::size_t count>
std::vector<cacheback::core::Field> fields_of(
    const std::string_view (&names)[count], std::string_view input) {
    std::vector<cacheback::core::Field> fields;
    while (!input.empty()) {
        const std::string_view line = take_until('\n', input);
        if (line.empty()) { continue; }
        const auto pick = static_cast<unsigned char>(line.front());
        fields.push_back({names[pick % count], line.substr(1)});
    }
    return fields;
}

inline cacheback::core::Fields view_of(
    const std::vector<cacheback::core::Field>& list) {
    return {list.data(), list.size()};
}
