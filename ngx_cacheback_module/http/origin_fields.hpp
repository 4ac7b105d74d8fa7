// http/origin_fields.hpp: nginx's header structures as the plain fields that
// core's rules read. Views point into the request's memory.
#pragma once

#include "../core/field.hpp"
#include "../core/time.hpp"
#include "../ngx/ngx.hpp"

namespace cacheback::http {

// The request's fields as they stand in its list.
[[nodiscard]] std::vector<core::Field> request_fields(
    const ngx_http_request_t& r);

// What the origin sent, hidden fields included: the upstream's own header when
// there is one, else what the content handler set. Rules are judged by these.
[[nodiscard]] std::vector<core::Field> origin_fields(ngx_http_request_t& r);

// What the client is about to get, before filters add theirs: what is stored.
// With Content-Type, Last-Modified and Date as fields; a Date that is
// missing, or is none, is `now` (RFC 9110 6.6.1).
[[nodiscard]] std::vector<core::Field> delivered_fields(ngx_http_request_t& r,
                                                        core::Seconds now);

// Makes of the answer what those will get who are answered from the store:
// without the fields that the origin has named in Connection, and with a
// Location as it came.
void deliver_as_stored(ngx_http_request_t& r);

}  // namespace cacheback::http
