#include "text_digest.hpp"

#include <charconv>

namespace cacheback::store {

TextDigest::TextDigest(std::string_view text) noexcept {
    ngx_md5_t md5;
    u_char binary[16];
    ngx_md5_init(&md5);
    ngx_md5_update(&md5, text.data(), text.size());
    ngx_md5_final(binary, &md5);
    (void)ngx_hex_dump(hex_, binary, sizeof(binary));
}

std::uint64_t number_of(std::string_view digest) noexcept {
    std::uint64_t number = 0;
    if (digest.size() != TextDigest::size) { return 0; }
    const char* end = digest.data() + TextDigest::size / 2;
    return std::from_chars(digest.data(), end, number, 16).ptr == end ? number
                                                                      : 0;
}

}  // namespace cacheback::store
