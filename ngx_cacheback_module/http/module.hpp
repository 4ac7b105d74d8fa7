// http/module.hpp: the module object, by which nginx and we find our parts.
#pragma once

#include "../ngx/ngx.hpp"

extern "C" {
extern ngx_module_t ngx_http_cacheback_module;
}
