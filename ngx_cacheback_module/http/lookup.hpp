// http/lookup.hpp: the PRECONTENT handler: one look-up per client request, and
// what follows from it.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

ngx_int_t on_precontent(ngx_http_request_t& r);

}  // namespace cacheback::http
