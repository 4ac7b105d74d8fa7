// http/serve.hpp: a stored response on its way to the client, through nginx's
// own filters: they make the 206, the gzip and the add_header. The 304 is ours:
// nginx asks all conditions of a client, HTTP the first that counts.
#pragma once

#include "../core/entry.hpp"
#include "../ngx/ngx.hpp"
#include "request_context.hpp"

namespace cacheback::http {

// The content handler of every request that is answered from the store.
ngx_int_t serve_entry(ngx_http_request_t* r) noexcept;

// The header of context.entry as the response's, or that of a 304 where the
// client has asked for no more; what the origin set before is forgotten.
// NGX_HTTP_PRECONDITION_FAILED in its place; NGX_ERROR when there is no memory.
ngx_int_t set_header(RequestContext& context);

// The stored body as one buffer, the last of the response. Null: no memory.
ngx_chain_t* body_chain(ngx_http_request_t& r,
                        const core::EntryView& entry) noexcept;

}  // namespace cacheback::http
