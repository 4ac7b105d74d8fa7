#include "redis_keys.hpp"

namespace cacheback::store {

KeyDigest::KeyDigest(std::string_view text) noexcept {
    ngx_md5_t md5;
    u_char binary[16];
    ngx_md5_init(&md5);
    ngx_md5_update(&md5, text.data(), text.size());
    ngx_md5_final(binary, &md5);
    (void)ngx_hex_dump(hex_, binary, sizeof(binary));
}

namespace {

std::string hexadecimal(std::uint64_t number) {
    u_char text[2 * sizeof(number)];
    const u_char* end = ngx_sprintf(text, "%016xL", number);
    return {reinterpret_cast<char*>(text),
            static_cast<std::size_t>(end - text)};
}

}  // namespace

RedisKeys::RedisKeys(std::string_view prefix, std::uint64_t box)
    : head_(std::string(prefix) + "{"),
      feed_(std::string(prefix) + "feed"),
      probe_(std::string(prefix) + "probe"),
      box_(hexadecimal(box)) {}

std::string RedisKeys::entry(const KeyDigest& digest) const {
    std::string name = head_;
    return name.append(digest.view()).append("}");
}

std::string RedisKeys::lease(const KeyDigest& digest) const {
    return entry(digest).append(":lease");
}

std::string RedisKeys::epochs(const KeyDigest& digest) const {
    return entry(digest).append(":epochs");
}

std::string RedisKeys::fetched(const KeyDigest& digest,
                               LeaseToken token) const {
    return entry(digest).append(":").append(holder(token));
}

std::string RedisKeys::holder(LeaseToken token) const {
    return box_ + hexadecimal(token);
}

}  // namespace cacheback::store
