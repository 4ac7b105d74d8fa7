# The pure parts of lua_shim in nginx's own LuaJIT: t/lua.
use lib 't/lib';
use CachebackTest;

BEGIN { $ENV{TEST_NGINX_ROOT} = $CachebackTest::Root }

run_tests();

__DATA__

=== TEST 1: unit tests
--- config
location /run {
    content_by_lua_block {
        local run = dofile("$TEST_NGINX_ROOT/t/lua/run.lua")
        ngx.say(run("$TEST_NGINX_ROOT", ngx.say), " failed")
    }
}
--- steps
GET /run                        200
    ~ ^1\.\.\d\d
    ~ ^0 failed
    !~ ^not ok



=== TEST 2: a configuration without any store has none
--- config
location /get {
    content_by_lua_block {
        local job = require("resty.cacheback").new("pages", "x",
            { fetch = print })
        ngx.say(job:get("a"))
    }
}
--- steps
GET /get                        200
    = nilcacheback: there is no cacheback_store "pages"nil
