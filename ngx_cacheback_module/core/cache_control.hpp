// core/cache_control.hpp: the directives of responses, in Cache-Control and in
// the targeted fields that share its words (RFC 9111 5.2.2, RFC 5861, RFC 8246,
// RFC 9213). Those of requests: request_directives.hpp.
#pragma once

#include <optional>
#include <string_view>

#include "time.hpp"

namespace cacheback::core {

struct CacheControl {
    bool no_store = false;
    bool no_cache = false;         // without field names
    bool no_cache_fields = false;  // no-cache="field, ..."
    bool is_private = false;       // without field names
    bool private_fields = false;   // private="field, ..."
    bool is_public = false;
    bool must_revalidate = false;
    bool proxy_revalidate = false;
    bool must_understand = false;
    bool no_transform = false;
    bool immutable = false;
    std::optional<Seconds> max_age;
    std::optional<Seconds> s_maxage;
    std::optional<Seconds> stale_while_revalidate;
    std::optional<Seconds> stale_if_error;

    // Reads one field line into what was read before; several lines count as
    // one list (RFC 9110 5.3). Names compare without case; unknown directives
    // are ignored. A number that overflows becomes 2^31 (RFC 9111 1.2.2), one
    // that is malformed (sign, fraction, empty, letters) counts as 0, so a
    // response we cannot read is stale rather than fresh for good (4.2.1).
    // Of a directive that is repeated, the most restrictive value counts.
    void read(std::string_view line);
};

// The argument of no-cache and private is a list of names. One that is empty,
// or cannot be read (a quote that does not close), is as if it were not there:
// the directive is about the whole response then (RFC 9111 4.2.1, 5.2.2).
[[nodiscard]] bool are_field_names(std::string_view list) noexcept;

// True when `line` has no-cache="field" or private="field": the response may
// be stored, but without that field (RFC 9111 5.2.2.4, 5.2.2.7).
[[nodiscard]] bool names_field(std::string_view line,
                               std::string_view field) noexcept;

}  // namespace cacheback::core
