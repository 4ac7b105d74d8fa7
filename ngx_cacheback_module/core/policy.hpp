// core/policy.hpp: what a location asks of the cache, as plain values with all
// variables evaluated; the input of the rules beside the response itself.
#pragma once

#include <optional>

#include "time.hpp"

namespace cacheback::core {

// Bits of `Policy::ignore`, one per field that cacheback_ignore_headers names.
enum IgnoredField : unsigned {
    ignore_cache_control = 1U << 0,
    ignore_cdn_cache_control = 1U << 1,
    ignore_expires = 1U << 2,
    ignore_set_cookie = 1U << 3,
    ignore_vary = 1U << 4,
    ignore_x_accel_expires = 1U << 5,
    ignore_authorization = 1U << 6,  // of requests
    ignore_cookie = 1U << 7,         // of requests
};

enum class PolicyName : unsigned char { cacheback, rfc9111 };

// Where the policies part before there is a response. What each makes of one:
// storability.cpp and rfc9111.cpp.
struct PolicyTraits {
    bool serves_authorized;  // requests with Authorization are looked up
    bool heeds_requests;     // the caching directives of requests count
    bool uses_lifetimes;     // cacheback_lifetime, where a response names none
    bool updates_by_head;    // HEAD responses update what is stored for GET
    bool removes_changed;    // what unsafe requests change is not served stale
};

[[nodiscard]] constexpr PolicyTraits traits_of(PolicyName policy) noexcept {
    return policy == PolicyName::rfc9111
               ? PolicyTraits{true, true, false, true, true}
               : PolicyTraits{false, false, true, false, false};
}

struct Policy {
    PolicyName name = PolicyName::cacheback;
    // What cacheback_lifetime gives for the status of this response; nothing
    // where no line names the status, 0 where one says "not stored".
    std::optional<Millis> lifetime;
    Millis ttl = 30LL * 24 * 3600 * second;  // an item is gone after this
    // Served this long past freshness when the origin fails, where the
    // response does not say; as long as it is kept at most.
    Millis stale_if_error = ttl;
    // Bounds of the lifetimes that responses name; where they cross, the upper
    // one holds.
    Millis min_lifetime = 0;
    std::optional<Millis> max_lifetime;
    unsigned ignore = 0;
};

}  // namespace cacheback::core
