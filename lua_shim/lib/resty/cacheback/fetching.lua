-- resty.cacheback.fetching: running a job's function and storing what it
-- returns, while somebody waits or in the background.

local base = require "resty.core.base"
local background = require "resty.cacheback.background"
local engine = require "resty.cacheback.engine"
local ffi = require "ffi"
local reading = require "resty.cacheback.reading"
local value = require "resty.cacheback.value"

local C = ffi.C
local get_request = base.get_request
local error = error
local pcall = pcall
local setmetatable = setmetatable
local tostring = tostring
local type = type
local unpack = unpack

local _M = {}

local LOST = "cacheback: deleted or invalidated meanwhile"

-- That somebody deletes what is being fetched is no trouble.
local function log_error(job, what, err)
    local ok, text = pcall(tostring, err)
    ngx.log(err == LOST and ngx.INFO or ngx.ERR, "cacheback: ", what,
        " of \"", job.name, "\": ", ok and text or type(err))
end


-- When what is stored now becomes stale.
function _M.expiry(job, args)
    local expiry = job:expiry(unpack(args, 1, args.n))
    if type(expiry) ~= "number" then
        error("cacheback: expiry() returned no number")
    end
    return expiry
end


local function produce(job, args, fetch)
    local result, err = fetch(job, unpack(args, 1, args.n))
    if result == nil and err ~= nil then
        return false, err
    end
    return true, result, _M.expiry(job, args)
end


-- True, the value and when it becomes stale; or false and the error, which is
-- never false or nil itself.
local function run(job, args, fetch)
    local ran, ok, result, expiry = pcall(produce, job, args, fetch)
    if not ran then
        ok, result = false, ok
    end
    if not ok then
        return false, result or "cacheback: fetch failed"
    end
    return true, result, expiry
end


-- Stores what the holder of the lease has; the lease ends, as `otherwise` says
-- where it cannot be stored at all. True, or nil and why it is not stored.
-- `verify`: waits until Redis has it.
function _M.store(job, lease, result, expiry, otherwise, verify)
    local letter, bytes = value.encode(result, job.serialize)
    if not letter then
        engine.finish(lease, otherwise)
        return nil, "cacheback: " .. bytes
    end
    local sema, raw
    if verify then
        sema, raw = engine.signal()
        engine.keep_until_spoken(lease, sema)
    end
    local done = C.ngx_http_cacheback_lua_commit(lease.number, bytes, #bytes,
        letter, expiry, job.cache_ttl, raw)
    if done == engine.TOO_LARGE then
        engine.finish(lease, otherwise)
        return nil, "cacheback: the value is larger than max_entry"
    end
    if done == engine.PENDING then
        done = C.ngx_http_cacheback_lua_written(lease.number)
        if done == engine.PENDING then
            engine.await(sema)
            done = C.ngx_http_cacheback_lua_written(lease.number)
        end
    end
    engine.drop(lease)
    if done == 1 then
        return true
    elseif done == 0 then
        return nil, LOST
    end
    return nil, "cacheback: redis did not take it"
end


-- While the caller waits: the value, or nil and an error. Without a lease the
-- value is not stored.
function _M.now(job, args, lease)
    local ok, result, expiry = run(job, args, job.fetch)
    if not ok then
        if lease then
            engine.finish(lease, engine.FREE)
        end
        return nil, result
    end
    if lease then
        local stored, err = _M.store(job, lease, result, expiry, engine.TO_ALL)
        if not stored then
            log_error(job, "result", err)
        end
    end
    return result
end


local Task = {}
Task.__index = Task


function Task:failed(err)
    if self.lease.number == 0 then
        return                          -- said before
    end
    C.ngx_http_cacheback_lua_count(self.store, engine.FAILED, 0)
    engine.finish(self.lease, engine.FAILURE)
    log_error(self.job, "refresh", err)
end


-- Whether this machine is the one to fetch it.
function Task:is_ours()
    local answer = engine.ask_fleet(self.store, self.lease, self.over,
        self.stored, 0)
    if answer == engine.ALONE or answer == engine.OURS then
        return true
    end
    C.ngx_http_cacheback_lua_count(self.store, engine.ELSEWHERES, 0)
    if answer == engine.NEWER then
        reading.take_newer(self.job, self.store, self.key)
    end
    engine.finish(self.lease, engine.FREE)
    return false
end


function Task:carry_out()
    if not self:is_ours() then
        return
    end
    local ok, result, expiry = run(self.job, self.args, self.fetch)
    if not ok then
        return self:failed(result)
    elseif self.lease.number == 0 then
        return                          -- it took too long
    end
    -- What cannot be stored would be fetched again by each reader: a failure.
    local stored, err = _M.store(self.job, self.lease, result, expiry,
        engine.FAILURE)
    if stored then
        C.ngx_http_cacheback_lua_count(self.store, engine.REFRESHED, 0)
    else
        if err ~= LOST then
            C.ngx_http_cacheback_lua_count(self.store, engine.FAILED, 0)
        end
        log_error(self.job, "refresh", err)
    end
end


-- `task`: job, store, key, args; the lease, which is the task's from now on;
-- and what engine.ask_fleet wants to know: over, stored. As the original does
-- when its queue cannot be reached, what finds no place is done here and now;
-- an error is logged, no more. True, or nil and why it cannot be fetched later.
function _M.in_background(task, fills)
    setmetatable(task, Task)
    local fetch, err = task.job:fetch_later(unpack(task.args, 1, task.args.n))
    if not fetch then
        -- Not the source's failure: others may try.
        engine.finish(task.lease, engine.FREE)
        log_error(task.job, "refresh", err)
        return nil, err
    end
    task.fetch = fetch
    if not background.enter(task, fills) then
        C.ngx_http_cacheback_lua_bind(task.lease.number, get_request())
        task:carry_out()
    end
    return true
end


return _M
