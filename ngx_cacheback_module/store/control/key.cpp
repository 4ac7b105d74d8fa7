// store/control/key.cpp: the hash behind both tables in shared memory.
#include "key.hpp"

#include <cstddef>
#include <cstring>

namespace cacheback::store {
namespace {

// Odd constants with about as many ones as zeros; any such would do.
constexpr std::uint64_t first_salt = 0x9d39247e33776d41ULL;
constexpr std::uint64_t second_salt = 0xc2b2ae3d27d4eb4fULL;

std::uint64_t load(const char* at, std::size_t size) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, at, size);
    return value;
}

std::uint64_t load8(const char* at) noexcept { return load(at, 8); }

std::uint64_t load4(const char* at) noexcept { return load(at, 4); }

// Both halves of the 128-bit product, one upon the other.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
#ifdef __SIZEOF_INT128__
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^
           static_cast<std::uint64_t>(product >> 64);
#else
    const std::uint64_t low_mask = 0xffffffffU;
    const std::uint64_t low = (a & low_mask) * (b & low_mask);
    const std::uint64_t cross = (a >> 32) * (b & low_mask) + (low >> 32);
    const std::uint64_t other = (a & low_mask) * (b >> 32) + (cross & low_mask);
    const std::uint64_t high =
        (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32);
    return ((other << 32) | (low & low_mask)) ^ high;
#endif
}

}  // namespace

// A factor of 0 would erase all that was read before, so both factors hold a
// secret: nobody who does not know the seed can bring one about.
std::uint64_t seeded_hash(std::uint64_t seed, std::string_view text) noexcept {
    const std::uint64_t secret = fold(seed ^ first_salt, second_salt);
    std::uint64_t state = seed ^ second_salt;
    const char* at = text.data();
    std::size_t left = text.size();

    for (; left > 16; left -= 16, at += 16) {
        state = fold(load8(at) ^ state, load8(at + 8) ^ secret);
    }

    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    if (left >= 8) {
        head = load8(at);
        tail = load8(at + left - 8);
    } else if (left >= 4) {
        head = load4(at);
        tail = load4(at + left - 4);
    } else if (left > 0) {
        head = load(at, 1);
        tail = load(at + left / 2, 1) << 8 | load(at + left - 1, 1);
    }
    state = fold(head ^ state, tail ^ secret);
    return fold(state ^ secret, text.size() ^ first_salt);
}

}  // namespace cacheback::store
