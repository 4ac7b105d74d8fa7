// http/answer.hpp: what a client gets once the store has said what it holds,
// and who asks the origin. The decision table of README, "Statuses", in code.
#pragma once

#include "../ngx/ngx.hpp"
#include "request_context.hpp"

namespace cacheback::http {

// What is known of the item is known: fresh, stale, too stale, or nothing.
// Answers as the PRECONTENT handler does: NGX_OK when the store answers,
// NGX_DECLINED when the origin does, NGX_AGAIN while the client waits. A PURGE
// is followed by follow_purge().
ngx_int_t follow(RequestContext& context);

// Fetches the item in the background, unless somebody does.
void refresh_now(RequestContext& context);

// BYPASS by cacheback_bypass: not looked up, yet its answer becomes the item.
ngx_int_t fetch_for_store(RequestContext& context);

}  // namespace cacheback::http
