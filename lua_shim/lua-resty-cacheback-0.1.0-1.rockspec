package = "lua-resty-cacheback"
version = "0.1.0-1"
source = {
    url = ".",
}
description = {
    summary = "Wrap any slow function and never wait for it again",
    detailed = [[
        django-cacheback's Job for lua-nginx-module, on the shared memory and
        the Redis of ngx_cacheback_module, which nginx must have loaded.
    ]],
    license = "BSD-2-Clause",
}
dependencies = {
    "lua >= 5.1, < 5.2",
    "lua-cjson",
}
build = {
    type = "builtin",
    modules = {
        ["resty.cacheback"] = "lua_shim/lib/resty/cacheback.lua",
        ["resty.cacheback.arguments"]
            = "lua_shim/lib/resty/cacheback/arguments.lua",
        ["resty.cacheback.background"]
            = "lua_shim/lib/resty/cacheback/background.lua",
        ["resty.cacheback.control"]
            = "lua_shim/lib/resty/cacheback/control.lua",
        ["resty.cacheback.defaults"]
            = "lua_shim/lib/resty/cacheback/defaults.lua",
        ["resty.cacheback.engine"]
            = "lua_shim/lib/resty/cacheback/engine.lua",
        ["resty.cacheback.fetching"]
            = "lua_shim/lib/resty/cacheback/fetching.lua",
        ["resty.cacheback.getting"]
            = "lua_shim/lib/resty/cacheback/getting.lua",
        ["resty.cacheback.job"] = "lua_shim/lib/resty/cacheback/job.lua",
        ["resty.cacheback.location"]
            = "lua_shim/lib/resty/cacheback/location.lua",
        ["resty.cacheback.options"]
            = "lua_shim/lib/resty/cacheback/options.lua",
        ["resty.cacheback.reading"]
            = "lua_shim/lib/resty/cacheback/reading.lua",
        ["resty.cacheback.value"] = "lua_shim/lib/resty/cacheback/value.lua",
    },
}
