-- resty.cacheback.options: what may be said of a job.
local options = require "resty.cacheback.options"

local function refused(opts, words)
    local ok, err = pcall(options.apply, {}, opts, 1)
    assert(not ok, words)
    assert(err:find(words, 1, true), err)
end

return {
    ["options become the job's"] = function()
        local job = {}
        options.apply(job, {
            lifetime = 0, refresh_timeout = 1.5, cache_ttl = 1e9,
            fetch_on_stale_threshold = 7, fetch_on_miss = false, lock = false,
        }, 1)
        assert(job.lifetime == 0 and job.refresh_timeout == 1.5)
        assert(job.cache_ttl == 1e9 and job.fetch_on_stale_threshold == 7)
        assert(job.fetch_on_miss == false and job.lock == false)
        options.apply({}, nil, 1)
    end,

    ["functions do not get the job"] = function()
        local job = {}
        options.apply(job, { fetch = function(...) return ... end }, 1)
        local a, b = job:fetch("a", "b")
        assert(a == "a" and b == "b")
    end,

    ["what is not known, or of the wrong kind, is refused by name"] = function()
        refused({ lifetme = 1 }, "unknown option `lifetme`")
        refused({ [1] = 1 }, "unknown option `1`")
        refused({ make = print }, "unknown option `make`")
        for _, name in ipairs { "lifetime", "refresh_timeout", "cache_ttl",
                                "fetch_on_stale_threshold", "lock" } do
            refused({ [name] = -1 }, "bad `" .. name .. "`")
            refused({ [name] = "1" }, "bad `" .. name .. "`")
            refused({ [name] = 0 / 0 }, "bad `" .. name .. "`")
        end
        for _, name in ipairs { "fetch", "key", "empty", "expiry", "timeout",
                                "prepare_args", "process_result",
                                "serialize", "deserialize" } do
            refused({ [name] = "text" }, "bad `" .. name
                .. "`, expected a function")
        end
        refused({ fetch_on_miss = "yes" }, "bad `fetch_on_miss`")
        refused("text", "bad `opts`")
        refused({ serialize = print }, "or none of both")
    end,

    ["names are short words without a colon"] = function()
        options.check_names("pages", "a-b_c.D9", 1)
        for _, name in ipairs { "", "a:b", "a b", "ü", ("x"):rep(65), 1,
                                false } do
            assert(not pcall(options.check_names, "pages", name, 1))
            assert(not pcall(options.check_names, name, "job", 1))
        end
    end,
}
