// core/vary_record.hpp: what stands in Redis in place of the entry of an item
// that varies (docs/ENTRY_FORMAT.md, "Variants"): on which request fields, and
// a generation that is part of the names of its variants.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cacheback::core {

struct VaryRecord {
    static constexpr std::size_t generation_size = 16;

    std::string_view generation;  // lower-case hexadecimal digits
    std::string_view names;       // as vary_names() has them
};

[[nodiscard]] std::string write_vary_record(const VaryRecord& record);

// Views into `bytes`; nothing when they are no record.
[[nodiscard]] std::optional<VaryRecord> read_vary_record(
    std::string_view bytes) noexcept;

// Whether these first bytes of a value are those of a record.
[[nodiscard]] bool begins_vary_record(std::string_view bytes) noexcept;

}  // namespace cacheback::core
