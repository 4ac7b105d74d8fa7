// core/little_endian.hpp: integers in stored bytes, at any alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace cacheback::core {

namespace detail {

template <class Integer>
[[nodiscard]] constexpr Integer swap_if_big(Integer value) noexcept {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    std::make_unsigned_t<Integer> from = value, to = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i, from >>= 8) {
        to = static_cast<decltype(to)>((to << 8) | (from & 0xff));
    }
    return static_cast<Integer>(to);
#else
    return value;
#endif
}

}  // namespace detail

template <class Integer>
[[nodiscard]] inline Integer load(const char* bytes) noexcept {
    static_assert(std::is_integral_v<Integer>);
    Integer value;
    std::memcpy(&value, bytes, sizeof(value));
    return detail::swap_if_big(value);
}

template <class Integer>
inline void store(char* bytes, Integer value) noexcept {
    static_assert(std::is_integral_v<Integer>);
    value = detail::swap_if_big(value);
    std::memcpy(bytes, &value, sizeof(value));
}

template <class Integer>
inline void append(std::string& bytes, Integer value) {
    char buffer[sizeof(value)];
    store(buffer, value);
    bytes.append(buffer, sizeof(buffer));
}

}  // namespace cacheback::core
