# resty.cacheback: get(), and what it does about what is missing or stale.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: the function runs once, then its result is a hit
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t1", {
        fetch = function(name) ran = ran + 1; return name .. " #" .. ran end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.host .. ngx.var.arg_n)
        ngx.say(value:match("#.*"), " ", err, " ", status)
    }
}
--- steps
GET /get?n=a                    200
    = #1 nil miss
GET /get?n=a                    200
    = #1 nil hit
GET /get?n=b                    200
    = #2 nil miss
GET /get?n=a                    200
    = #1 nil hit



=== TEST 2: a stale value comes at once, and a refresh behind it
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t2", {
        lifetime = 0.3,
        fetch = function()
            ran = ran + 1
            local mine = ran
            if mine > 1 then ngx.sleep(0.3) end
            return "#" .. mine
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
GET /get                        200
    = #1 nil miss
GET /get                        200
    = #1 nil hit
wait 0.35
GET /get                        200
    = #1 nil stale
    within 0.2
GET /get                        200
    = #1 nil stale
    within 0.2
wait 0.4
GET /get                        200
    = #2 nil hit



=== TEST 3: without fetch_on_miss the empty value at once, then the fetched one
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t3", {
        fetch_on_miss = false,
        empty = function() return "nothing yet" end,
        fetch = function()
            ran = ran + 1
            ngx.sleep(0.3)
            return "#" .. ran
        end,
    })
    bare = require("resty.cacheback").new("pages", "t3-bare", {
        fetch_on_miss = false,
        fetch = function() return "something" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
location /bare {
    content_by_lua_block {
        local value, err, status = bare:get(ngx.var.host)
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = nothing yet nil empty
    within 0.2
GET /get                        200
    = nothing yet nil empty
    within 0.2
wait 0.4
GET /get                        200
    = #1 nil hit
GET /bare                       200
    = nil nil empty



=== TEST 4: older than the threshold is fetched while one waits
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t4", {
        lifetime = 0.5,
        fetch_on_stale_threshold = 1.5,
        fetch = function() ran = ran + 1; return "#" .. ran end,
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
    = #1 nil miss
wait 1.7
GET /get                        200
    = #2 nil stale
GET /get                        200
    = #2 nil hit
wait 0.7
GET /get                        200
    = #2 nil stale
wait 0.1
GET /get                        200
    = #3 nil hit



=== TEST 5: nothing is a value, and so is false
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t5", {
        fetch = function(which)
            ran = ran + 1
            if which:find("false") then return false end
            return nil
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.arg_n .. ngx.var.host)
        ngx.say(value, " ", err, " ", status, " ", ran)
    }
}
--- steps
GET /get?n=nil                  200
    = nil nil miss 1
GET /get?n=nil                  200
    = nil nil hit 1
GET /get?n=false                200
    = false nil miss 2
GET /get?n=false                200
    = false nil hit 2



=== TEST 6: what a function returns comes back as it was
--- store
$TIER
--- http_config
init_by_lua_block {
    values = {
        text = "a\0b\r\n\xff",
        none = "",
        number = 0.1 + 0.2,
        integer = 9007199254740991,
        huge = -1e300,
        yes = true,
        list = { 1, 2, { a = "b" } },
        map = { a = 1, b = { true, false }, c = "ü" },
        long = ("0123456789"):rep(30000),
    }
    job = require("resty.cacheback").new("pages", "t6", {
        fetch = function(which) return values[which] end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local function same(a, b)
            if type(a) ~= "table" or type(b) ~= "table" then return a == b end
            for k, v in pairs(a) do
                if not same(v, b[k]) then return false end
            end
            for k in pairs(b) do
                if a[k] == nil then return false end
            end
            return true
        end
        local names = {}
        for name in pairs(values) do names[#names + 1] = name end
        table.sort(names)
        for _, name in ipairs(names) do
            job:delete(name)
            local _, _, first = job:get(name)
            local value, err, status = job:get(name)
            ngx.say(name, " ", first, " ", status, " ", err, " ",
                same(values[name], value))
        end
    }
}
--- steps
GET /get                        200
    = huge miss hit nil true
    = integer miss hit nil true
    = list miss hit nil true
    = long miss hit nil true
    = map miss hit nil true
    = none miss hit nil true
    = number miss hit nil true
    = text miss hit nil true
    = yes miss hit nil true



=== TEST 7: a function that fails is an error, and the next get tries again
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t7", {
        fetch = function(how)
            ran = ran + 1
            if how:find("raise") then error("broken pipe", 0) end
            if how:find("table") then error({ code = 7 }) end
            return nil, "timeout"
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.arg_n .. ngx.var.host)
        if type(err) == "table" then err = err.code end
        ngx.say(value, " ", err, " ", status, " ", ran)
    }
}
--- steps
GET /get?n=raise                200
    = nil broken pipe nil 1
