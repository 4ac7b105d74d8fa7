// redis/sentinel.hpp: what Sentinels say of who the master is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reply_reader.hpp"

namespace cacheback::redis {

struct SentinelMaster {
    std::string host;  // an address, or a name where Sentinels announce names
    std::uint16_t port = 0;
    // Counted up with each failover: a Sentinel that was away knows an older
    // one.
    std::uint64_t epoch = 0;
};

void append_sentinel_master(std::string& out, std::string_view name);

// The answer to it; nothing when it is none.
[[nodiscard]] std::optional<SentinelMaster> read_sentinel_master(
    const Reply& reply);

// Whom to believe when they disagree: the latest failover, and what most say of
// it. Null: nobody said anything.
[[nodiscard]] const SentinelMaster* choose_master(
    const std::vector<SentinelMaster>& answers) noexcept;

}  // namespace cacheback::redis
