# resty.cacheback: the methods of a job, and those that it may have otherwise.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: attributes have the original's defaults
--- store
$TIER
--- config
location /get {
    content_by_lua_block {
        local job = require("resty.cacheback").new("pages", "t1",
            { fetch = function() end })
        ngx.say(job.lifetime, " ", job.refresh_timeout, " ", job.cache_ttl,
            " ", job.fetch_on_miss, " ", job.fetch_on_stale_threshold)
        ngx.say(job:empty(), " ", job:expiry() - ngx.now(), " ",
            job:timeout() - ngx.now())
        ngx.say(job:should_missing_item_be_fetched_synchronously(), " ",
            job:should_stale_item_be_fetched_synchronously(1e9))
        job.fetch_on_stale_threshold = 700
        ngx.say(job:should_stale_item_be_fetched_synchronously(100), " ",
            job:should_stale_item_be_fetched_synchronously(101))
    }
}
--- steps
GET /get                        200
    = 600 60 2592000 true nil
    = nil 600 60
    = true false
    = false true



=== TEST 2: set stores a value as if it had been fetched
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t2", {
        lifetime = 100,
        fetch = function() return "fetched" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        ngx.say(job:set("first", name), " ", (select(3, job:get(name))))
        ngx.say((job:get(name)))
        ngx.say(job:set(nil, name), " ", (job:get(name)))
        ngx.say(job:set({ a = { 1 } }, name), " ", job:get(name).a[1])
        local expiry = job:raw_get(name)
        ngx.say(expiry - ngx.now() > 99, " ", expiry - ngx.now() <= 100)
        ngx.say(job:set("no arguments"), " ", (job:get()))
        ngx.say(job:set("several", name, 1, { 2 }), " ",
            (job:get(name, 1, { 2 })))
    }
}
--- steps
GET /get                        200
    = true hit
    = first
    = true nil
    = true 1
    = true true
    = true no arguments
    = true several



=== TEST 3: delete removes an item, and says whether there was one
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t3", {
        fetch = function() ran = ran + 1; return ran end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        ngx.say(job:delete(name))
        job:get(name)
        ngx.say(job:delete(name), " ", job:delete(name))
        ngx.say((job:raw_get(name)), " ", (job:get(name)))
    }
}
--- steps
GET /get                        200
    = false
    = true false
    = nil 2



=== TEST 4: invalidate marks what is there and refreshes it; of nothing, nothing
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t4", {
        fetch = function()
            ran = ran + 1
            local mine = ran
            ngx.sleep(0.1)
            return mine
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        ngx.say(job:invalidate(name), " ", ran)
        job:get(name)
        ngx.say(job:invalidate(name))
        local value, _, status = job:get(name)
        ngx.say(value, " ", status)
        ngx.sleep(0.2)
        value, _, status = job:get(name)
        ngx.say(value, " ", status, " ", ran)
    }
}
--- steps
GET /get                        200
    = false 0
    = true
    = 1 stale
    = 2 hit 2



=== TEST 5: raw_get tells expiry and value, and never refreshes
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t5", {
        lifetime = 0.1,
        fetch = function() ran = ran + 1; return nil end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        local expiry, value = job:raw_get(name)
        ngx.say(expiry, " ", value, " ", ran)
        job:get(name)
        expiry, value = job:raw_get(name)
        ngx.say(expiry > ngx.now(), " ", value, " ", ran)
        ngx.sleep(0.15)
        expiry, value = job:raw_get(name)
        ngx.say(expiry < ngx.now(), " ", value, " ", ran)
        ngx.sleep(0.05)
        ngx.say(ran)
    }
}
--- steps
GET /get                        200
    = nil nil 0
    = true nil 1
    = true nil 1
    = 1



=== TEST 6: refresh fetches and stores whatever is there
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t6", {
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
        local name = ngx.var.host
        ngx.say((job:refresh(name)), " ", (job:get(name)))
        ngx.say((job:refresh(name)), " ", (job:get(name)))
        local value, err = job:refresh(name)
        ngx.say(value, " ", err, " ", (job:get(name)))
    }
}
--- steps
GET /get                        200
    = 1 1
    = 2 2
    = nil third 2



