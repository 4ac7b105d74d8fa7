// store/fleet/redis_keys.hpp: the names of a store's keys in Redis
// (docs/ENTRY_FORMAT.md, "In Redis").
#pragma once

#include <string>
#include <string_view>

#include "../../ngx/ngx.hpp"
#include "../control/lease_table.hpp"
#include "../memory/text_digest.hpp"

namespace cacheback::store {

// All keys of one item share what stands in braces, and so one cluster slot.
class RedisKeys {
  public:
    // `box`: ControlZone::box().
    RedisKeys(std::string_view prefix, std::uint64_t box);

    [[nodiscard]] std::string_view head() const noexcept { return head_; }
    [[nodiscard]] std::string entry(const TextDigest& digest) const;
    // Of one variant, of a generation (core::VaryRecord).
    [[nodiscard]] std::string variant(const TextDigest& digest,
                                      std::string_view generation,
                                      std::string_view variant) const;
    // Of the item, or of one variant where it is not empty.
    [[nodiscard]] std::string lease(const TextDigest& digest,
                                    std::string_view variant) const;
    [[nodiscard]] std::string epochs(const TextDigest& digest) const;
    // The list of the variants that there are.
    [[nodiscard]] std::string variants(const TextDigest& digest) const;
    // The value of a lease: who holds it, the box first.
    [[nodiscard]] std::string holder(LeaseToken token) const;
    // Where an entry stands until the holder of the lease commits it.
    [[nodiscard]] std::string fetched(const TextDigest& digest,
                                      LeaseToken token) const;
    [[nodiscard]] const std::string& feed() const noexcept { return feed_; }
    // The marks of purged tags, in the slot of the feed.
    [[nodiscard]] const std::string& purges() const noexcept { return purges_; }
    [[nodiscard]] const std::string& probe() const noexcept { return probe_; }

  private:
    std::string head_;  // prefix and '{'
    std::string feed_, purges_, probe_;
    std::string box_;
};

}  // namespace cacheback::store
