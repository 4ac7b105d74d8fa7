-- resty.cacheback.job: a slow function, and its results in a store. What
-- django-cacheback's Job is for Python; README.md has the table of both.

local Job = require "resty.cacheback.defaults"
local base = require "resty.core.base"
local engine = require "resty.cacheback.engine"
local fetching = require "resty.cacheback.fetching"
local ffi = require "ffi"
local getting = require "resty.cacheback.getting"
local options = require "resty.cacheback.options"
local reading = require "resty.cacheback.reading"

local C = ffi.C
local begin = getting.begin
local error = error
local fetch_later = getting.fetch_later
local get = getting.get
local get_hit = getting.get_hit
local get_request = base.get_request
local lease_length = getting.lease_length
local pairs = pairs
local select = select
local setmetatable = setmetatable

local ABSENT = engine.ABSENT

-- --- reading ----------------------------------------------------------------

-- The value, an error, and what was found: "hit", "stale", "miss" or "empty".
function Job:get(...)
    local count = select("#", ...)
    local arg = ...
    if count == 1 or count == 0 and self.key == Job.key then
        local found, value = get_hit(self, arg, count)
        if found then
            return value, nil, "hit"
        end
    end
    local result, err, status = get(self, ...)
    return result, err, status
end


-- When the item becomes stale, and its value; nil when there is none, or nil
-- and an error. Never refreshes.
function Job:raw_get(...)
    local store, args, key = begin(self, 2, ...)
    if not store then
        return nil, args
    end
    local look = reading.look(reading.new_look(), self, store, key, false)
    if look.state ~= ABSENT then
        return look.expiry, look.value
    end
    if look.unavailable then
        return nil, "cacheback: redis cannot be reached"
    end
    return nil
end


-- --- changing ---------------------------------------------------------------

-- The lease, whoever has it, on this machine and in the fleet.
local function take(self, store, args, key)
    local number = C.ngx_http_cacheback_lua_take(get_request(), store, key,
        #key, lease_length(self, args), 0)
    if number == 0 then
        return nil
    end
    local lease = engine.own(number)
    engine.ask_fleet(store, lease, engine.OVER_ANYBODY, -1, 0)
    return lease
end


-- Stores a value as if it had been fetched. True, or nil and an error.
function Job:set(result, ...)
    local store, args, key = begin(self, 2, ...)
    if not store then
        return nil, args
    end
    local expiry = fetching.expiry(self, args)
    local lease = take(self, store, args, key)
    if not lease then
        return nil, "cacheback: no memory"
    end
    return fetching.store(self, lease, result, expiry, engine.TO_ALL, true)
end


-- True, false when there was nothing, or nil and an error.
function Job:delete(...)
    local store, args, key = begin(self, 2, ...)
    if not store then
        return nil, args
    end
    return engine.delete(store, key, 0)
end


-- Fetches and stores while the caller waits: the value, or nil and an error.
function Job:refresh(...)
    local store, args, key = begin(self, 2, ...)
    if not store then
        return nil, args
    end
    return fetching.now(self, args, take(self, store, args, key))
end


local function refresh_async(self, store, args, key)
    local number = C.ngx_http_cacheback_lua_take(nil, store, key, #key,
        lease_length(self, args), 1)
    if number == 0 then
        return true                     -- somebody is at it already
    end
    local ok, err = fetch_later(self, store, key, args, engine.own(number),
        engine.OVER_KEPT, -1, not reading.is_held(self, store, key))
    return ok, err
end


-- Fetches and stores in the background. True, or nil and an error.
function Job:refresh_async(...)
    local store, args, key = begin(self, 2, ...)
    if not store then
        return nil, args
    end
    return refresh_async(self, store, args, key)
end


-- Marks the item as stale and refreshes it in the background. True, false when
-- there is none, or nil and an error.
function Job:invalidate(...)
    local store, args, key = begin(self, 2, ...)
    if not store then
        return nil, args
    end
    local marked, err = reading.invalidate(store, key)
    if marked then
        local refreshed, why = refresh_async(self, store, args, key)
        if not refreshed then
            err = err or why
        end
    end
    if err then
        return nil, err
    end
    return marked
end


-- --- making jobs ------------------------------------------------------------

-- `class` is Job or made from it by extend(). `level` is that of whoever wrote
-- the options, as the caller of this sees it.
function Job.make(class, store, name, opts, level)
    options.check_names(store, name, level + 1)
    local self = setmetatable({
        store = store,
        name = name,
        prefix = "lua:" .. store .. ":" .. name .. ":",
        copies = reading.new_copies(),
        own_copies = reading.new_copies(),
    }, class)
    options.apply(self, opts, level + 1)
    if self.fetch == Job.fetch then
        error("cacheback: bad `fetch`, expected a function", level + 1)
    end
    return self
end


function Job:new(store, name, opts)
    local job = Job.make(self, store, name, opts, 2) -- no tail call: levels
    return job
end


-- A class of jobs with attributes and methods of its own; methods get the job
-- as their first argument.
function Job:extend(members)
    local class = {}
    for name, member in pairs(members or {}) do
        class[name] = member
    end
    class.__index = class
    return setmetatable(class, { __index = self })
end


return Job
