// core/reason.hpp: why a response was not stored, a request not looked up, or
// an item served as it was; the words of $cacheback_reason.
#pragma once

#include <string_view>

namespace cacheback::core {

enum class Reason : unsigned char {
    none,
    // not looked up
    method,
    body,
    upgrade,
    bypass,
    skip,
    authorization,
    // not stored: what the response or the request says
    no_store,
    is_private,
    set_cookie,
    cookie,
    vary,
    tags,  // more groups than an entry may have
    zero_lifetime,
    no_lifetime,
    status,
    partial,
    event_stream,
    accel_redirect,
    error_page,
    trailers,
    unkeyed,
    // not stored: what happened
    too_large,
    incomplete,
    busy,
    slow_client,  // others waited: the background fetched it for them
    min_uses,
    conditional,  // HEAD, Range and conditional misses pass
    // served as it was
    uncacheable,
    redis,
    error,
    collapsed,
    offline,
    only_if_cached,  // 504: asked for what is not there
};

// One word, lower case, dashes; empty for `none`.
[[nodiscard]] std::string_view word(Reason reason) noexcept;

}  // namespace cacheback::core
