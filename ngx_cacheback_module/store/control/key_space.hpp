// store/control/key_space.hpp: keys of responses and keys of values that Lua
// stores share the tables and the Redis of a store, and can never be the same.
#pragma once

#include <string_view>

namespace cacheback::store {

// What keys of values begin with. Those of responses never do.
inline constexpr std::string_view value_space = "lua:";

// True for a response's key that has to get a colon in front: it would stand
// in the space of values. So would one that has colons before that already;
// another one for each of them keeps different keys different.
[[nodiscard]] inline bool needs_colon(std::string_view key) noexcept {
    const auto start = key.find_first_not_of(':');
    return start != std::string_view::npos &&
           key.compare(start, value_space.size(), value_space) == 0;
}

}  // namespace cacheback::store