GET /get?n=raise                200
    = nil broken pipe nil 2
GET /get?n=say                  200
    = nil timeout nil 3
GET /get?n=table                200
    = nil 7 nil 4



=== TEST 8: a refresh that fails keeps the stale value, and backs off
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t8", {
        lifetime = 0.2,
        refresh_timeout = 0.8,
        fetch = function()
            ran = ran + 1
            if ran == 2 then error("out of order", 0) end
            return "#" .. ran
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.host)
        ngx.sleep(0.02)
        ngx.say(value, " ", err, " ", status, " ", ran)
    }
}
--- steps
GET /get                        200
    = #1 nil miss 1
wait 0.25
GET /get                        200
    = #1 nil stale 2
GET /get                        200
    = #1 nil stale 2
wait 0.9
GET /get                        200
    = #1 nil stale 3
GET /get                        200
    = #3 nil hit 3
--- error_log
cacheback: refresh of "t8": out of order



=== TEST 9: an item is gone at its cache_ttl
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t9", {
        lifetime = 0.1,
        cache_ttl = 0.4,
        fetch = function() ran = ran + 1; return "#" .. ran end,
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
    = #1 nil miss
wait 0.5
GET /get                        200
    = #2 nil miss



=== TEST 10: arguments of all kinds tell items apart
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t10", {
        fetch = function(...) return select("#", ...) end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local host = ngx.var.host
        local calls = {
            { n = 1, host },
            { n = 2, host, 1 },
            { n = 2, host, "1" },
            { n = 2, host, true },
            { n = 3, host, nil, 1 },
            { n = 3, host, 1, nil },        -- as { host, 1 }
            { n = 2, host, { a = 1, b = 2 } },
            { n = 2, host, { b = 2, a = 1 } },
            { n = 2, host, { a = { 1, 2 } } },
            { n = 2, host, { a = { 2, 1 } } },
            { n = 2, host, {} },
            { n = 2, host, ngx.null },
            { n = 2, host, ("x"):rep(1000) },
            { n = 2, host, ("x"):rep(1001) },
            { n = 2, host, 1.5 },
        }
        for _, call in ipairs(calls) do
            local _, _, status = job:get(unpack(call, 1, call.n))
            ngx.print(status, " ")
        end
        ngx.say()
        for _, call in ipairs(calls) do
            local _, _, status = job:get(unpack(call, 1, call.n))
            ngx.print(status, " ")
        end
        ngx.say()
    }
}
--- steps
GET /get                        200
    ~ ^miss miss miss miss miss hit miss hit miss miss miss miss miss miss miss $
    ~ ^hit hit hit hit hit hit hit hit hit hit hit hit hit hit hit $



=== TEST 11: jobs of one store do not find each other's items
--- store
$TIER
--- http_config
init_by_lua_block {
    local cacheback = require "resty.cacheback"
    one = cacheback.new("pages", "one", { fetch = function() return 1 end })
    two = cacheback.new("pages", "two", { fetch = function() return 2 end })
    keyed = cacheback.new("pages", "one", {
        fetch = function() return 3 end,
        key = function(name) return "s" .. #name .. ":" .. name end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local host = ngx.var.host
        for _ = 1, 2 do
            ngx.say(one:get(host), two:get(host), keyed:get(host))
        end
    }
}
--- steps
GET /get                        200
    = 123nilmiss
    = 123nilhit



=== TEST 12: with memory and Redis, what memory forgets Redis has
--- store
memory 256k;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t12", {
        fetch = function() ran = ran + 1; return ("x"):rep(10000) end,
    })
}
--- config
location /get {
    content_by_lua_block {
        for round = 1, 2 do
            for number = 1, 100 do job:get(ngx.var.host, number) end
        end
        local status = require("resty.cacheback").store("pages"):status()
        ngx.say(ran, " ", status.redis_hits > 10, " ", status.memory_hits > 0)
    }
}
--- steps
GET /get                        200
    ~ ^100 true



