// http/redirects.hpp: how a request came away from the content handler that
// its look-up was for; what then answers is not what the item is.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

struct Redirects {
    bool by_error_page = false;
    bool by_accel_redirect = false;

    // To be called whenever the request enters PRECONTENT again.
    void note(const ngx_http_request_t& r) noexcept {
        if (r.err_status != 0 || r.error_page || last_try_failed(r)) {
            by_error_page = true;
        }
        if (r.upstream != nullptr &&
            r.upstream->headers_in.x_accel_redirect != nullptr) {
            by_accel_redirect = true;
        }
    }

  private:
    // With recursive_error_pages and `error_page … =` no bit of the request
    // tells; what the upstream answered last still does.
    static bool last_try_failed(const ngx_http_request_t& r) noexcept {
        if (r.upstream_states == nullptr || r.upstream_states->nelts == 0) {
            return false;
        }
        auto* states = static_cast<ngx_http_upstream_state_t*>(
            r.upstream_states->elts);
        return states[r.upstream_states->nelts - 1].status >=
               NGX_HTTP_BAD_REQUEST;
    }
};

}  // namespace cacheback::http
