// ngx/hmac.hpp: HMAC-SHA256 (RFC 2104), by the OpenSSL that nginx was built
// with.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "ngx.hpp"

namespace cacheback::ngx {

class Hmac {
  public:
    // False: nginx was built without OpenSSL, and there is no object of this
    // class.
#if (NGX_SSL)
    static constexpr bool available = true;
#else
    static constexpr bool available = false;
#endif

    using Mac = std::array<unsigned char, 32>;

    // May throw bad_alloc.
    explicit Hmac(std::string_view key);
    ~Hmac();
    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;

    // Of all the pieces, one behind the other.
    [[nodiscard]] Mac of(const std::vector<std::string_view>& pieces);

    // In the same time wherever they differ.
    [[nodiscard]] static bool same(const Mac& mac,
                                   std::string_view other) noexcept;

  private:
    struct Digest;  // of SHA-256

    // What the key makes of the two hashes, and the one that is at work.
    Digest* inner_ = nullptr;
    Digest* outer_ = nullptr;
    Digest* work_ = nullptr;
};

}  // namespace cacheback::ngx