=== TEST 13: a value that is too large is returned and not stored
--- store
$TIER
max_entry 20k;
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t13", {
        fetch = function() ran = ran + 1; return ("x"):rep(30000) end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get(ngx.var.host)
        ngx.say(#value, " ", err, " ", status, " ", ran)
    }
}
--- steps
GET /get                        200
    = 30000 nil miss 1
GET /get                        200
    = 30000 nil miss 2
--- error_log
cacheback: result of "t13": cacheback: the value is larger than max_entry



=== TEST 14: a value that cannot be stored is returned, and an error logged
--- store
$TIER
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t14", {
        fetch = function(what)
            if what == "function" then return print end
            return { id = 1234567890123456 }
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = job:get("function")
        ngx.say(type(value), " ", err, " ", status)
        local wide = pcall(require("cjson").encode_number_precision, 16)
        value, err, status = job:get("table")
        ngx.say(value.id == 1234567890123456, " ", err, " ", status)
        _, _, status = job:get("table")
        ngx.say(status == (wide and "hit" or "miss"))
    }
}
--- steps
GET /get                        200
    = function nil miss
    = true nil miss
    = true
--- error_log
cacheback: result of "t14": cacheback: a function cannot be stored



=== TEST 15: small values are kept by the worker, and never a moment too long
--- store
memory 8m;
--- http_config
init_by_lua_block {
    job = require("resty.cacheback").new("pages", "t15", {
        lifetime = 0.3,
        fetch = function() return "fetched" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        for _ = 1, 20 do job:get(name) end
        job:set("set", name)
        for _ = 1, 20 do
            if job:get(name) ~= "set" then return ngx.say("not set") end
        end
        job:delete(name)
        local _, _, status = job:get(name)
        if status ~= "miss" then return ngx.say("not deleted") end
        for _ = 1, 20 do job:get(name) end
        job:invalidate(name)
        _, _, status = job:get(name)
        if status ~= "stale" then return ngx.say("not stale") end
        ngx.sleep(0.05)
        for _ = 1, 20 do job:get(name) end
        ngx.sleep(0.35)
        _, _, status = job:get(name)
        ngx.say(status)
    }
}
--- steps
GET /get                        200
    = stale



=== TEST 16: who waits less than a moment goes alone
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    job = require("resty.cacheback").new("pages", "t16", {
        lock = 0.0005,
        fetch = function()
            ran = ran + 1
            local number = ran
            if number == 1 then ngx.sleep(0.2) end
            return "#" .. number
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local name = ngx.var.host
        local first = ngx.thread.spawn(function() return (job:get(name)) end)
        ngx.sleep(0.05)
        ngx.say(job:get(name))
        local _, value = ngx.thread.wait(first)
        ngx.say(value)
        ngx.say((job:get(name)))
    }
}
--- steps
GET /get                        200
    ~ ^#2nilmiss\n#1\n#1$



=== TEST 17: so are those of other arguments than texts, each its own
--- store
memory 8m;
--- http_config
init_by_lua_block {
    local cacheback = require "resty.cacheback"
    local function fetch() return nil, "not stored" end
    job = cacheback.new("pages", "t17", { fetch = fetch })
    own = cacheback.new("pages", "t17o", {
        fetch = fetch,
        key = function(arg) return type(arg) .. tostring(arg) end,
    })
    processed = cacheback.new("pages", "t17p", {
        fetch = fetch,
        process_result = function(value, call, status, sync)
            return table.concat({ tostring(value), call.args.n,
                tostring(call.args[1]), status, tostring(sync) }, " ")
        end,
    })
}
--- config
location /get {
    content_by_lua_block {
        local NONE = {}
        local arguments = { NONE, "", 1, "1", 0, -0.5, 2^53, 0/0, true, "=1" }
        local function call(method, of, number, ...)
            local arg = arguments[number]
            if arg == NONE then
                return of[method](of, ...)
            elseif method == "set" then
                return of:set(..., arg)
            end
            return of[method](of, arg)
        end
        local values = { "text", 7, true, false, "last" }
        for _, of in ipairs { job, own } do
            for round, value in ipairs(values) do
                for number in ipairs(arguments) do
                    local own_value = type(value) == "string"
                        and value .. number or value
                    assert(call("set", of, number, own_value))
                    for _ = 1, 10 do
                        local got, err, status = call("get", of, number)
                        if got ~= own_value or err or status ~= "hit" then
                            return ngx.say(of.name, " ", number, " ", round,
                                " ", got, " ", err, " ", status)
                        end
                    end
                end
            end
            -- Each still has its own, and none comes back.
            for number in ipairs(arguments) do
                if call("get", of, number) ~= "last" .. number then
                    return ngx.say(of.name, " lost ", number)
                end
                assert(call("delete", of, number))
                local got, err = call("get", of, number)
                if got or err ~= "not stored" then
                    return ngx.say(of.name, " still has ", number)
                end
            end
        end
        assert(job:set(nil))
        for _ = 1, 10 do
            local got, err, status = job:get(nil)
            if got ~= nil or err or status ~= "hit" then
                return ngx.say("nil ", got, " ", err, " ", status)
            end
        end
        processed:set("v", 5)
        for _ = 1, 10 do ngx.say(processed:get(5)) end
    }
}
--- steps
GET /get                        200
    ~ ^(v 1 5 hit nilnilhit\n){10}$



=== TEST 18: a refresh whose result cannot be stored is a failure: it backs off
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = { ["function"] = 0, large = 0, empty = 0 }
    local function fetch(what)
        ran[what] = ran[what] + 1
        if what ~= "empty" and ran[what] == 1 then return "first" end
        return what == "function" and print or ("x"):rep(2 ^ 21)
    end
    local cacheback = require "resty.cacheback"
    job = cacheback.new("pages", "t18", { lifetime = 0.05, fetch = fetch })
    fills = cacheback.new("pages", "t18f",
        { fetch_on_miss = false, fetch = fetch })
}
--- config
location /get {
    content_by_lua_block {
        local host = ngx.var.host
        job:get("function", host)
        job:get("large", host)
        ngx.sleep(0.1)
        for _ = 1, 5 do
            ngx.say((job:get("function", host)), " ", (job:get("large", host)),
                " ", (select(3, fills:get("empty", host))))
            ngx.sleep(0.03)
        end
        ngx.say(ran["function"], " ", ran.large, " ", ran.empty)
    }
}
--- steps
GET /get                        200
    = first first empty
    = first first empty
    = first first empty
    = first first empty
    = first first empty
    = 2 2 1
