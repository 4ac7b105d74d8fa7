// core/cache_status.hpp: how a cache says what it has done with a request: one
// member of the Cache-Status field (RFC 9211), a structured field (RFC 9651).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "time.hpp"

namespace cacheback::core {

// Why a request went on to the origin (RFC 9211 2.2).
enum class Forward : unsigned char {
    none,       // it did not
    bypass,     // the configuration says so
    method,     // its method asks for it
    uri_miss,   // nothing is stored for this URI
    vary_miss,  // something is, for requests with other fields
    miss,       // one of both: nobody has looked
    request,    // fresh, but the request does not take it
    stale,      // stored, and stale
    partial,    // stored in part
};

// What does not hold, or is not known, is left out.
struct CacheStatus {
    bool hit = false;
    Forward forward = Forward::none;
    unsigned forward_status = 0;
    std::optional<Seconds> ttl;  // negative: stale
    bool stored = false;
    std::optional<bool> collapsed;  // false: it was to be, and could not
    std::string_view key;
    std::string_view detail;  // a token
};

// The name of a cache as it stands in the field: a token as it is, else a
// string in quotes. A text that has its quotes already must be right within.
// Nothing when it can be neither.
[[nodiscard]] std::optional<std::string> cache_name(std::string_view text);

// The member; `name` is what cache_name() gave. A key's bytes that no string
// may hold are shown as %XX.
[[nodiscard]] std::string cache_status(std::string_view name,
                                       const CacheStatus& status);

}  // namespace cacheback::core
