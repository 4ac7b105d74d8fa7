-- resty.cacheback.background: refreshes and fills that nobody waits for, each
-- in a timer of its own. How many run at a time, and how many stand in line,
-- is the store's refresh_limit, over all workers and with those of HTTP.

local base = require "resty.core.base"
local engine = require "resty.cacheback.engine"
local ffi = require "ffi"
local semaphore = require "ngx.semaphore"

local C = ffi.C
local get_request = base.get_request
local next = next
local pairs = pairs
local pcall = pcall
local spawn = ngx.thread.spawn
local timer_at = ngx.timer.at

local _M = {}

-- Tasks that stand in line, by their place's number.
local waiting = {}
local kick = semaphore.new(0)
local kick_raw = kick.sem
local dispatching = false


local function give_up(task)
    engine.finish(task.lease, engine.FREE)
    engine.drop(task.place)
end


-- A fetch ends with its lease at the latest: another one may begin then.
local function run(premature, task)
    if premature then
        return give_up(task)
    end
    local r = get_request()
    C.ngx_http_cacheback_lua_bind(task.lease.number, r)
    C.ngx_http_cacheback_lua_bind(task.place.number, r)

    local ended = semaphore.new(0)
    local thread = spawn(function()
        pcall(task.carry_out, task)
        ended:post()
    end)
    local left = C.ngx_http_cacheback_lua_left(task.lease.number)
    if task.lease.number ~= 0 and not ended:wait(left > 0 and left or 0) then
        ngx.thread.kill(thread)
        task:failed("it took longer than refresh_timeout")
    end
    engine.drop(task.place)
end


local function start(task)
    local ok, err = timer_at(0, run, task)
    if not ok then
        ngx.log(ngx.WARN, "cacheback: no timer for a refresh: ", err)
    end
    return ok
end


-- Runs as long as something stands in line.
local function dispatch()
    while next(waiting) do
        kick:wait(1)
        for number, task in pairs(waiting) do
            local go = C.ngx_http_cacheback_lua_may_start(number)
            if go ~= 0 then
                waiting[number] = nil
                if go < 0 or not start(task) then
                    give_up(task)
                end
            end
        end
    end
end


local function dispatcher(premature)
    local ok, err
    if not premature then
        ok, err = pcall(dispatch)
    end
    dispatching = false
    if not ok then
        for number, task in pairs(waiting) do
            waiting[number] = nil
            give_up(task)
        end
    end
    if err then
        ngx.log(ngx.ERR, "cacheback: ", err)
    end
end


-- False: there is no place for it, or no timer. Then the lease is still the
-- caller's. `task` has a lease, carry_out(), which ends it, and failed().
function _M.enter(task, fills)
    local number = C.ngx_http_cacheback_lua_place(task.lease.number,
        fills and 1 or 0, kick_raw)
    if number == 0 then
        return false
    end
    task.place = engine.own(number)
    local go = C.ngx_http_cacheback_lua_may_start(number)
    local entered = false
    if go == 1 then
        entered = start(task)
    elseif go == 0 then
        if not dispatching then
            dispatching = timer_at(0, dispatcher) and true or false
        end
        entered = dispatching
        if entered then
            waiting[number] = task
        end
    end
    if not entered then
        engine.drop(task.place)
        task.place = nil
    end
    return entered
end


return _M
