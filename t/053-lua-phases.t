# resty.cacheback: where it works, and what it says elsewhere.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: rewrite, access, content
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t1", {
        lifetime = 0.2,
        fetch = function()
            ran = ran + 1
            local mine = ran
            ngx.sleep(0.05)
            return mine
        end,
    })
    function told(phase)
        local value, err, status = job:get(phase, ngx.var.host)
        ngx.ctx[phase] = value .. tostring(err) .. status
    end
}
--- config
location /get {
    rewrite_by_lua_block { told("rewrite") }
    access_by_lua_block { told("access") }
    content_by_lua_block {
        told("content")
        ngx.say(ngx.ctx.rewrite, " ", ngx.ctx.access, " ", ngx.ctx.content)
    }
}
--- steps
GET /get                        200
    = 1nilmiss 2nilmiss 3nilmiss
GET /get                        200
    = 1nilhit 2nilhit 3nilhit
wait 0.3
GET /get                        200
    = 1nilstale 2nilstale 3nilstale
    within 0.04
wait 0.1
GET /get                        200
    ~ ^[456]nilhit [456]nilhit [456]nilhit$



=== TEST 2: timers, and light threads within them
--- store
$TIER
--- http_config
lua_shared_dict told 1m;
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t2", {
        fetch = function(name) ngx.sleep(0.02); return "value" end,
    })
}
--- config
location /start {
    content_by_lua_block {
        local host = ngx.var.host
        ngx.timer.at(0, function()
            local value, err, status = job:get("timer", host)
            local thread = ngx.thread.spawn(function()
                local _, _, again = job:get("timer", host)
                return again
            end)
            local _, again = ngx.thread.wait(thread)
            local co = coroutine.wrap(function()
                return (select(3, job:get("coroutine", host)))
            end)
            ngx.shared.told:set(host, value .. tostring(err) .. status .. again
                .. co())
        end)
        ngx.sleep(0.2)
        ngx.say(ngx.shared.told:get(host))
    }
}
--- steps
GET /start                      200
    = valuenilmisshitmiss



=== TEST 3: elsewhere nil and an error that says where
--- store
$TIER
--- http_config
init_by_lua_block {
    local cacheback = require "resty.cacheback"
    job = cacheback.new("pages", "t3", { fetch = function() return 1 end })
    store = cacheback.store("pages")
    said = {}
    function tried(phase)
        local words = {}
        for _, name in ipairs { "get", "set", "delete", "invalidate",
                                "raw_get", "refresh", "refresh_async" } do
            local ok, value, err = pcall(job[name], job, "a", "a")
            words[#words + 1] = tostring(ok) .. " " .. tostring(value) .. " "
                .. tostring(err)
        end
        for _, name in ipairs { "delete", "invalidate", "status" } do
            local ok, value, err = pcall(store[name], store, { key = "a" })
            words[#words + 1] = tostring(ok) .. " " .. tostring(value) .. " "
                .. tostring(err)
        end
        for i = 2, #words do
            if words[i] ~= words[1] then words[1] = words[i] end
        end
        said[phase] = words[1]
    end
    tried("init")
}
init_worker_by_lua_block { tried("init_worker") }
--- config
location /get {
    set_by_lua_block $x { tried("set") return "" }
    header_filter_by_lua_block { tried("header_filter") }
    body_filter_by_lua_block { tried("body_filter") }
    log_by_lua_block { tried("log") }
    content_by_lua_block { ngx.say("x") }
}
location /said {
    content_by_lua_block {
        for _, phase in ipairs { "init", "init_worker", "set",
                                 "header_filter", "body_filter", "log" } do
            ngx.say(said[phase])
        end
    }
}
--- steps
GET /get                        200
GET /said                       200
    = true nil cacheback: not to be used in the phase "init"
    = true nil cacheback: not to be used in the phase "init_worker"
    = true nil cacheback: not to be used in the phase "set"
    = true nil cacheback: not to be used in the phase "header_filter"
    = true nil cacheback: not to be used in the phase "body_filter"
    = true nil cacheback: not to be used in the phase "log"



=== TEST 4: a timer of init_worker may warm it up
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t4", {
        fetch = function() ran = ran + 1; return ran end,
    })
}
init_worker_by_lua_block {
    ngx.timer.at(0, function() job:get("warm", "$TEST_NGINX_PREFIX") end)
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get("warm", "$TEST_NGINX_PREFIX")
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
wait 0.1
GET /get                        200
    = 1 nil hit



=== TEST 5: a subrequest's job is its own
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t5", {
        fetch = function(name) ngx.sleep(0.05); return name end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local one, two = ngx.location.capture_multi { { "/sub" }, { "/sub" } }
        ngx.print(one.body, two.body)
    }
}
location /sub {
    content_by_lua_block {
        local value, err, status = job:get("sub", ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = sub nil miss
    = sub nil hit



=== TEST 6: without lua_code_cache it works as well
--- store
$TIER
--- http_config
lua_code_cache off;
--- config
location /get {
    content_by_lua_block {
        local job = require("resty.cacheback").new("pages", "t6", {
            lifetime = 0.2,
            fetch = function() ngx.sleep(0.02); return "value" end,
        })
        local value, err, status = job:get(ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = value nil miss
GET /get                        200
    = value nil hit
wait 0.3
GET /get                        200
    = value nil stale
wait 0.1
GET /get                        200
    = value nil hit
--- suppress_stderr
--- error_log
[alert]
lua_code_cache is off
