// core/rfc9111.hpp: policy `rfc9111`. What a shared cache may store and how
// long it may use it, by the fields of the response alone: RFC 9111 sections 3
// to 5, RFC 5861, RFC 8246, RFC 9213. One function for each rule.
#pragma once

#include <optional>

#include "freshness.hpp"
#include "storability.hpp"

namespace cacheback::core::rfc9111 {

// ---- may it be stored (section 3)

// We know what the status asks of a cache: those of RFC 9110.
[[nodiscard]] bool understands(unsigned status) noexcept;

// no-store; must-understand beside it sets it aside where the status is
// understood (5.2.2.3).
[[nodiscard]] bool forbids_storing(const CacheControl& control,
                                   unsigned status) noexcept;

// must-understand, and we do not (3, 5.2.2.3).
[[nodiscard]] bool not_understood(const CacheControl& control,
                                  unsigned status) noexcept;

// The answer to a request with Authorization may be stored and used for others
// (3.5).
[[nodiscard]] bool shares_authorized(const CacheControl& control) noexcept;

// 200 203 204 206 300 301 308 404 405 410 414 501 (RFC 9110 15.1).
[[nodiscard]] bool is_heuristically_cacheable(unsigned status) noexcept;

// ---- how long is it fresh (4.2)

// 10 % of the time for which it has not changed, a day at most (4.2.2);
// nothing where no Last-Modified says that. Only of what is heuristically
// cacheable, or marked `public`.
[[nodiscard]] std::optional<Seconds> heuristic_lifetime(
    const CachingFields& fields, unsigned status, Millis now) noexcept;

// corrected_initial_age of 4.2.3, from the received Age, the Date, and how long
// the response took. A Date of the second before is no age: clocks that count
// whole seconds differ by one.
[[nodiscard]] Seconds corrected_initial_age(const CachingFields& fields,
                                            Millis delay, Millis now) noexcept;

// ---- may it be used stale (4.2.4)

[[nodiscard]] bool forbids_stale(const CacheControl& control) noexcept;

}  // namespace cacheback::core::rfc9111

namespace cacheback::core {

// Refused, in this order: 206, what is no final status, event streams,
// no-store, must-understand, private, Authorization, Set-Cookie without a
// lifetime that is named, Vary: *, results of X-Accel-Redirect, trailers,
// answers to cookies without a named lifetime, what section 3 does not let us
// store, and what would be of no use: never fresh, and nothing to validate it
// by.
//
// What a 304 renews may name no lifetime any more that its entry named; then
// `policy.lifetime` is what it was.
[[nodiscard]] Storability judge_rfc9111(const RequestFacts& request,
                                        const ResponseFacts& response,
                                        const Policy& policy, Millis now);

}  // namespace cacheback::core
