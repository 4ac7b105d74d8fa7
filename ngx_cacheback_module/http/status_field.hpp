// http/status_field.hpp: Cache-Status on its way to the client
// (cacheback_cache_status, RFC 9211).
#pragma once

#include "../ngx/ngx.hpp"
#include "request_context.hpp"

namespace cacheback::http {

// Adds our member behind those of the caches before us (RFC 9211 2). To be
// called when the answer has been collected, so that no entry holds it; again
// when another header takes the place of the first (412, 416).
void add_cache_status(RequestContext& context);

}  // namespace cacheback::http
