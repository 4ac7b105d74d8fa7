// lua/value_entry.hpp: a value of Lua as an entry: the body is its bytes, a
// field of one letter says what they are. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../core/entry.hpp"

namespace cacheback::lua {

// Seconds as Lua has them; what is no time, or longer than any, is bounded.
[[nodiscard]] core::Millis to_millis(double seconds) noexcept;

struct Value {
    std::string_view bytes;
    char kind = 0;  // a letter: what the bytes are is lua_shim's business
};

// How long it is fresh, stale and kept: fresh until `expiry`, gone `ttl` after
// `now`.
[[nodiscard]] core::Windows value_windows(core::Millis expiry, core::Millis ttl,
                                          core::Millis now) noexcept;

// The head of the entry; the value's bytes follow it.
[[nodiscard]] std::string make_value_head(std::string_view key,
                                          const Value& value,
                                          const core::Windows& windows,
                                          core::Millis now, core::Millis took);

// Nothing for an entry that is none of a value.
[[nodiscard]] std::optional<Value> read_value(
    const core::EntryView& entry) noexcept;

}  // namespace cacheback::lua
