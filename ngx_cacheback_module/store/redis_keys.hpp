// store/redis_keys.hpp: the names of a store's keys in Redis
// (docs/ENTRY_FORMAT.md, "In Redis").
#pragma once

#include <string>
#include <string_view>

#include "../ngx/ngx.hpp"
#include "lease_table.hpp"

namespace cacheback::store {

// What stands for a key's text in names: its MD5 in hexadecimal.
class KeyDigest {
  public:
    static constexpr std::size_t size = 32;

    explicit KeyDigest(std::string_view text) noexcept;
    [[nodiscard]] std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(hex_), size};
    }

  private:
    u_char hex_[size];
};

// All keys of one item share what stands in braces, and so one cluster slot.
class RedisKeys {
  public:
    // `box`: ControlZone::box().
    RedisKeys(std::string_view prefix, std::uint64_t box);

    [[nodiscard]] std::string_view head() const noexcept { return head_; }
    [[nodiscard]] std::string entry(const KeyDigest& digest) const;
    [[nodiscard]] std::string lease(const KeyDigest& digest) const;
    [[nodiscard]] std::string epochs(const KeyDigest& digest) const;
    // The value of a lease: who holds it, the box first.
    [[nodiscard]] std::string holder(LeaseToken token) const;
    // Where an entry stands until the holder of the lease commits it.
    [[nodiscard]] std::string fetched(const KeyDigest& digest,
                                      LeaseToken token) const;
    [[nodiscard]] const std::string& feed() const noexcept { return feed_; }
    [[nodiscard]] const std::string& probe() const noexcept { return probe_; }

  private:
    std::string head_;  // prefix and '{'
    std::string feed_, probe_;
    std::string box_;
};

}  // namespace cacheback::store
