// http/directives.hpp: the directive table, and the setters that nginx's own
// slots do not cover.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

extern ngx_command_t directives[];

// `cacheback_store NAME { … }`, in store_block.cpp.
char* set_store(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);

}  // namespace cacheback::http
