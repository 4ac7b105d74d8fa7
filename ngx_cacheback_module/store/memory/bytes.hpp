// store/memory/bytes.hpp: an entry's bytes in several pieces, for writing.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace cacheback::store {

// Pieces in order: the head first, then the body as it was captured. The
// memory belongs to the caller and must last for the call it is given to.
using Pieces = std::vector<std::string_view>;

[[nodiscard]] inline std::size_t total(const Pieces& pieces) noexcept {
    std::size_t sum = 0;
    for (std::string_view piece : pieces) { sum += piece.size(); }
    return sum;
}

}  // namespace cacheback::store
