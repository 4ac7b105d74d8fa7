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
local now = ngx.now
local pairs = pairs
local pcall = pcall
local kill = ngx.thread.kill
local spawn = ngx.thread.spawn
local timer_at = ngx.timer.at

local _M = {}

-- Tasks that stand in line, by their place's number.
local waiting = {}
-- Wakes the dispatcher. Made in the worker: one that is made in init_by_lua has
-- the log of a cycle which a reload frees, and nginx looks into that when it is
-- built with debugging.
local kick
-- When the dispatcher was last seen, or asked for; nil: there is none.
local dispatching

-- Tasks whose timers have not begun, by their place's number; not kept from the
-- collector. lua-nginx-module drops timers beyond lua_max_running_timers.
local asked = setmetatable({}, { __mode = "v" })
local LOST_AFTER = 2
-- Semaphores wait for whole milliseconds.
local MIN_WAIT = 0.001
local looked_for_lost = 0


local function give_up(task)
    engine.finish(task.lease, engine.FREE)
    engine.drop(task.place)
end


-- What a lost timer holds is for others.
local function give_up_lost()
    local time = now()
    if time - looked_for_lost < LOST_AFTER / 2 then
        return
    end
    looked_for_lost = time
    for number, task in pairs(asked) do
        if time - task.asked > LOST_AFTER then
            asked[number] = nil
            give_up(task)
        end
    end
end


-- Not while it waits for a coroutine of its own, as those that use
-- lua-resty-http do: lua-nginx-module would resume it later, and crash (its
-- pull request 2514).
local function is_idle(thread)
    return coroutine.status(thread) ~= "normal"
end


-- A fetch ends with its lease: another one may begin then. What cannot be ended
-- keeps its place for as long again, but its result is not wanted any more.
-- Beyond that it would keep all others from being refreshed, HTTP's as well.
local function run(premature, task)
    asked[task.place.number] = nil
    if premature or task.lease.number == 0 then
        return give_up(task)
    end
    local r, lease = get_request(), task.lease
    C.ngx_http_cacheback_lua_bind(lease.number, r)
    C.ngx_http_cacheback_lua_bind(task.place.number, r)
    -- A function may end the timer, by ngx.exit.
    C.ngx_http_cacheback_lua_keep_unended(lease.number)

    local length = C.ngx_http_cacheback_lua_left(lease.number)
    local gone_at = now() + 2 * length
    local ended, over = semaphore.new(0), false
    local thread = spawn(function()
        local ok, err = pcall(task.carry_out, task)
        if not ok then
            task:failed(err)
        end
        over = true
        ended:post()
    end)
    while not over do
        local left = C.ngx_http_cacheback_lua_left(lease.number)
        if left <= 0 and lease.number ~= 0 then
            task:failed("it took longer than refresh_timeout")
        end
        if lease.number ~= 0 then
            engine.await(ended, left)
        elseif is_idle(thread) then
            kill(thread)
            break
        else
            left = gone_at - now()
            if left < MIN_WAIT then
                ngx.log(ngx.ERR, "cacheback: refresh of \"", task.job.name,
                    "\" never ends, its place is for others")
                break
            end
            engine.await(ended, left < 1 and left or 1)
        end
    end
    engine.drop(task.place)
end


local function start(task)
    local ok, err = timer_at(0, run, task)
    if ok then
        task.asked = now()
        asked[task.place.number] = task
    else
        ngx.log(ngx.WARN, "cacheback: no timer for a refresh: ", err)
    end
    return ok
end


-- Runs as long as something stands in line.
local function dispatch()
    while next(waiting) do
        dispatching = now()
        kick:wait(LOST_AFTER / 2)
        give_up_lost()
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
    dispatching = nil
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
    give_up_lost()
    kick = kick or semaphore.new(0)
    local number = C.ngx_http_cacheback_lua_place(task.lease.number,
        fills and 1 or 0, kick.sem)
    if number == 0 then
        return false
    end
    task.place = engine.own(number)
    local go = C.ngx_http_cacheback_lua_may_start(number)
    local entered = false
    if go == 1 then
        entered = start(task)
    elseif go == 0 then
        if not dispatching or now() - dispatching > LOST_AFTER then
            dispatching = timer_at(0, dispatcher) and now() or nil
        end
        entered = dispatching ~= nil
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
