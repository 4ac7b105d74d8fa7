# resty.cacheback: wrap(), job classes, and what is wrong use.
use lib 't/lib';
use CachebackTest;

run_tests();

__DATA__

=== TEST 1: a wrapped function is called like the function
--- store
memory 8m;
--- http_config
init_by_lua_block {
    ran = 0
    function slow(name, more)
        ran = ran + 1
        return name .. (more or "")
    end
    cached = require("resty.cacheback").wrap(slow,
        { store = "pages", name = "t1", lifetime = 1200 })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = cached("a", "b")
        ngx.say(value, " ", err, " ", status)
        value, err, status = cached("a", "b")
        ngx.say(value, " ", err, " ", status, " ", ran)
        ngx.say((cached("a")))
        ngx.say(cached.fn == slow, " ", cached.job.name, " ",
            cached.job.lifetime, " ", cached.job.refresh_timeout)
        ngx.say(cached.job:invalidate("a", "b"), " ",
            select(3, cached("a", "b")))
        ngx.say(cached.job:set("c", "a", "b"), " ", (cached("a", "b")))
        ngx.say(cached.job:delete("a", "b"), " ", select(3, cached("a", "b")))
    }
}
--- steps
GET /get                        200
    = ab nil miss
    = ab nil hit 1
    = a
    = true t1 1200 60
    = true stale
    = true c
    = true miss



=== TEST 2: without fetching on a miss
--- store
memory 8m;
--- http_config
init_by_lua_block {
    cached = require("resty.cacheback").wrap(function() return "value" end,
        { store = "pages", name = "t2", fetch_on_miss = false })
}
--- config
location /get {
    content_by_lua_block {
        local value, err, status = cached()
        ngx.say(value, " ", err, " ", status)
        ngx.sleep(0.05)
        value, err, status = cached()
        ngx.say(value, " ", err, " ", status)
    }
}
--- steps
GET /get                        200
    = nil nil empty
    = value nil hit



=== TEST 3: a class of jobs has attributes and methods of its own
--- store
memory 8m;
--- http_config
init_by_lua_block {
    local cacheback = require "resty.cacheback"
    Tweets = cacheback.Job:extend { lifetime = 30, greeting = "hello " }
    function Tweets:fetch(name)
        return self.greeting .. name
    end
    function Tweets:expiry(name)
        return cacheback.Job.expiry(self, name) + 5
    end
    Loud = Tweets:extend { greeting = "HELLO " }
    job = Tweets:new("pages", "t3")
    loud = Loud:new("pages", "t3-loud", { lifetime = 60 })
    cached = cacheback.wrap(function(name) return "wrapped " .. name end,
        { store = "pages", name = "t3-wrapped", job_class = Tweets })
}
--- config
location /get {
    content_by_lua_block {
        ngx.say((job:get("you")), " ",
            math.ceil(job:raw_get("you") - ngx.now()))
        ngx.say((loud:get("you")), " ",
            math.ceil(loud:raw_get("you") - ngx.now()))
        ngx.say((cached("you")), " ",
            math.ceil(cached.job:raw_get("you") - ngx.now()))
    }
}
--- steps
GET /get                        200
    = hello you 35
    = HELLO you 65
    = wrapped you 35



=== TEST 4: two stores keep their items apart
--- http_config
cacheback_store one { memory 1m; }
cacheback_store two { memory 1m; }
init_by_lua_block {
    local cacheback = require "resty.cacheback"
    local function made(store)
        return cacheback.new(store, "t4", { fetch = function() return store end })
    end
    one, two = made("one"), made("two")
}
--- config
location /get {
    content_by_lua_block {
        ngx.say((one:get("a")), " ", (two:get("a")), " ", (one:get("a")))
        ngx.say(one:delete("a"), " ", two:delete("a"))
    }
}
--- steps
GET /get                        200
    = one two one
    = true true



