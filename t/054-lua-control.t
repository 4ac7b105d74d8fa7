# resty.cacheback.store(): HTTP items by their keys; and how they and Lua's
# values are told apart.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: delete removes an HTTP item, and says whether there was one
--- store
$TIER
--- config
location /o {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /delete {
    content_by_lua_block {
        local store = require("resty.cacheback").store("pages")
        ngx.say(store:delete { key = "http://" .. ngx.var.host .. "/o" })
    }
}
--- steps
GET /delete                     200
    = false
GET /o                          200 MISS
GET /o                          200 HIT
GET /delete                     200
    = true
GET /o                          200 MISS
    = /o #2



=== TEST 2: invalidate marks an HTTP item, the next reader gets it refreshed
--- store
$TIER
--- config
location /o {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /invalidate {
    content_by_lua_block {
        local store = require("resty.cacheback").store("pages")
        ngx.say(store:invalidate { key = "http://" .. ngx.var.host .. "/o" })
    }
}
--- steps
GET /invalidate                 200
    = false
GET /o                          200 MISS
GET /invalidate                 200
    = true
GET /o                          200 STALE
    = /o #1
origin /o 2
GET /o                          200 HIT
    = /o #2



=== TEST 3: status tells figures, also those of Lua's gets
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t3", {
        lifetime = 0.2,
        refresh_timeout = 1,
        fetch = function(name)
            ngx.sleep(0.02)
            return name
        end,
    })
    later = require("resty.cacheback").new("pages", "t3-later", {
        fetch_on_miss = false,
        fetch = function(name) return nil, "never" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local store = require("resty.cacheback").store("pages")
        local before = store:status()
        local host = ngx.var.host
        job:get(host)                       -- miss
        for _ = 1, 3 do job:get(host) end   -- three hits
        ngx.sleep(0.25)
        job:get(host)                       -- stale
        job:get(host)                       -- updating
        ngx.sleep(0.05)
        later:get(host)                     -- empty
        ngx.sleep(0.05)
        local after = store:status()
        for _, name in ipairs { "misses", "hits", "stale", "updating",
                                "empty", "stored", "refreshes_started",
                                "refreshes_stored", "refreshes_failed",
                                "in_flight", "in_line" } do
            ngx.say(name, " ", after[name] - before[name])
        end
    }
}
--- steps
GET /get                        200
    = misses 1
    = hits 3
    = stale 1
    = updating 1
    = empty 1
    = stored 2
    = refreshes_started 2
    = refreshes_stored 1
    = refreshes_failed 1
    = in_flight 0
    = in_line 0
--- error_log
cacheback: refresh of "t3-later": never



=== TEST 4: no HTTP key is that of a value
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t4", {
        fetch = function() ran = ran + 1; return "secret " .. ran end,
    })
}
--- config
location /o {
    cacheback       pages;
    cacheback_key   $arg_key;
    cacheback_purge 1;
    add_header      X-Cache $cacheback_status;
    add_header      X-Key $cacheback_key;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /get {
    content_by_lua_block {
        local value, err, status = job:get("$TEST_NGINX_PREFIX")
        ngx.say(value, " ", err, " ", status)
    }
}
location /key {
    content_by_lua_block { ngx.say(job:key("$TEST_NGINX_PREFIX")) }
}
location /http {
    content_by_lua_block {
        local key = job:key("$TEST_NGINX_PREFIX")
        local store = require("resty.cacheback").store("pages")
        local res = ngx.location.capture("/self?key=" .. ngx.var.arg_n .. key)
        ngx.say(res.header["X-Cache"], " ", res.header["X-Key"] == ":" ..
            ngx.var.arg_n .. key, " ", res.body)
    }
}
location /self {
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/o;
}
location /delete {
    content_by_lua_block {
        local key = job:key("$TEST_NGINX_PREFIX")
        local store = require("resty.cacheback").store("pages")
        ngx.say(store:delete { key = key })
    }
}
--- steps
GET /get                        200
    = secret 1 nil miss
GET /http?n=                    200
    ~ ^MISS true /o #1
GET /http?n=                    200
    ~ ^HIT true /o #1
GET /http?n=:                   200
    ~ ^MISS true /o #2
GET /http?n=                    200
    ~ ^HIT true /o #1
GET /get                        200
    = secret 1 nil hit
GET /delete                     200
    = true
GET /get                        200
    = secret 1 nil hit
GET /http?n=                    200
    ~ ^MISS true /o #3
GET /get                        200
    = secret 1 nil hit



=== TEST 5: a store without any location of HTTP serves Lua
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t6", {
        lifetime = 0.1,
        fetch = function() ngx.sleep(0.02); return "value" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local threads = {}
        for i = 1, 5 do
            threads[i] = ngx.thread.spawn(function()
                return (select(3, job:get(ngx.var.host)))
            end)
        end
        for i = 1, 5 do
            local _, status = ngx.thread.wait(threads[i])
            ngx.print(status, " ")
        end
        ngx.sleep(0.15)
        ngx.print((select(3, job:get(ngx.var.host))), " ")
        ngx.sleep(0.05)
        ngx.say((select(3, job:get(ngx.var.host))))
    }
}
--- steps
GET /get                        200
    = miss hit hit hit hit stale hit
