// http/empty_answer.hpp: what a client gets when there is nothing to serve and
// it is not to wait (cacheback_empty).
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

// As a content handler. Its status goes through error_page as any other.
ngx_int_t send_empty_answer(ngx_http_request_t* r) noexcept;

}  // namespace cacheback::http
