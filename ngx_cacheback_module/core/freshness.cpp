// core/freshness.cpp: see freshness.hpp. Lengths are clamped at 2^31 s where
// they are read, so no sum below can overflow.
#include "freshness.hpp"

#include <algorithm>

#include "http_date.hpp"
#include "targeted_field.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

// Of several values the first counts; what is not a number is as if it were
// not there (RFC 9111 5.1).
void read_age(CachingFields& read, std::string_view value, bool& seen) {
    std::string_view first;
    if (!seen && ListMembers(value).next(first)) {
        seen = true;
        read.age = parse_seconds(first).value_or(0);
    }
}

// As nginx reads it: what is not a number, `off` too, says nothing.
void read_accel_expires(CachingFields& read, std::string_view value) {
    if (read.accel_seconds || read.accel_time) { return; }
    if (!value.empty() && value.front() == '@') {
        // Not clamped at 2^31 s: a point in time, not a length.
        const std::string_view digits = value.substr(1);
        if (digits.size() <= 12) {
            Seconds time = 0;
            for (char c : digits) {
                if (!is_digit(c)) { return; }
                time = time * 10 + (c - '0');
            }
            if (!digits.empty()) { read.accel_time = time; }
        }
    } else {
        read.accel_seconds = parse_seconds(value);
    }
}

// Of several values the earliest counts, one that cannot be read before all
// others (RFC 9111 4.2.1, 5.3).
void read_expires(CachingFields& read, std::string_view value, Seconds now) {
    const auto time = parse_http_date(value, now);
    if (!read.has_expires) {
        read.expires = time;
    } else if (!time || !read.expires) {
        read.expires.reset();
    } else {
        read.expires = std::min(*read.expires, *time);
    }
    read.has_expires = true;
}

constexpr Seconds clamp_length(Seconds length) noexcept {
    return std::clamp<Seconds>(length, 0, max_seconds);
}

}  // namespace

NamedLifetime less_age(Seconds length, Seconds age) noexcept {
    NamedLifetime lifetime;
    lifetime.zero = length <= 0;
    lifetime.fresh_for = clamp_length(clamp_length(length) - age) * second;
    return lifetime;
}

CachingFields read_caching_fields(Fields fields, unsigned ignore, Millis now) {
    CachingFields read;
    const Seconds now_seconds = now / second;
    const bool targeted =
        (ignore & ignore_cdn_cache_control) == 0 &&
        read_targeted(fields, "CDN-Cache-Control", read.control);
    bool age_seen = false;
    for (const Field& field : fields) {
        if (iequal(field.name, "Cache-Control")) {
            if (!targeted && (ignore & ignore_cache_control) == 0) {
                read.control.read(field.value);
            }
        } else if (iequal(field.name, "Expires")) {
            if (!targeted && (ignore & ignore_expires) == 0) {
                read_expires(read, field.value, now_seconds);
            }
        } else if (iequal(field.name, "X-Accel-Expires")) {
            if ((ignore & ignore_x_accel_expires) == 0) {
                read_accel_expires(read, trim(field.value));
            }
        } else if (iequal(field.name, "Date")) {
            if (!read.date) {
                read.date = parse_http_date(field.value, now_seconds);
            }
        } else if (iequal(field.name, "Last-Modified")) {
            if (!read.last_modified) {
                read.last_modified = parse_http_date(field.value, now_seconds);
            }
        } else if (iequal(field.name, "Age")) {
            read_age(read, field.value, age_seen);
        }
    }
    return read;
}

Seconds received_age(const CachingFields& fields) noexcept {
    return clamp_length(fields.age);
}

std::optional<NamedLifetime> named_lifetime(const CachingFields& fields,
                                            Seconds age, Millis now) noexcept {
    if (fields.accel_time) {
        NamedLifetime lifetime = less_age(*fields.accel_time - now / second, 0);
        lifetime.by_accel = true;
        return lifetime;
    }
    if (fields.accel_seconds) {
        NamedLifetime lifetime = less_age(*fields.accel_seconds, age);
        lifetime.by_accel = true;
        return lifetime;
    }
    if (fields.control.s_maxage) {
        return less_age(*fields.control.s_maxage, age);
    }
    if (fields.control.max_age) {
        return less_age(*fields.control.max_age, age);
    }
    if (fields.has_expires) {
        const Seconds since = fields.date.value_or(now / second);
        return less_age(fields.expires ? *fields.expires - since : 0, age);
    }
    return std::nullopt;
}

NamedLifetime within_bounds(NamedLifetime lifetime,
                            const Policy& policy) noexcept {
    lifetime.fresh_for = std::max(lifetime.fresh_for, policy.min_lifetime);
    if (policy.max_lifetime) {
        lifetime.fresh_for = std::min(lifetime.fresh_for, *policy.max_lifetime);
    }
    lifetime.fresh_for = std::min(lifetime.fresh_for, max_seconds * second);
    lifetime.zero = lifetime.zero && lifetime.fresh_for == 0;
    return lifetime;
}

}  // namespace cacheback::core
