// http/filters.hpp: our header and body filter, the first of both chains: it
// sees what content handlers produce before any other filter does.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

// At postconfiguration: puts both filters in front.
void install_filters() noexcept;

}  // namespace cacheback::http
