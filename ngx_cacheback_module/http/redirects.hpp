// http/redirects.hpp: how a request came away from the content handler that
// its look-up was for; what then answers is not what the item is.
#pragma once

#include "../core/decision.hpp"
#include "../ngx/ngx.hpp"

namespace cacheback::http {

struct Redirects {
    bool by_error_page = false;
    bool by_accel_redirect = false;
    bool origin_failed = false;  // 500, 502, 503 or 504 before error_page

    // To be called whenever the request enters PRECONTENT again.
    void note(const ngx_http_request_t& r) noexcept {
        if (r.err_status != 0 || r.error_page || last_try_failed(r)) {
            by_error_page = true;
            origin_failed =
                origin_failed || core::is_origin_failure(failed_status(r));
        }
        if (r.upstream != nullptr &&
            r.upstream->headers_in.x_accel_redirect != nullptr) {
            by_accel_redirect = true;
        }
    }

  private:
    static unsigned failed_status(const ngx_http_request_t& r) noexcept {
        unsigned last = last_status(r);
        return last != 0 ? last : static_cast<unsigned>(r.err_status);
    }

    static bool last_try_failed(const ngx_http_request_t& r) noexcept {
        return last_status(r) >= NGX_HTTP_BAD_REQUEST;
    }

    // With recursive_error_pages and `error_page … =` no bit of the request
    // tells; what the upstream answered last still does. 0: none was asked.
    static unsigned last_status(const ngx_http_request_t& r) noexcept {
        if (r.upstream_states == nullptr || r.upstream_states->nelts == 0) {
            return 0;
        }
        auto* states =
            static_cast<ngx_http_upstream_state_t*>(r.upstream_states->elts);
        return static_cast<unsigned>(
            states[r.upstream_states->nelts - 1].status);
    }
};

}  // namespace cacheback::http
