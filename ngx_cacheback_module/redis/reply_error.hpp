// redis/reply_error.hpp: what an error reply of Redis means to us.
#pragma once

#include <string_view>

namespace cacheback::redis {

enum class ErrorKind : unsigned char {
    loading,      // reads its data set from disk
    readonly,     // a replica
    master_down,  // a replica without its master, told not to answer
    cluster_down,
    try_again,  // keys are on their way between two nodes
    no_auth,    // a password is wanted, none was given
    wrong_pass,
    no_perm,  // the user's access rules forbid the command or the key
    oom,      // maxmemory reached and nothing may be evicted
    misconf,  // writes are refused because saving to disk fails
    no_script,
    moved,  // cluster: the slot lives elsewhere
    ask,    // cluster: the slot is being moved
    busy,   // a script runs for too long
    other,
};

// `text` is the error reply without its leading '-'.
[[nodiscard]] ErrorKind error_kind(std::string_view text) noexcept;

// The server takes no writes, and may well answer reads.
[[nodiscard]] bool concerns_writes(ErrorKind kind) noexcept;

}  // namespace cacheback::redis
