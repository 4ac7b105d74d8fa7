// core/freshness.hpp: how long a response says it is fresh, and how old it was
// when it came (RFC 9111 4.2). Pure: time is an argument.
#pragma once

#include <optional>

#include "cache_control.hpp"
#include "field.hpp"
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
    Seconds age = 0;
};

// `ignore` has the bits of Policy::ignore; `now` places two-digit years.
[[nodiscard]] CachingFields read_caching_fields(Fields fields, unsigned ignore,
                                                Millis now);

// The corrected initial age (RFC 9111 4.2.3), without the response's delay: an
// origin that needs three seconds would otherwise make stale answers only.
[[nodiscard]] Seconds initial_age(const CachingFields& fields,
                                  Millis now) noexcept;

struct NamedLifetime {
    Millis fresh_for = 0;   // what is left of it at `now`
    bool zero = false;      // it is 0 by its own words, not by age
    bool by_accel = false;  // X-Accel-Expires named it
};

// The lifetime that the response names: X-Accel-Expires, CDN-Cache-Control,
// Cache-Control (s-maxage, then max-age), Expires, in this order. Age counts
// against all of them but `X-Accel-Expires: @time`.
[[nodiscard]] std::optional<NamedLifetime> named_lifetime(
    const CachingFields& fields, Millis now) noexcept;

}  // namespace cacheback::core
