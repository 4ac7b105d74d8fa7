// ngx/guard.hpp: the door between nginx and C++. nginx is C: an exception that
// reached it would end the worker with all its clients.
#pragma once

#include "ngx.hpp"

#include <exception>

namespace cacheback::ngx {

// Runs `action`; whatever it throws is logged and answered by `fallback`,
// which must not throw itself.
template <class Action, class Fallback>
auto guard(ngx_log_t* log, Action&& action, Fallback&& fallback) noexcept
    -> decltype(fallback()) {
    try {
        return action();
    } catch (const std::exception& error) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "cacheback: %s", error.what());
    } catch (...) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "cacheback: unknown exception");
    }
    return fallback();
}

}  // namespace cacheback::ngx
