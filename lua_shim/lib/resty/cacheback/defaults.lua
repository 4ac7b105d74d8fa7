-- resty.cacheback.defaults: the class of all jobs: attributes, and methods that
-- a job may have otherwise.

local arguments = require "resty.cacheback.arguments"

local error = error
local now = ngx.now

local Job = {
    lifetime = 600,                     -- seconds; then it is stale
    refresh_timeout = 60,               -- the lease of a fetch
    cache_ttl = 2592000,                -- then it is gone
    fetch_on_miss = true,
    fetch_on_stale_threshold = nil,     -- older is fetched while one waits
    lock = 5,                           -- so long one waits for another's fetch
}
Job.__index = Job


-- What the job caches; nil and an error when that fails.
function Job.fetch()
    error("cacheback: the job has no `fetch`")
end


-- What a get returns while there is nothing.
function Job.empty()
    return nil
end


-- When what is stored now becomes stale.
function Job:expiry()
    return now() + self.lifetime
end


-- When the lease of a fetch that begins now ends.
function Job:timeout()
    return now() + self.refresh_timeout
end


function Job:should_missing_item_be_fetched_synchronously()
    return self.fetch_on_miss
end


-- `delta`: for how many seconds it has been stale.
function Job:should_stale_item_be_fetched_synchronously(delta)
    local threshold = self.fetch_on_stale_threshold
    return threshold ~= nil and delta > threshold - self.lifetime
end


-- What the function is called with, and what tells items apart.
function Job.prepare_args(_, ...)
    return ...
end


-- What get() returns. `call.args` are the arguments of get(); called with the
-- status and whether it was fetched while the caller waited, nil: it is a hit.
function Job.process_result(_, result)
    return result
end


-- What a background fetch of these arguments will run, asked where get() was
-- called: a class whose fetch needs something of the request takes it here. Nil
-- and an error where there is none.
function Job:fetch_later()
    return self.fetch
end


local MAX_ARGS = 256                    -- longer ones are digested

local function digest(text)
    return "#" .. (ngx.sha1_bin(text):gsub(".", function(c)
        return ("%02x"):format(c:byte())
    end)) .. ngx.md5(text)
end


-- The whole key, as the store has it. A method of your own that takes its
-- place only names the item among those of the job.
function Job:key(...)
    local text, err, at = arguments.encode(...)
    if not text then
        return nil, ("cacheback: argument %d is %s, which cannot be part of "
            .. "a key"):format(at, err)
    end
    if #text > MAX_ARGS then
        text = digest(text)
    end
    return self.prefix .. text
end


return Job