--- error_log
refresh of "t18": cacheback: a function cannot be stored
refresh of "t18": cacheback: the value is larger than max_entry



=== TEST 19: times may be as long as one likes
--- store
$TIER
--- http_config
init_by_lua_block {
    ran = 0
    local function make(name, length)
        return require("resty.cacheback").new("pages", name, {
            lifetime = 0.05,
            refresh_timeout = length,
            lock = length,
            fetch = function()
                ran = ran + 1
                ngx.sleep(0.1)
                return ran
            end,
        })
    end
    jobs = { make("t19", 2592000), make("t19h", math.huge) }
}
--- config
location /get {
    content_by_lua_block {
        local host = ngx.var.host
        for _, job in ipairs(jobs) do
            ran = 0
            local first = ngx.thread.spawn(function() job:get(host) end)
            ngx.say((job:get(host)), " ", ran)
            ngx.thread.wait(first)
            ngx.sleep(0.1)
            job:get(host)
            ngx.sleep(0.15)
            ngx.say((select(2, job:raw_get(host))), " ", ran)
        end
    }
}
--- steps
GET /get                        200
    = 1 1
    = 2 2
    = 1 1
    = 2 2



=== TEST 20: an error is an error, whatever it is
--- store
$TIER
--- http_config
init_by_lua_block {
    local strange = setmetatable({}, { __tostring = function() error("no") end })
    job = require("resty.cacheback").new("pages", "t20", {
        fetch = function(what)
            if what == "nil" then error(nil) end
            if what == "false" then error(false) end
            if what == "nil, false" then return nil, false end
            error(strange)
        end,
    })
    late = require("resty.cacheback").new("pages", "t20l", {
        fetch = function() return 1 end,
        timeout = function() return "later" end,
    })
}
--- config
location /get {
    content_by_lua_block {
        for _, what in ipairs { "nil", "false", "nil, false", "strange" } do
            local value, err, status = job:get(what, ngx.var.host)
            ngx.say(value, " ", type(err) == "table" or err, " ", status)
        end
        job:refresh_async("strange", ngx.var.host)
        ngx.sleep(0.05)
        local _, err = pcall(late.get, late, ngx.var.host)
        ngx.say((err:gsub("^.-: ", "")))
    }
}
--- steps
GET /get                        200
    = nil cacheback: fetch failed nil
    = nil cacheback: fetch failed nil
    = nil cacheback: fetch failed nil
    = nil true nil
    = cacheback: timeout() returned no number
--- error_log
refresh of "t20": table
