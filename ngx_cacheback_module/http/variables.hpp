// http/variables.hpp: $cacheback_status, $cacheback_reason and the others.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

// At preconfiguration.
ngx_int_t add_variables(ngx_conf_t* cf) noexcept;

}  // namespace cacheback::http
