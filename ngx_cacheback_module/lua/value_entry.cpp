// lua/value_entry.cpp: see value_entry.hpp.
#include "value_entry.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cacheback::lua {

namespace {

constexpr std::string_view kind_field = "Cacheback-Value";
constexpr std::uint16_t value_status = 200;  // entries have one

constexpr bool is_letter(char c) noexcept { return c >= 'a' && c <= 'z'; }

}  // namespace

core::Millis to_millis(double seconds) noexcept {
    // A point in time at most: the end of the year 9999.
    constexpr double most = 253402300799.0;
    if (!(seconds > 0)) { return 0; }  // also what is no number
    return std::llround(std::min(seconds, most) * 1000);
}

core::Windows value_windows(core::Millis expiry, core::Millis ttl,
                            core::Millis now) noexcept {
    constexpr core::Millis longest = core::max_seconds * core::second;
    core::Windows windows;
    windows.ttl = std::clamp<core::Millis>(ttl, 0, longest);
    windows.fresh_for = std::clamp<core::Millis>(expiry - now, 0, longest);
    windows.stale_for =
        std::max<core::Millis>(windows.ttl - windows.fresh_for, 0);
    windows.error_for = windows.stale_for;
    return windows;
}

std::string make_value_head(std::string_view key, const Value& value,
                            const core::Windows& windows, core::Millis now,
                            core::Millis took) {
    const core::Field field{kind_field, {&value.kind, 1}};
    core::EntryParts parts;
    parts.meta.status = value_status;
    parts.meta.stored = now;
    parts.meta.windows = windows;
    parts.meta.fetch_ms = static_cast<std::uint32_t>(
        std::clamp<core::Millis>(took, 0, 0xffffffff));
    parts.meta.body_size = static_cast<std::uint32_t>(value.bytes.size());
    parts.key = key;
    parts.fields = {&field, 1};
    parts.body_checksum = core::crc32c(0, value.bytes);
    return core::make_head(parts);
}

std::optional<Value> read_value(const core::EntryView& entry) noexcept {
    core::EntryFields fields = entry.fields();
    core::EntryField field{};
    // A fixed size: no call for the comparison.
    if (!fields.next(field) || field.name.size() != kind_field.size() ||
        std::memcmp(field.name.data(), kind_field.data(), kind_field.size()) !=
            0 ||
        field.value.size() != 1 || !is_letter(field.value.front())) {
        return std::nullopt;
    }
    return Value{entry.body(), field.value.front()};
}

}  // namespace cacheback::lua
