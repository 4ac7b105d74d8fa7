# resty.cacheback: Redis that is away or lies, coroutines that are killed.
use lib 't/lib';
use CachebackTest;

run_tests();

__DATA__

=== TEST 1: without a Redis that answers, values are fetched and kept in memory
--- store
memory 8m;
redis  redis://127.0.0.1:$TEST_NGINX_CLOSED_PORT/0;
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t1", {
        fetch = function(name) return name end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get("a", ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
location /others {
    content_by_lua_block {
        local host = ngx.var.host
        ngx.say(job:set("set", "b", host))
        ngx.say((job:get("b", host)))
        ngx.say(job:delete("b", host))
        ngx.say((select(3, job:get("b", host))))
        ngx.say(job:raw_get("nothing", host))
        ngx.say(job:invalidate("nothing", host))
    }
}
--- steps
GET /get                        200
    = a nil miss
GET /get                        200
    = a nil hit
GET /others                     200
    = nilcacheback: redis did not take it
    = set
    = nilcacheback: redis did not confirm it, done on this machine only
    = miss
    = nilcacheback: redis cannot be reached
    = nilcacheback: redis cannot be reached
--- errors
redis is away



=== TEST 2: with Redis alone, and that away, the function runs for each
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_CLOSED_PORT/0;
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t2", {
        fetch = function() ran = ran + 1; return ran end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = 1 nil miss
GET /get                        200
    = 2 nil miss
--- errors
redis is away



=== TEST 3: a Redis that is silent costs no more than redis_timeout
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_timeout 100ms;
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t3", {
        fetch = function(name) return name end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get("a")
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = a nil miss
GET /get                        200
    = a nil hit
redis-server pause
GET /get                        200
    = a nil miss
    within 0.4
redis-server resume
wait 0.3
--- errors
redis is away



=== TEST 4: what Redis holds and is no entry is a miss
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_prefix "$TEST_NGINX_PREFIX";
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t4", {
        fetch = function() ran = ran + 1; return ran end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get("a")
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = 1 nil miss
redis EXISTS %{4df1ca2465914ff8a51f3cff328f7535} => 1
redis SET %{4df1ca2465914ff8a51f3cff328f7535} garbage
GET /get                        200
    = 2 nil miss
GET /get                        200
    = 2 nil hit
--- error_log
that are not an entry of this key and format, taken as a miss



=== TEST 5: nor is the entry of a response
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_prefix "$TEST_NGINX_PREFIX";
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t5", {
        fetch = function() ran = ran + 1; return ran end,
    })
}
--- config
location /o {
    cacheback     pages;
    cacheback_key lua;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /get {
    content_by_lua_block {
        local value, err, status = job:get("a")
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /o                          200 MISS
GET /get                        200
    = 1 nil miss
redis RENAME %{f8dbbbdb3b80b4f170a8272978f579eb} %{e70693ce698283214a2856fa3f3b16dd} => OK
GET /get                        200
    = 2 nil miss
--- error_log
that are not an entry of this key and format, taken as a miss



=== TEST 6: a killed light thread gives its lease back
--- store
memory 8m;
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t6", {
        refresh_timeout = 60,
        fetch = function()
            ran = ran + 1
            if ran == 1 then ngx.sleep(5) end
            return ran
        end,
    })
}
--- config
location /kill {
    content_by_lua_block {
        local thread = ngx.thread.spawn(function() job:get(ngx.var.host) end)
        ngx.sleep(0.02)
        ngx.say(ngx.thread.kill(thread))
        thread = nil
        collectgarbage()
        collectgarbage()
        local before = ngx.now()
        local value, err, status = job:get(ngx.var.host)
        ngx.update_time()
        ngx.say(value, " ", err, " ", status, " ", ngx.now() - before < 1)
    }
}
--- steps
GET /kill                       200
    = 1
    = 2 nil miss true



=== TEST 7: killed while they wait: for Redis, for another's fetch
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t7", {
        fetch = function(name) ngx.sleep(0.2); return name end,
    })
}
--- config
location /kill {
    content_by_lua_block {
        local name = ngx.var.host
        for round = 1, 50 do
            local thread = ngx.thread.spawn(function() job:get(name, round) end)
            if round % 2 == 0 then ngx.sleep(0) end
            ngx.thread.kill(thread)
        end
        local first = ngx.thread.spawn(function() return (job:get(name)) end)
        for _ = 1, 20 do
            local thread = ngx.thread.spawn(function() job:get(name) end)
            ngx.sleep(0.001)
            ngx.thread.kill(thread)
        end
        collectgarbage()
        local _, value = ngx.thread.wait(first)
        ngx.say(value == name, " ", (select(3, job:get(name))))
    }
}
--- steps
GET /kill                       200
    = true hit



