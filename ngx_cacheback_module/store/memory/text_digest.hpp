// store/memory/text_digest.hpp: what stands for a text in names and messages:
// its MD5 in hexadecimal.
#pragma once

#include <string_view>

#include "../../ngx/ngx.hpp"

namespace cacheback::store {

class TextDigest {
  public:
    static constexpr std::size_t size = 32;

    explicit TextDigest(std::string_view text) noexcept;
    [[nodiscard]] std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(hex_), size};
    }

  private:
    u_char hex_[size];
};

// The first half of a digest as a number; 0 when it is none.
[[nodiscard]] std::uint64_t number_of(std::string_view digest) noexcept;

}  // namespace cacheback::store
