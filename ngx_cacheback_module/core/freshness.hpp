// core/freshness.hpp: how long a response says it is fresh, and how old it was
// when it came (RFC 9111 4.2). Pure: time is an argument.
#pragma once

#include <optional>

#include "cache_control.hpp"
#include "field.hpp"
#include "policy.hpp"
#include "time.hpp"

namespace cacheback::core {

// The fields of a response that bear on its lifetime, read once.
struct CachingFields {
    // Of CDN-Cache-Control where that field is valid, else of Cache-Control.
    CacheControl control;
    std::optional<Seconds> accel_seconds;  // X-Accel-Expires: 60
    std::optional<Seconds> accel_time;     // X-Accel-Expires: @1700000000
    bool has_expires = false;
    std::optional<Seconds> expires;  // nothing: not a date, so long past
    std::optional<Seconds> date;
    std::optional<Seconds> last_modified;
    Seconds age = 0;
};

// `ignore` has the bits of Policy::ignore; `now` places two-digit years.
[[nodiscard]] CachingFields read_caching_fields(Fields fields, unsigned ignore,
                                                Millis now);

// Policy `cacheback`: what other caches on the way say of its age. The Date of
// the origin does not count: one whose clock is slow would make stale answers
// only.
[[nodiscard]] Seconds received_age(const CachingFields& fields) noexcept;

struct NamedLifetime {
    Millis fresh_for = 0;   // what is left of it at `now`
    bool zero = false;      // it is 0 by its own words, not by age
    bool by_accel = false;  // X-Accel-Expires named it
};

// The lifetime that the response names: X-Accel-Expires, CDN-Cache-Control,
// Cache-Control (s-maxage, then max-age), Expires, in this order. `age`, when
// it came, counts against all of them but `X-Accel-Expires: @time`.
[[nodiscard]] std::optional<NamedLifetime> named_lifetime(
    const CachingFields& fields, Seconds age, Millis now) noexcept;

// A lifetime of this length, of which `age` has passed.
[[nodiscard]] NamedLifetime less_age(Seconds length, Seconds age) noexcept;

// The same within the policy's bounds. They hold for what is left of it here,
// so an Age that came along makes no item that is asked for all the time. A 0
// is lifted like any other lifetime.
[[nodiscard]] NamedLifetime within_bounds(NamedLifetime lifetime,
                                          const Policy& policy) noexcept;

}  // namespace cacheback::core