=== TEST 8: a function that ends the request leaves its lease to others
--- store
memory 8m;
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t8", {
        fetch = function()
            ran = ran + 1
            if ran == 1 then ngx.exit(403) end
            return ran
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        403
GET /get                        200
    = 2 nil miss
    within 1



=== TEST 9: when no timer can be had, the refresh is done here and now
--- store
memory 8m;
--- http_config
lua_max_pending_timers 1;
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t9", {
        lifetime = 0.1,
        fetch = function()
            ran = ran + 1
            if ran == 3 then return nil, "third" end
            return ran
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        ngx.timer.at(5, function() end)
        ngx.timer.at(5, function() end)
        for _ = 1, 3 do
            local value, err, status = job:get(ngx.var.host)
            ngx.say(value, " ", err, " ", status, " ", ran)
            ngx.sleep(0.15)
        end
    }
}
--- steps
GET /get                        200
    = 1 nil miss 1
    = 1 nil stale 2
    = 2 nil stale 3
--- error_log
cacheback: no timer for a refresh
cacheback: refresh of "t9": third



=== TEST 10: a coroutine of the function may outlive its lease
--- store
memory 8m;
--- http_config
init_by_lua_block {
    ran, went_on = 0, 0
    job = require("resty.cacheback").new("pages", "t10", {
        lifetime = 0.1,
        refresh_timeout = 0.2,
        fetch = function()
            ran = ran + 1
            if ran ~= 2 then return "#" .. ran end
            -- As lua-resty-http reads a body.
            return coroutine.wrap(function()
                ngx.sleep(0.6)
                went_on = went_on + 1
                return "late"
            end)()
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local host = ngx.var.host
        local pages = require("resty.cacheback").store("pages")
        local before = pages:status().refreshes_failed
        job:get(host)
        ngx.sleep(0.15)
        ngx.say((job:get(host)))
        ngx.sleep(0.3)
        ngx.say((job:get(host)))
        ngx.sleep(0.5)
        -- Its result is not wanted any more, and its place is free.
        local _, value = job:raw_get(host)
        local status = pages:status()
        ngx.say(value, " ", went_on, " ", status.refreshes_failed - before,
            " ", status.in_flight)
    }
}
--- steps
GET /get                        200
    = #1
    = #1
    = #3 1 1 0
--- error_log
cacheback: refresh of "t10": it took longer than refresh_timeout



=== TEST 11: a function that ends its timer has failed: the next try is later
--- store
memory 8m;
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t11", {
        lifetime = 0.1,
        refresh_timeout = 0.5,
        fetch = function()
            ran = ran + 1
            if ran == 2 then ngx.exit(500) end
            return "#" .. ran
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local host = ngx.var.host
        local pages = require("resty.cacheback").store("pages")
        local before = pages:status().refreshes_failed
        job:get(host)
        ngx.sleep(0.15)
        for _ = 1, 5 do
            job:get(host)
            ngx.sleep(0.02)
        end
        local status = pages:status()
        ngx.say(ran, " ", status.refreshes_failed - before, " ",
            status.in_flight)
        ngx.sleep(0.5)
        job:get(host)
        ngx.sleep(0.02)
        ngx.say(ran, " ", (select(2, job:raw_get(host))))
    }
}
--- steps
GET /get                        200
    = 2 1 0
    = 3 #3
--- error_log
ended without a result



=== TEST 12: timers that nginx dropped are not waited for
--- store
memory 8m;
refresh_limit 1;
--- http_config
lua_max_running_timers 3;
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t12", {
        expiry = function()
            return ngx.now() + (ran > 3 and 60 or 0.05)
        end,
        fetch = function(number)
            ran = ran + 1
            return number
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        for number = 1, 3 do job:get(number) end
        ngx.sleep(0.1)
        for _ = 1, 3 do
            ngx.timer.at(0, function() ngx.sleep(0.3) end)
        end
        ngx.sleep(0.05)
        -- One has a place, and its timer is lost; one is in line, and the timer
        -- of who looks after the line is lost.
        ngx.say((job:get(1)), (job:get(2)), " ", ran)
        ngx.sleep(2.5)
        ngx.say((job:get(3)))
        ngx.sleep(0.3)
        ngx.say((job:get(1)))
        ngx.sleep(0.3)
        for number = 1, 3 do ngx.say((select(3, job:get(number)))) end
        local status = require("resty.cacheback").store("pages"):status()
        ngx.say(ran, " ", status.in_flight, " ", status.in_line)
    }
}
--- steps
GET /get                        200
    = 12 3
    = 3
    = 1
    = hit
    = hit
    = hit
    = 6 0 0
