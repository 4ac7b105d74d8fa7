-- resty.cacheback.getting: what a get does, step by step.

local Job = require "resty.cacheback.defaults"
local base = require "resty.core.base"
local engine = require "resty.cacheback.engine"
local fetching = require "resty.cacheback.fetching"
local ffi = require "ffi"
local reading = require "resty.cacheback.reading"

local C = ffi.C
local error = error
local get_request = base.get_request
local hit = reading.hit
local now = ngx.now
local select = select
local store_of = engine.store
local type = type
local unpack = unpack

local ABSENT, FRESH, STALE = engine.ABSENT, engine.FRESH, engine.STALE

local _M = {}

local function pack(...)
    return { n = select("#", ...), ... }
end


-- The store, the prepared arguments and the key; or nil and why not here. An
-- argument that cannot be part of a key is an error at `level`, counted as seen
-- by the caller of this.
function _M.begin(self, level, ...)
    local store, err = store_of(self.store)
    if not store then
        return nil, err
    end
    local args = pack(self:prepare_args(...))
    if args[1] == engine.NOT_HERE then
        return nil, args[2]
    elseif args[1] == engine.WRONG then
        error(args[2], level + 1)
    end
    local text
    text, err = self:key(unpack(args, 1, args.n))
    if type(text) ~= "string" then
        error(err or "cacheback: key() returned no string", level + 1)
    end
    if self.key ~= Job.key then
        text = self.prefix .. "=" .. text
    end
    return store, args, text
end


local function finish(self, call, result, status, sync)
    if self.process_result ~= Job.process_result then
        result = self:process_result(result, { args = call }, status, sync)
    end
    return result, nil, status
end


function _M.lease_length(self, args)
    local ends = self:timeout(unpack(args, 1, args.n))
    if type(ends) ~= "number" then
        error("cacheback: timeout() returned no number")
    end
    return ends - now()
end


local made = ffi.new("int[1]")

-- What to do about an item that is missing or stale, and the lease if it is
-- ours.
local function claim(self, store, key, args, look, wait)
    local to_do = C.ngx_http_cacheback_lua_claim(get_request(), store, key,
        #key, _M.lease_length(self, args), self.cache_ttl, look.state,
        look.stored, wait and 1 or 0, made)
    return to_do, made[0] ~= 0 and engine.own(made[0]) or nil
end


-- The lease is ours: of the fleet as well? What to do, and whether Redis holds
-- a value that was not seen here.
local function join_fleet(store, lease, look, seen)
    local before = now()
    local answer = engine.ask_fleet(store, lease, engine.OVER_KEPT,
        seen and -1 or look.stored, look.spent)
    look.spent = look.spent + now() - before
    if answer == engine.ALONE or answer == engine.OURS then
        return engine.FETCH, false
    end
    engine.finish(lease, engine.FREE)
    return engine.LOOK, answer == engine.NEWER
end


-- Whether what is missing or stale is fetched while the caller waits.
local function must_wait(self, args, state, expiry)
    if state == ABSENT then
        return self:should_missing_item_be_fetched_synchronously(
            unpack(args, 1, args.n))
    end
    return self:should_stale_item_be_fetched_synchronously(now() - expiry,
        unpack(args, 1, args.n))
end


-- A fetch while the caller waits: what it says becomes what get() returns.
local function fetch(self, store, call, args, lease, state)
    local missing = state == ABSENT
    C.ngx_http_cacheback_lua_count(store,
        missing and engine.MISSES or engine.EXPIREDS, 0)
    local result, err = fetching.now(self, args, lease)
    if err ~= nil then
        return nil, err
    end
    return finish(self, call, result, missing and "miss" or "stale", true)
end


-- Fetched when the line says so. `stored`: when the value is from that one has
-- seen, less than 0 where a newer one does not matter.
function _M.fetch_later(self, store, key, args, lease, over, stored, fills)
    local ok, err = fetching.in_background({ job = self, store = store,
        key = key, args = args, lease = lease, over = over, stored = stored },
        fills)
    return ok, err
end


-- Semaphores wait for whole milliseconds: less would be a loop that never lets
-- the time go on.
local MIN_WAIT = 0.001

-- A value that comes and goes within moments, again and again.
local MAX_LOOKS = 10

-- The whole way, for Job:get().
function _M.get(self, ...)
    local store, args, key = _M.begin(self, 3, ...)
    if not store then
        return nil, args
    end
    local call = pack(...)
    local started = now()
    local gives_up = started + (self.lock or 0)
    local waited, newer, seen = false, false, false
    local looks = 0
    local look = reading.new_look()

    while true do
        reading.look(look, self, store, key, newer)
        local state = look.state
        if state == FRESH
            or (waited and state == STALE and look.stored >= started)
        then
            -- What it waited for, be its lifetime as short as it may.
            C.ngx_http_cacheback_lua_count(store, engine.HITS, look.from_redis)
            return finish(self, call, look.value, "hit", nil)
        end

        local wait = must_wait(self, args, state, look.expiry)
        local to_do, lease = engine.FETCH, nil
        if state ~= ABSENT or not wait
            or C.ngx_http_cacheback_lua_is_uncacheable(store, key, #key) == 0
        then
            to_do, lease = claim(self, store, key, args, look, wait)
        end
        newer = false
        if to_do == engine.FETCH and lease then
            to_do, newer = join_fleet(store, lease, look, seen)
            seen = seen or newer
        end
        looks = looks + 1
        local left = gives_up - now()
        if to_do == engine.WAIT and left < MIN_WAIT
            or to_do == engine.LOOK and looks > MAX_LOOKS
        then
            to_do, lease = engine.FETCH, nil    -- alone; not to be stored
        end

        if to_do == engine.FETCH then
            return fetch(self, store, call, args, lease, state)
        elseif to_do == engine.WAIT then
            engine.wait(store, key, left)
            waited, seen = true, false
            look.spent = 0
        elseif to_do == engine.REFRESH then
            C.ngx_http_cacheback_lua_count(store, engine.STALES,
                look.from_redis)
            _M.fetch_later(self, store, key, args, lease,
                engine.OVER_NOBODY, look.stored, false)
            return finish(self, call, look.value, "stale", false)
        elseif to_do == engine.SERVE then
            C.ngx_http_cacheback_lua_count(store, engine.UPDATINGS,
                look.from_redis)
            return finish(self, call, look.value, "stale", false)
        elseif to_do ~= engine.LOOK then
            C.ngx_http_cacheback_lua_count(store, engine.EMPTIES, 0)
            if lease then
                _M.fetch_later(self, store, key, args, lease,
                    engine.OVER_NOBODY, look.stored, true)
            end
            return finish(self, call, self:empty(), "empty", false)
        end
    end
end


-- True and the value, if it is in memory and fresh: for jobs that take their
-- arguments as they are, called with one or none.
function _M.get_hit(self, arg, count)
    local store = store_of(self.store)
    if not store or self.prepare_args ~= Job.prepare_args then
        return false
    end
    local own_key
    if self.key ~= Job.key then
        own_key = self:key(arg)
        if type(own_key) ~= "string" then
            return false
        end
    end
    local found, value = hit(self, store, arg, own_key)
    if found and self.process_result ~= Job.process_result then
        value = self:process_result(value, { args = { n = count, arg } },
            "hit", nil)
    end
    return found, value
end


return _M