=== TEST 7: refresh_async does it in the background, once at a time
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t7", {
        fetch = function()
            ran = ran + 1
            local mine = ran
            ngx.sleep(0.1)
            return mine
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        for _ = 1, 10 do
            if job:refresh_async(name) ~= true then ngx.say("not true") end
        end
        ngx.say((job:raw_get(name)))
        ngx.sleep(0.2)
        ngx.say((job:get(name)), " ", ran)
    }
}
--- steps
GET /get                        200
    = nil
    = 1 1



=== TEST 8: a delete during a fetch wins, and so does a set
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t8", {
        fetch = function() ngx.sleep(0.2); return "fetched" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        local thread = ngx.thread.spawn(function()
            return (job:get(name))
        end)
        ngx.sleep(0.05)
        job:delete(name)
        local _, value = ngx.thread.wait(thread)
        ngx.say(value, " ", (job:raw_get(name)))

        thread = ngx.thread.spawn(function()
            return (job:get(name))
        end)
        ngx.sleep(0.05)
        job:set("set", name)
        ngx.thread.wait(thread)
        ngx.say((job:get(name)))
    }
}
--- steps
GET /get                        200
    = fetched nil
    = set
--- error_log
cacheback: result of "t8": cacheback: deleted or invalidated meanwhile



=== TEST 9: key, expiry, timeout and prepare_args may be otherwise
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t9", {
        key = function(name) return name:lower() end,
        expiry = function(name) return ngx.now() + (#name > 60 and 9 or 5) end,
        prepare_args = function(name, more)
            return name .. "!", more or "nothing more"
        end,
        fetch = function(name, more) return name .. " " .. more end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = "A" .. ngx.var.host
        local value, err, status = job:get(name)
        ngx.say(value == name .. "! nothing more", " ", status)
        value, err, status = job:get("a" .. ngx.var.host, "other")
        ngx.say(value == name .. "! nothing more", " ", status)
        ngx.say(math.ceil(job:raw_get(name) - ngx.now()))
        job:set("set", name:upper())
        ngx.say((job:get(name)))
        ngx.say(job:delete(name:upper()), " ", (job:raw_get(name)))
        ngx.say(job:key("X"))
    }
}
--- steps
GET /get                        200
    = true miss
    = true hit
    = 5
    = set
    = true nil
    = x



=== TEST 10: whether one waits may depend on the arguments
--- store
$TIER
--- http_config
init_by_lua_block {
    deltas = {}
    job = require("resty.cacheback").new("pages", "t10", {
        lifetime = 0.1,
        empty = function() return "empty" end,
        fetch = function(name) return "fetched" end,
        should_missing_item_be_fetched_synchronously = function(name)
            return name:find("^now") ~= nil
        end,
        should_stale_item_be_fetched_synchronously = function(delta, name)
            deltas[#deltas + 1] = delta
            return delta > 0.2
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local now, later = "now" .. ngx.var.host, "later" .. ngx.var.host
        local function say(name)
            local value, _, status = job:get(name)
            ngx.say(value, " ", status)
        end
        say(later)
        say(now)
        ngx.sleep(0.15)
        say(now)
        ngx.sleep(0.02)
        say(now)
        ngx.sleep(0.4)
        local before = ngx.now()
        say(now)
        ngx.say(#deltas, " ", deltas[1] > 0.03 and deltas[1] < 0.15, " ",
            deltas[2] > 0.25)
    }
}
--- steps
GET /get                        200
    = empty empty
    = fetched miss
    = fetched stale
    = fetched hit
    = fetched stale
    = 2 true true



=== TEST 11: process_result sees the result, the call and what was found
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t11", {
        lifetime = 0.1,
        fetch_on_miss = false,
        empty = function() return "E" end,
        fetch = function() return "F" end,
        prepare_args = function(name) return name:lower() end,
        process_result = function(result, call, status, sync)
            return table.concat({ result, call.args.n, call.args[2],
                status, tostring(sync) }, " ")
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = "N" .. ngx.var.host
        local function say()
            local value, _, status = job:get(name, "raw")
            ngx.say(value, " ", status)
        end
        say()
        ngx.sleep(0.03)
        say()
        ngx.sleep(0.1)
        say()
        job:delete(name)
        job.fetch_on_miss = true
        say()
    }
}
--- steps
GET /get                        200
    = E 2 raw empty false empty
    = F 2 raw hit nil hit
    = F 2 raw stale false stale
    = F 2 raw miss true miss