--- error_log
[alert]
lua_max_running_timers are not enough
--- no_error_log
exited on signal
--- timeout: 10



=== TEST 13: a function that sends the client elsewhere stores nothing
--- store
memory 8m;
--- http_config
init_by_lua_block {
    ran = {}
    local ways = {
        exec     = function() ngx.exec("/elsewhere") end,
        named    = function() ngx.exec("@named") end,
        redirect = function() ngx.redirect("/elsewhere") end,
        ok       = function() ngx.exit(ngx.OK) end,
    }
    job = require("resty.cacheback").new("pages", "t13", {
        fetch = function(way)
            ran[way] = (ran[way] or 0) + 1
            if ran[way] == 1 then ways[way]() end
            return way .. " " .. ran[way]
        end,
    })
}
--- config
location /content {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.arg_way)
        ngx.say(value, " ", err, " ", status)
    }
}
location /access {
    access_by_lua_block {
        ngx.ctx.value = job:get(ngx.var.arg_way)
    }
    content_by_lua_block { ngx.say("content, ", ngx.ctx.value) }
}
location /elsewhere { return 200 "elsewhere\n"; }
location @named     { return 200 "named\n"; }
--- steps
GET /content?way=exec           200
    = elsewhere
GET /content?way=exec           200
    = exec 2 nil miss
    within 1
GET /content?way=exec           200
    = exec 2 nil hit
GET /content?way=named          200
    = named
GET /content?way=named          200
    = named 2 nil miss
    within 1
GET /content?way=redirect       302
GET /content?way=redirect       200
    = redirect 2 nil miss
    within 1
GET /access?way=ok              200
    = content, nil
GET /access?way=ok              200
    = content, ok 2
    within 1



=== TEST 14: what a function prints reaches who waits for it, and is not stored
--- store
memory 8m;
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t14", {
        fetch = function() ngx.say("printed") return "value" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = printed
    = value nil miss
GET /get                        200
    = value nil hit



=== TEST 15: in the background there is no client to print to or send elsewhere
--- store
memory 8m;
--- http_config
init_by_lua_block {
    ran = {}
    local ways = {
        say      = function() ngx.say("printed") end,
        exec     = function() ngx.exec("/elsewhere") end,
        redirect = function() ngx.redirect("/elsewhere") end,
    }
    job = require("resty.cacheback").new("pages", "t15", {
        lifetime = 0.1,
        fetch = function(way)
            ran[way] = (ran[way] or 0) + 1
            if ran[way] > 1 then ways[way]() end
            return way .. " " .. ran[way]
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local pages = require("resty.cacheback").store("pages")
        for _, way in ipairs({ "say", "exec", "redirect" }) do
            local before = pages:status().refreshes_failed
            job:get(way)
            ngx.sleep(0.12)
            job:get(way)
            ngx.sleep(0.02)
            local value, err, status = job:get(way)
            local figures = pages:status()
            ngx.say(value, " ", err, " ", status, " ", ran[way], " ",
                figures.refreshes_failed - before, " ", figures.in_flight)
        end
    }
}
--- steps
GET /get                        200
    = say 1 nil stale 2 1 0
    = exec 1 nil stale 2 1 0
    = redirect 1 nil stale 2 1 0
--- error_log
cacheback: refresh of "t15"
API disabled in the context of ngx.timer



=== TEST 16: a function that never ends does not keep its place for ever
--- store
memory        8m;
refresh_limit 1;
--- http_config
init_by_lua_block {
    ran = 0
    local cacheback = require "resty.cacheback"
    hung = cacheback.new("pages", "t16", {
        lifetime = 0.1,
        refresh_timeout = 0.3,
        fetch = function()
            ran = ran + 1
            if ran == 1 then return "#1" end
            return coroutine.wrap(function()
                while not ngx.worker.exiting() do ngx.sleep(0.05) end
            end)()
        end,
    })
    other = cacheback.new("pages", "t16-other", {
        lifetime = 0.1,
        fetch = function() return ran end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local host = ngx.var.host
        local pages = require("resty.cacheback").store("pages")
        hung:get(host)
        other:get(host)
        ngx.sleep(0.15)
        hung:get(host)
        ngx.sleep(0.4)
        -- Its lease has ended, and it may end yet.
        ngx.say(pages:status().in_flight)
        ngx.sleep(0.4)
        ngx.say(pages:status().in_flight, " ", ran)
        other:get(host)
        ngx.sleep(0.05)
        ngx.say((select(3, other:get(host))), " ", (other:get(host)))
    }
}
--- steps
GET /get                        200
    = 1
    = 0 2
    = hit 2
--- error_log
cacheback: refresh of "t16": it took longer than refresh_timeout
never ends
