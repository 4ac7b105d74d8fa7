#include "redis_keys.hpp"

#include "../../core/hexadecimal.hpp"

namespace cacheback::store {

RedisKeys::RedisKeys(std::string_view prefix, std::uint64_t box)
    : head_(std::string(prefix) + "{"),
      feed_(std::string(prefix) + "feed"),
      purges_(head_ + feed_ + "}:purges"),
      probe_(std::string(prefix) + "probe"),
      box_(core::hexadecimal(box)) {}

std::string RedisKeys::entry(const TextDigest& digest) const {
    std::string name = head_;
    return name.append(digest.view()).append("}");
}

std::string RedisKeys::variant(const TextDigest& digest,
                               std::string_view generation,
                               std::string_view variant) const {
    return entry(digest)
        .append(":")
        .append(generation)
        .append(":")
        .append(variant);
}

std::string RedisKeys::lease(const TextDigest& digest,
                             std::string_view variant) const {
    std::string name = entry(digest).append(":lease");
    if (!variant.empty()) { name.append(":").append(variant); }
    return name;
}

std::string RedisKeys::epochs(const TextDigest& digest) const {
    return entry(digest).append(":epochs");
}

std::string RedisKeys::variants(const TextDigest& digest) const {
    return entry(digest).append(":variants");
}

std::string RedisKeys::fetched(const TextDigest& digest,
                               LeaseToken token) const {
    return entry(digest).append(":").append(holder(token));
}

std::string RedisKeys::holder(LeaseToken token) const {
    return box_ + core::hexadecimal(token);
}

}  // namespace cacheback::store
