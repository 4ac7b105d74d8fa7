// http/unsafe.hpp: requests that change what a URI stands for, and so make the
// stored item outdated (cacheback_invalidate_on_unsafe, RFC 9111 4.4).
#pragma once

#include "../ngx/ngx.hpp"
#include "request_context.hpp"

namespace cacheback::http {

// The look-up of a request whose method is not looked up: makes ready what
// refreshes its item, should the answer show that it has changed.
void expect_change(RequestContext& context);

// The origin has answered such a request. 2xx and 3xx make the item stale, and
// start its refresh unless somebody fetches it, or nobody shall (RFC 9111 4.4:
// a "non-error status code"). In policy rfc9111 they remove it, and what
// Location and Content-Location name of the same origin.
void note_change(RequestContext& context);

}  // namespace cacheback::http
