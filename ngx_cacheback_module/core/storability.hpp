// core/storability.hpp: whether a response may be stored, and for how long it
// is fresh, stale and kept. Pure: time is an argument.
#pragma once

#include <cstdint>

#include "field.hpp"
#include "policy.hpp"
#include "reason.hpp"
#include "time.hpp"

namespace cacheback::core {

// What the rules need to know of the request that the response answers.
struct RequestFacts {
    bool had_cookie = false;         // a Cookie field was sent to the origin
    bool had_authorization = false;  // likewise
    Millis delay = 0;  // from the request to the response (RFC 9111 4.2.3)
};

// What the origin sent: its own fields, also those that the proxy hides.
struct ResponseFacts {
    unsigned status = 0;
    Fields fields;
    bool by_accel_redirect = false;  // reached through X-Accel-Redirect; then
                                     // `fields` are those of the app's answer
    bool has_trailers = false;
};

// The windows of an entry, in the order in which they pass.
struct Windows {
    Millis fresh_for = 0;     // counted from `stored`
    Millis stale_for = 0;     // after freshness: served while refreshed
    Millis error_for = 0;     // after freshness: served when the origin fails
    Millis ttl = 0;           // counted from `stored`: then the entry is gone
    Seconds initial_age = 0;  // received Age, corrected (RFC 9111 4.2.3)
    bool stale_forbidden = false;  // no-cache, must- or proxy-revalidate; in
                                   // policy rfc9111 s-maxage too
    bool immutable = false;        // RFC 8246
    PolicyName policy = PolicyName::cacheback;  // that has judged it
};

struct Storability {
    Reason refused = Reason::none;  // none: store it, with these windows
    Windows windows;
    // The response named its own lifetime (X-Accel-Expires, CDN-Cache-Control,
    // Cache-Control, Expires), so a Cookie does not keep it from being stored.
    bool lifetime_named = false;

    [[nodiscard]] bool may_store() const noexcept {
        return refused == Reason::none;
    }
};

// By the policy's own rules: judge_cacheback() here, judge_rfc9111() in
// rfc9111.hpp. `now` is when the response was received.
[[nodiscard]] Storability judge(const RequestFacts& request,
                                const ResponseFacts& response,
                                const Policy& policy, Millis now);

// Policy `cacheback`. Refused, in this order: 1xx, 206, 304, a status that no
// line of cacheback_lifetime lists without a named lifetime, event streams,
// no-store, private (also with field names), Set-Cookie, Vary: *, results of
// X-Accel-Redirect, trailers, answers to cookies, lifetime 0.
//
// A named 0 is stored when stale-while-revalidate stands beside it. An entry
// that is never fresh and never stale (no-cache) is stored for its validator,
// or not at all.
[[nodiscard]] Storability judge_cacheback(const RequestFacts& request,
                                          const ResponseFacts& response,
                                          const Policy& policy, Millis now);

// ---- what both policies ask

// Final, whole, and not an answer to a condition of somebody's request.
[[nodiscard]] bool is_whole_and_final(unsigned status) noexcept;

// Endless answers: by their type, or because the application asks nginx not
// to hold them back (proxy_cache does not store these either).
[[nodiscard]] bool is_stream(Fields fields) noexcept;

[[nodiscard]] bool has_validator(Fields fields) noexcept;

// What becomes of an item when a background fetch of it has answered.
enum class FetchOutcome : std::uint8_t {
    replace,          // store the new answer
    renew,            // 304: the stored one lives on
    remove,           // 404, 410 not storable: the item is gone
    remove_and_mark,  // 200, 203, 301, 308 not storable: known uncacheable
    keep,             // the old item stays, and so does the lease
};

struct FetchFacts {
    unsigned status = 0;
    unsigned stored_status = 0;  // of the item as it is; 0: there is none
    bool complete = false;       // whole body seen, lengths agree
    bool conditional = false;    // we sent If-None-Match or If-Modified-Since
    bool from_error_page = false;
    bool nested_stale = false;  // STALE or UPDATING of a cache underneath
};

// `verdict` of a 304 is that of core/renewal.hpp: one that may not be stored
// any more ends the item. What refuses a bare 304, `status`, does not.
[[nodiscard]] FetchOutcome fetch_outcome(const FetchFacts& fetch,
                                         const Storability& verdict) noexcept;

// True when an answer that was refused shows that the item cannot be stored
// whoever asks: 200, 203, 301, 308, refused for what the answer itself says.
[[nodiscard]] bool marks_uncacheable(Reason refused, unsigned status) noexcept;

// How long the bytes are of any use, counted from `stored`: Redis keeps them
// no longer. See state_of() in core/decision.hpp, whose `gone` this is.
[[nodiscard]] Millis kept_for(const Windows& windows) noexcept;

}  // namespace cacheback::core
