# resty.cacheback.location_job: a location's responses as a job's values.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: the response comes from the location once, then from the store
--- store
$TIER
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t1")
}
--- config
location /origin/ {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/;
}
location /get {
    content_by_lua_block {
        local res, err, status = pages:get("/origin/o", "h=X-A:1&size=20000")
        if not res then return ngx.say(err) end
        ngx.say(res.status, " ", #res.body, " ", res.body:sub(1, 5), " ",
            res.header["X-A"], " ", res.header["Content-Type"], " ", status)
    }
}
--- steps
GET /get                        200
    = 200 20000 /o #1 1 text/plain miss
GET /get                        200
    = 200 20000 /o #1 1 text/plain hit
origin /o 1



=== TEST 2: a stale one at once, refreshed with nobody's client waiting
--- store
$TIER
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t2",
        { lifetime = 0.8 })
}
--- config
location /origin/ {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/;
}
location /get {
    access_by_lua_block {
        local res, err, status = pages:get("/origin/o?delay=0|0.4")
        ngx.ctx.said = (res and res.body:sub(1, -2) or err) .. " " .. status
    }
    content_by_lua_block { ngx.say(ngx.ctx.said) }
}
--- steps
GET /get                        200
    = /o #1 miss
wait 0.85
GET /get                        200
    = /o #1 stale
    within 0.2
GET /get                        200
    = /o #1 stale
origin /o 2
GET /get                        200
    = /o #2 hit



=== TEST 3: it asks as nobody in particular
--- store
$TIER
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t3")
}
--- config
location /origin/ {
    proxy_set_header Host $host;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/;
}
location /get {
    content_by_lua_block {
        local res = pages:get("/origin/o", { b = 2, a = { 1, "x y" },
            h = "Set-Cookie:secret" })
        ngx.say(res.header["Set-Cookie"], " ", res.status)
    }
}
--- steps
GET /get                        200
    > Cookie: session=1
    > Authorization: Basic eDp5
    > Range: bytes=0-1
    = nil 200
fields /o
    ~ ^GET /o\?a=1&a=x%20y&b=2&h=Set-Cookie%3Asecret
    !~ (?i)cookie:
    !~ (?i)authorization:
    !~ (?i)range:
    ~ ^Host: t



=== TEST 4: a location that fails keeps what is stored
--- store
$TIER
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t4",
        { lifetime = 0.1, refresh_timeout = 0.6 })
}
--- config
location /origin/ {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/;
}
location /get {
    content_by_lua_block {
        local res, err, status = pages:get(ngx.unescape_uri(ngx.var.arg_u))
        ngx.say(res and res.status .. " " .. #res.body, " ", err, " ", status)
    }
}
--- steps
GET /get?u=/origin/b%3Fstatus=500               200
    = nil cacheback: the location answered 500 nil
GET /get?u=/origin/t%3Ftruncate=1               200
    = nil cacheback: the location gave no whole response nil
GET /get?u=/origin/r%3Freset=1                  200
    = nil cacheback: the location answered 502 nil
GET /get?u=/origin/n%3Fstatus=404               200
    = 404 6 nil miss
GET /get?u=/nowhere                             200
    ~ ^404 \d+ nil miss
GET /get?u=/origin/o%3Fstatus=200|500           200
    = 200 6 nil miss
wait 0.15
GET /get?u=/origin/o%3Fstatus=200|500           200
    = 200 6 nil stale
origin /o 2
GET /get?u=/origin/o%3Fstatus=200|500           200
    = 200 6 nil stale
origin /o 2
--- error_log
cacheback: refresh of "t4": cacheback: the location answered 500
[error]



=== TEST 5: all kinds of locations: files, Lua, return, rewrite, another name
--- store
$TIER
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t5")
}
--- user_files
>>> file.txt
in a file
--- config
location /lua {
    content_by_lua_block { ngx.say("by Lua ", ngx.var.arg_a, ngx.var.host) }
}
location /return { return 200 "returned"; }
location /none { return 204; }
location /moved { rewrite ^ /return last; }
location /named { error_page 418 = @name; return 418; }
location @name { return 200 "named"; }
location /get {
    content_by_lua_block {
        local res, err, status = pages:get("/" .. ngx.var.arg_u, { a = "z" })
        ngx.say(res and res.status, " ", res and res.body:gsub("\n", ""), " ",
            err)
    }
}
--- steps
GET /get?u=file.txt             200
    = 200 in a file nil
GET /get?u=lua                  200
    ~ ^200 by Lua zt
GET /get?u=return               200
    = 200 returned nil
GET /get?u=none                 200
    = 204  nil
GET /get?u=moved                200
    = 200 returned nil
GET /get?u=named                200
    = 200 named nil
GET /get?u=return               200
    = 200 returned nil



