// core/reason.cpp: the words of $cacheback_reason.
#include "reason.hpp"

namespace cacheback::core {

std::string_view word(Reason reason) noexcept {
    switch (reason) {
    case Reason::none: return "";
    case Reason::method: return "method";
    case Reason::body: return "body";
    case Reason::upgrade: return "upgrade";
    case Reason::bypass: return "bypass";
    case Reason::skip: return "skip";
    case Reason::authorization: return "authorization";
    case Reason::no_store: return "no-store";
    case Reason::is_private: return "private";
    case Reason::set_cookie: return "set-cookie";
    case Reason::cookie: return "cookie";
    case Reason::vary: return "vary";
    case Reason::tags: return "tags";
    case Reason::zero_lifetime: return "zero-lifetime";
    case Reason::no_lifetime: return "no-lifetime";
    case Reason::status: return "status";
    case Reason::partial: return "partial";
    case Reason::event_stream: return "event-stream";
    case Reason::accel_redirect: return "accel-redirect";
    case Reason::error_page: return "error-page";
    case Reason::trailers: return "trailers";
    case Reason::unkeyed: return "unkeyed";
    case Reason::too_large: return "too-large";
    case Reason::incomplete: return "incomplete";
    case Reason::busy: return "busy";
    case Reason::slow_client: return "slow-client";
    case Reason::min_uses: return "min-uses";
    case Reason::conditional: return "conditional";
    case Reason::uncacheable: return "uncacheable";
    case Reason::redis: return "redis";
    case Reason::error: return "error";
    case Reason::collapsed: return "collapsed";
    case Reason::offline: return "offline";
    case Reason::only_if_cached: return "only-if-cached";
    }
    return "";  // no enumerator: the compiler warns of a forgotten one
}

}  // namespace cacheback::core
