// core/request_directives.hpp: what a request asks of the caches on its way
// (RFC 9111 5.2.1, RFC 5861 4). Heeded by policy `rfc9111` alone.
#pragma once

#include <optional>

#include "field.hpp"
#include "time.hpp"

namespace cacheback::core {

struct RequestDirectives {
    bool any = false;  // one of those below is there
    bool no_cache = false;
    bool no_store = false;
    bool only_if_cached = false;
    std::optional<Seconds> max_age;
    std::optional<Seconds> max_stale;  // without a number: max_seconds
    std::optional<Seconds> min_fresh;
    std::optional<Seconds> stale_if_error;
};

// What most requests ask for.
inline constexpr RequestDirectives nothing_asked{};

// Of a directive that is repeated the strictest counts, as one that cannot be
// read counts as the strictest. `Pragma: no-cache` is heard where there is no
// Cache-Control (RFC 9111 5.4).
[[nodiscard]] RequestDirectives read_request_directives(
    Fields request) noexcept;

}  // namespace cacheback::core