=== TEST 6: what is too large is an error, and so is what cannot be asked
--- store
$TIER
max_entry 20k;
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t6")
}
--- config
location /origin/ {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/;
}
location /get {
    content_by_lua_block {
        ngx.say(pages:get("/origin/o?size=100000"))
        ngx.say(pages:get("/../etc"))
        for _, method in ipairs { "get", "raw_get" } do
            ngx.say(pcall(function()
                local value = pages[method](pages, "no/slash")
                return value
            end))
        end
        ngx.say(pages:delete("/origin/o", { size = 5 }))
    }
}
--- steps
GET /get                        200
    ~ ^nilcacheback: the response is larger than max_entrynil
    ~ ^nilcacheback: bad uri "/../etc"nil
    ~ ^(falsecontent_by_lua\S+ cacheback: bad `uri`, expected one that begins with "/"\n){2}
    ~ ^false$



=== TEST 7: invalidate, set, raw_get and delete are as with any job
--- store
$TIER
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t7")
}
--- config
location /origin/ {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/;
}
location /get {
    content_by_lua_block {
        local uri = "/origin/o"
        ngx.print((pages:get(uri)).body)
        ngx.say(pages:invalidate(uri))
        ngx.sleep(0.1)
        ngx.print((pages:get(uri)).body)
        ngx.say(pages:set({ status = 200, header = { A = { "1", "2" } },
            body = "\n\nset" }, uri))
        local _, res = pages:raw_get(uri)
        ngx.say(res.status, " ", res.header.A[2], " ", #res.body)
        ngx.say(pages:delete(uri), " ", (pages:raw_get(uri)))
        ngx.print((pages:refresh(uri)).body)
    }
}
--- steps
GET /get                        200
    = /o #1
    = true
    = /o #2
    = true
    = 200 2 5
    = true nil
    = /o #3



=== TEST 8: a location with a cache of its own is asked all the same
--- store
$TIER
--- http_config
init_by_lua_block {
    pages = require("resty.cacheback").location_job("pages", "t8",
        { lifetime = 0.1 })
}
--- config
location /o {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /get {
    content_by_lua_block {
        local res, err, status = pages:get("/o")
        ngx.print(status, " ", res.body)
    }
}
--- steps
GET /o                          200 MISS
GET /get                        200
    = miss /o #2
wait 0.15
GET /get                        200
    = stale /o #2
origin /o 3
GET /o                          200 HIT
    = /o #1



=== TEST 9: in a timer what is stored is found, and what cannot be fetched is said
--- store
$TIER
--- http_config
init_by_lua_block {
    local options = { lifetime = 0.5, refresh_timeout = 30 }
    pages = require("resty.cacheback").location_job("pages", "t9", options)
    options.host = "a.test"
    hosted = require("resty.cacheback").location_job("pages", "t9", options)

    function in_timer(action)
        local done = require("ngx.semaphore").new()
        local said
        ngx.timer.at(0, function()
            said = action()
            done:post()
        end)
        done:wait(2)
        ngx.print(said)
    end
}
--- config
location /origin/ {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/;
}
location /get {
    content_by_lua_block {
        local value, err, status = hosted:get("/origin/o")
        ngx.say(value.body, status)
    }
}
location /no-host {
    content_by_lua_block {
        in_timer(function()
            local lines = {}
            for _, method in ipairs { "get", "raw_get", "delete", "invalidate",
                "refresh", "refresh_async" }
            do
                local value, err = pages[method](pages, "/origin/o")
                lines[#lines + 1] = tostring(value) .. " " .. tostring(err)
            end
            local value, err = pages:set({}, "/origin/o")
            lines[#lines + 1] = tostring(value) .. " " .. tostring(err)
            return table.concat(lines, "\n")
        end)
    }
}
location /with-host {
    content_by_lua_block {
        in_timer(function()
            local value, err, status = hosted:get("/origin/o")
            return value and value.body .. status or "nil " .. err
        end)
    }
}
location /async {
    content_by_lua_block {
        in_timer(function()
            local value, err = hosted:refresh_async("/origin/o")
            return tostring(value) .. " " .. err
        end)
    }
}
--- steps
GET /no-host                    200
    ~ ^(nil cacheback: in a timer a location_job needs `host`\n?){7}$
GET /with-host                  200
    ~ ^nil cacheback: a location can be asked for where there is a request, not in a timer$
GET /get                        200
    ~ ^/o #1\nmiss$
GET /with-host                  200
    ~ ^/o #1\nhit$
wait 0.6
GET /with-host                  200
    ~ ^/o #1\nstale$
GET /async                      200
    ~ ^nil cacheback: a location can be asked for where there is a request, not in a timer$
GET /get                        200
    ~ ^/o #1\nstale$
origin /o 2
GET /get                        200
    ~ ^/o #2\nhit$
--- errors
a location can be asked for where there is a request
