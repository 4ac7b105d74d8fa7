// redis/cluster.hpp: which node of a Redis Cluster holds which keys, as the
// nodes tell it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cacheback::redis {

inline constexpr unsigned slot_count = 16384;
// More than Redis is made for.
inline constexpr std::size_t most_nodes = 1024;

// The slot of a key: CRC16 (XMODEM) of what stands between its first '{' and
// the next '}', or of all of it where nothing does.
[[nodiscard]] unsigned slot_of(std::string_view key) noexcept;

struct ClusterNode {
    std::string host;  // an address, or a name where no address is told
    std::string name;  // that was given to it; may be empty
    std::uint16_t port = 0;
};

struct SlotRange {
    std::uint16_t first, last;
    std::uint16_t node;  // index
};

struct ClusterMap {
    std::vector<ClusterNode> nodes;  // those that hold slots
    std::vector<SlotRange> ranges;
    // The highest config epoch in it. Each change of who holds what makes a
    // higher one, as a rule: a node that was cut off tells a lower one.
    std::uint64_t epoch = 0;
    unsigned slots = 0;  // how many somebody holds
};

// The answer to CLUSTER NODES. `asked`: the host that gave it, for a node that
// does not know its own address. Nothing when it is none, names no slot or more
// than there are, or too many nodes.
[[nodiscard]] std::optional<ClusterMap> read_cluster_nodes(
    std::string_view text, const std::string& asked);

// The error that names another node.
struct Redirection {
    bool ask = false;  // for this command only
    unsigned slot = 0;
    std::string host;  // empty: the one that was asked
    std::uint16_t port = 0;
};
[[nodiscard]] std::optional<Redirection> read_redirection(
    std::string_view error);

}  // namespace cacheback::redis
