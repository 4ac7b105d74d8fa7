-- resty.cacheback: wrap any slow function and never wait for it again.
-- README.md of lua_shim tells how.

local Job = require "resty.cacheback.job"
local Location = require "resty.cacheback.location"
local control = require "resty.cacheback.control"

local error = error
local setmetatable = setmetatable
local type = type

local _M = {
    _VERSION = "0.1.0",
    Job = Job,
}


-- A job whose results stand in `store`, a cacheback_store, under `name`.
function _M.new(store, name, opts)
    local job = Job.make(Job, store, name, opts, 2) -- no tail call: levels
    return job
end


-- A job for the responses of this server's locations: get(uri, args) returns
-- { status = , header = , body = }.
function _M.location_job(store, name, opts)
    local job = Job.make(Location, store, name, opts, 2) -- no tail call: levels
    return job
end


local Wrapped = {
    __call = function(self, ...)
        local value, err, status = self.job:get(...)
        return value, err, status
    end,
}


-- The function with a memory: called like `fn`, returns what get() does. Its
-- job is `.job`, the function itself `.fn`. Beside what new() takes, `opts`
-- has `store`, `name` and, maybe, `job_class`.
function _M.wrap(fn, opts)
    if type(fn) ~= "function" then
        error("cacheback: bad `fn`, expected a function", 2)
    elseif type(opts) ~= "table" then
        error("cacheback: bad `opts`, expected a table with store and name", 2)
    end
    if opts.fetch ~= nil then
        error("cacheback: bad `fetch`, it is the function that is wrapped", 2)
    end
    local rest = { fetch = fn }
    for name, option in pairs(opts) do
        if name ~= "store" and name ~= "name" and name ~= "job_class" then
            rest[name] = option
        end
    end
    local class = opts.job_class or Job
    if type(class) ~= "table" or type(class.make) ~= "function" then
        error("cacheback: bad `job_class`, expected one that Job:extend() "
            .. "made", 2)
    end
    return setmetatable({
        fn = fn,
        job = class.make(class, opts.store, opts.name, rest, 2),
    }, Wrapped)
end


-- What is stored of HTTP responses in `cacheback_store NAME`.
_M.store = control.store


return _M
