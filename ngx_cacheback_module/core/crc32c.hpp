// core/crc32c.hpp: CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of stored
// entries: cheap enough to be computed over each one that Redis returns.
#pragma once

#include <cstdint>
#include <string_view>

namespace cacheback::core {

// By the processor's instruction where it has one. `seed` is the checksum of
// what comes before `bytes`, 0 at the start.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t seed,
                                   std::string_view bytes) noexcept;

// The two ways, for the test that compares them.
[[nodiscard]] std::uint32_t crc32c_by_table(std::uint32_t seed,
                                            std::string_view bytes) noexcept;
[[nodiscard]] bool crc32c_has_instruction() noexcept;
// Only where crc32c_has_instruction().
[[nodiscard]] std::uint32_t crc32c_by_instruction(
    std::uint32_t seed, std::string_view bytes) noexcept;

}  // namespace cacheback::core
