// core/crc32c.cpp: SSE 4.2 chosen when the program runs, eight tables else.
#include "crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#include "little_endian.hpp"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace cacheback::core {

namespace {

using Table = std::array<std::uint32_t, 256>;

// tables[n][b]: the checksum of byte b followed by n zero bytes.
constexpr std::array<Table, 8> make_tables() noexcept {
    constexpr std::uint32_t polynomial = 0x82f63b78;  // bits reversed
    std::array<Table, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
        }
        tables[0][byte] = crc;
    }
    for (std::size_t n = 1; n < tables.size(); ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[n - 1][byte];
            tables[n][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
    return tables;
}

constexpr std::array<Table, 8> tables = make_tables();

}  // namespace

std::uint32_t crc32c_by_table(std::uint32_t seed,
                              std::string_view bytes) noexcept {
    std::uint32_t crc = ~seed;
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = load<std::uint64_t>(at) ^ crc;
        crc = 0;
        for (std::size_t n = tables.size(); n-- > 0; word >>= 8) {
            crc ^= tables[n][word & 0xff];
        }
    }
    for (; left > 0; ++at, --left) {
        const auto byte = static_cast<unsigned char>(*at);
        crc = (crc >> 8) ^ tables[0][(crc ^ byte) & 0xff];
    }
    return ~crc;
}

#if defined(__x86_64__)

bool crc32c_has_instruction() noexcept {
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(
    std::uint32_t seed, std::string_view bytes) noexcept {
    std::uint64_t crc = ~seed;
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 32; at += 32, left -= 32) {
        crc = _mm_crc32_u64(crc, load<std::uint64_t>(at));
        crc = _mm_crc32_u64(crc, load<std::uint64_t>(at + 8));
        crc = _mm_crc32_u64(crc, load<std::uint64_t>(at + 16));
        crc = _mm_crc32_u64(crc, load<std::uint64_t>(at + 24));
    }
    for (; left >= 8; at += 8, left -= 8) {
        crc = _mm_crc32_u64(crc, load<std::uint64_t>(at));
    }
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; left > 0; ++at, --left) {
        narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
    }
    return ~narrow;
}

#else

bool crc32c_has_instruction() noexcept { return false; }

std::uint32_t crc32c_by_instruction(std::uint32_t seed,
                                    std::string_view bytes) noexcept {
    return crc32c_by_table(seed, bytes);
}

#endif

std::uint32_t crc32c(std::uint32_t seed, std::string_view bytes) noexcept {
    return crc32c_has_instruction() ? crc32c_by_instruction(seed, bytes)
                                    : crc32c_by_table(seed, bytes);
}

}  // namespace cacheback::core