=== TEST 12: serialize and deserialize take the place of cjson
--- store
$TIER
--- http_config
init_by_lua_block {
    local cacheback = require "resty.cacheback"
    job = cacheback.new("pages", "t12", {
        serialize = function(v) return v.a .. "|" .. v.b end,
        deserialize = function(s)
            local a, b = s:match("(.*)|(.*)")
            return { a = a, b = b }
        end,
        fetch = function(which)
            return which == "text" and "as|it is" or { a = "x", b = which }
        end,
    })
    broken = cacheback.new("pages", "t12", {
        serialize = function() return "nothing" end,
        deserialize = function() error("no such thing", 0) end,
        fetch = function() return "again" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        job:get(name)
        local value, err, status = job:get(name)
        ngx.say(value.a, " ", value.b == name, " ", status)
        job:get("text")
        ngx.say((job:get("text")))
        value, err, status = broken:get(name)
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = x true hit
    = as|it is
    = again nil miss
log taken as a miss: deserialize: no such thing



=== TEST 13: of two that fetch at the same time, one does
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t13", {
        fetch = function() ran = ran + 1; ngx.sleep(0.1); return ran end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local threads = {}
        for i = 1, 20 do
            threads[i] = ngx.thread.spawn(function()
                local value, _, status = job:get(ngx.var.host)
                return value, status
            end)
        end
        local found = {}
        for i = 1, 20 do
            local _, value, status = ngx.thread.wait(threads[i])
            local word = value .. status
            found[word] = (found[word] or 0) + 1
        end
        ngx.say(found["1miss"], " ", found["1hit"], " ", ran)
    }
}
--- steps
GET /get                        200
    = 1 19 1



=== TEST 14: one that fails lets the next one try, not all of them at once
--- store
$TIER
--- http_config
init_by_lua_block {
    ran, most, running = 0, 0, 0
    job = require("resty.cacheback").new("pages", "t14", {
        fetch = function()
            ran = ran + 1
            local mine = ran
            running = running + 1
            most = math.max(most, running)
            ngx.sleep(0.05)
            running = running - 1
            if mine < 3 then return nil, "not yet" end
            return mine
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local threads, failed, had = {}, 0, 0
        for i = 1, 20 do
            threads[i] = ngx.thread.spawn(function()
                return job:get(ngx.var.host)
            end)
        end
        for i = 1, 20 do
            local _, value, err = ngx.thread.wait(threads[i])
            if err == "not yet" then failed = failed + 1 end
            if value == 3 then had = had + 1 end
        end
        ngx.say(failed, " ", had, " ", ran, " ", most)
    }
}
--- steps
GET /get                        200
    = 2 18 3 1



=== TEST 15: keys hold store, job and arguments
--- store
$TIER
--- config
location /get {
    content_by_lua_block {
        local job = require("resty.cacheback").new("pages", "t15",
            { fetch = function() end })
        ngx.say(job:key())
        ngx.say(job:key("alice"))
        ngx.say(job:key("alice", 2, nil, true))
        ngx.say(job:key({ b = 1, a = { "x" } }))
        ngx.say(job:key(("x"):rep(300)) == job:key(("x"):rep(301)))
        ngx.say(job:key(("x"):rep(300)):match("^lua:pages:t15:#%x+$") ~= nil)
    }
}
--- steps
GET /get                        200
    = lua:pages:t15:
    = lua:pages:t15:s5:alice
    = lua:pages:t15:s5:alice,n2,z,t
    = lua:pages:t15:{s1:a={n1=s1:x},s1:b=n1}
    = false
    = true
