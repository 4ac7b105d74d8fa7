// http/setters.hpp: how directives are read that nginx's own slots do not
// cover. Each gives NGX_CONF_OK, or NGX_CONF_ERROR with its words logged, or
// words that nginx completes by directive, file and line.
#pragma once

#include "../ngx/ngx.hpp"

namespace cacheback::http {

char* set_setting(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_lifetime(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_cacheback(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_size(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_empty(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_lock(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_key(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_ignored(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_policy(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_min_uses(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_cache_status(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_jitter(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
char* set_early_refresh(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);

// `cacheback_store NAME { … }`, in store_block.cpp.
char* set_store(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);

}  // namespace cacheback::http