=== TEST 5: wrong use is an error at the caller's line
--- store
memory 8m;
--- config
location /get {
    content_by_lua_block {
        local cacheback = require "resty.cacheback"
        local new, wrap = cacheback.new, cacheback.wrap
        local function f() end
        local function says(...)
            local ok, err = pcall(...)
            -- Without the file and what stands before the line.
            err = tostring(err):gsub("^.-:(%d+): ", function(line)
                return "@" .. (line - here) .. " "
            end)
            ngx.say(ok, " ", err)
        end
        here = debug.getinfo(1).currentline
        says(function() new("pages", "x", { fetch = f, lifetme = 1 }) end)
        says(function() new("pages", "x", { fetch = f, lifetime = "1" }) end)
        says(function() new("pages", "x", { fetch = 1 }) end)
        says(function() new("pages", "x") end)
        says(function() new(nil, "x", { fetch = f }) end)
        says(function() new("pages", "a:b", { fetch = f }) end)
        says(function() new("pages", "x", { fetch = f, cache_ttl = -1 }) end)
        says(function() new("pages", "x", { fetch = f, lock = true }) end)
        says(function() new("pages", "x", { fetch = f, fetch_on_miss = 1 }) end)
        says(function() new("pages", "x", { fetch = f, serialize = f }) end)
        says(function() wrap(f, { store = "pages" }) end)
        says(function() wrap({}, { store = "pages", name = "x" }) end)
        says(function() wrap(f) end)
        says(function() wrap(f, { store = "p", name = "x", job_class = 1 }) end)
        says(function() cacheback.Job:new("pages", "x", { fetch = 0 }) end)
        says(function() cacheback.store() end)
        says(function() cacheback.store("pages"):delete { url = "u" } end)
        says(function() cacheback.store("pages"):invalidate("key") end)
        local job = new("pages", "x", { fetch = f })
        says(function() job:get(f) ; return 1 end)
        says(function() job:get("a", { f }) ; return 1 end)
        says(function() job:set("value", "a", f) ; return 1 end)
        says(function() job:delete(f) ; return 1 end)
        says(function() job:invalidate(coroutine.create(f)) ; return 1 end)
        local circle = {}
        circle[1] = circle
        says(function() job:raw_get(circle) ; return 1 end)
        says(function() job:refresh(f) ; return 1 end)
        says(function() job:refresh_async(f) ; return 1 end)
        says(function() wrap(f, { store = "p", name = "x", fetch = f }) end)
    }
}
--- steps
GET /get                        200
    = false @1 cacheback: unknown option `lifetme`
    = false @2 cacheback: bad `lifetime`, expected a number of seconds
    = false @3 cacheback: bad `fetch`, expected a function
    = false @4 cacheback: bad `fetch`, expected a function
    = false @5 cacheback: bad `store`, expected the name of a cacheback_store
    = false @6 cacheback: bad `name`, expected 1 to 64 letters, digits, "_", "-" or "."
    = false @7 cacheback: bad `cache_ttl`, expected a number of seconds
    = false @8 cacheback: bad `lock`, expected a number of seconds or false
    = false @9 cacheback: bad `fetch_on_miss`, expected true or false
    = false @10 cacheback: bad `serialize`, expected it and `deserialize`, or none of both
    = false @11 cacheback: bad `name`, expected 1 to 64 letters, digits, "_", "-" or "."
    = false @12 cacheback: bad `fn`, expected a function
    = false @13 cacheback: bad `opts`, expected a table with store and name
    = false @14 cacheback: bad `job_class`, expected one that Job:extend() made
    = false @15 cacheback: bad `fetch`, expected a function
    = false @16 cacheback: bad `name`, expected the name of a cacheback_store
    = false @17 cacheback: expected { key = "…" }
    = false @18 cacheback: expected { key = "…" }
    = false @20 cacheback: argument 1 is a function, which cannot be part of a key
    = false @21 cacheback: argument 2 is a function, which cannot be part of a key
    = false @22 cacheback: argument 2 is a function, which cannot be part of a key
    = false @23 cacheback: argument 1 is a function, which cannot be part of a key
    = false @24 cacheback: argument 1 is a thread, which cannot be part of a key
    = false @27 cacheback: argument 1 is a table that contains itself, which cannot be part of a key
    = false @28 cacheback: argument 1 is a function, which cannot be part of a key
    = false @29 cacheback: argument 1 is a function, which cannot be part of a key
    = false @30 cacheback: bad `fetch`, it is the function that is wrapped
--- no_error_log
[alert]



=== TEST 6: a store that is not there is an error, no more
--- store
memory 8m;
--- config
location /get {
    content_by_lua_block {
        local cacheback = require "resty.cacheback"
        local job = cacheback.new("pgaes", "x", { fetch = print })
        for _, name in ipairs { "get", "raw_get", "delete", "refresh",
                                "refresh_async", "invalidate", "set" } do
            local ok, err = job[name](job, "a")
            ngx.say(name, " ", ok, " ", err)
        end
        ngx.say(cacheback.store("pgaes"):status())
    }
}
--- steps
GET /get                        200
    = get nil cacheback: there is no cacheback_store "pgaes"
    = raw_get nil cacheback: there is no cacheback_store "pgaes"
    = delete nil cacheback: there is no cacheback_store "pgaes"
    = refresh nil cacheback: there is no cacheback_store "pgaes"
    = refresh_async nil cacheback: there is no cacheback_store "pgaes"
    = invalidate nil cacheback: there is no cacheback_store "pgaes"
    = set nil cacheback: there is no cacheback_store "pgaes"
    = nilcacheback: there is no cacheback_store "pgaes"
