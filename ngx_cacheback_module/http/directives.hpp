// http/directives.hpp: the directive table. How values are read: setters.hpp,
// store_block.cpp and nginx's own slots.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

extern ngx_command_t directives[];

}  // namespace cacheback::http
