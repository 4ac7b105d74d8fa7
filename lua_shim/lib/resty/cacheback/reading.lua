-- resty.cacheback.reading: what is stored under a key, in memory or in Redis.

local arguments = require "resty.cacheback.arguments"
local engine = require "resty.cacheback.engine"
local ffi = require "ffi"
local value = require "resty.cacheback.value"

local C = ffi.C
local byte = string.byte
local ffi_copy = ffi.copy
local ffi_str = ffi.string
local min = math.min
local number_text = arguments.number_text
local type = type

local ABSENT, FRESH, STALE = engine.ABSENT, engine.FRESH, engine.STALE
local IN_DOUBT = engine.IN_DOUBT
local STRING, JSON, CUSTOM = value.STRING, value.JSON, value.CUSTOM

local _M = {}

-- Where C writes what it found. Read at once: nothing may wait in between.
local item = ffi.new("ngx_http_cacheback_lua_item_t")

local function decode(job, key)
    if item.kind == STRING then
        return true, ffi_str(item.value, item.size)
    end
    local ok, result = value.decode(item.kind, ffi_str(item.value, item.size),
        job.deserialize)
    if not ok then
        ngx.log(ngx.WARN, "cacheback: what is stored as \"", key,
            "\" cannot be read, taken as a miss: ", result)
    end
    return ok, result
end


-- What look() finds. `spent`: how long Redis has been waited for.
function _M.new_look()
    return { state = ABSENT, value = nil, stored = 0, expiry = 0,
        from_redis = 0, unavailable = false, spent = 0 }
end


-- Its state, value, the times of its store and expiry, whether Redis had it,
-- and whether Redis could not be asked. The first time is also told of what
-- cannot be read. `newer`: Redis holds a newer one than memory.
function _M.look(look, job, store, key, newer)
    local state, handle = ABSENT, nil
    if not newer then
        state = C.ngx_http_cacheback_lua_find(store, key, #key,
            job.cache_ttl, item)
    end
    if state == ABSENT or state == IN_DOUBT then
        local took
        state, handle, took = engine.ask(store, key, 0, job.cache_ttl, item,
            newer, look.spent)
        look.spent = look.spent + took
    end
    look.state, look.value, look.stored, look.expiry = ABSENT, nil, 0, 0
    look.unavailable = state == engine.UNAVAILABLE
    if state == FRESH or state == STALE then
        look.stored, look.expiry = item.stored, item.expiry
        look.from_redis = item.from_redis
        local found, result = decode(job, key)
        if found then
            look.state, look.value = state, result
        end
    end
    if handle then
        engine.drop(handle)
    end
    return look
end


-- Another machine has stored it since it was looked for here: brings that into
-- memory.
function _M.take_newer(job, store, key)
    local _, handle = engine.ask(store, key, 0, job.cache_ttl, item, true, 0)
    if handle then
        engine.drop(handle)
    end
end


-- Whether memory holds anything that is not gone.
function _M.is_held(job, store, key)
    return C.ngx_http_cacheback_lua_find(store, key, #key, job.cache_ttl,
        item) ~= ABSENT
end


-- Marks the item as stale, wherever it is: see engine.invalidate.
function _M.invalidate(store, key)
    return engine.invalidate(store, key, 0, item)
end


-- --- the usual case: one argument or none, fresh in memory -------------------

-- Values that were read lately stay in this worker, with what tells that they
-- are out of date: no lock, no copy. At most so many of a job, and so many
-- bytes, twice.
local MAX_COPIES = 256
local MAX_BYTES = 512 * 1024
local MAX_COPY = 32 * 1024
-- Every so many'th read keeps its value: less often where that was of little
-- use, since more values are read than there is room for.
local OFTEN, SELDOM = 4, 128

local new_copy = ffi.typeof("ngx_http_cacheback_lua_copy_t")
local made = new_copy()
local COPY_SIZE = ffi.sizeof(made)

function _M.new_copies()
    return { newer = {}, older = {}, count = 0, bytes = 0, reads = 0, used = 0,
        every = OFTEN }
end


local function keep(copies, name, result)
    copies.reads = copies.reads + 1
    if copies.reads < copies.every or item.size > MAX_COPY then
        return
    end
    copies.reads = 0
    if copies.count >= MAX_COPIES or copies.bytes >= MAX_BYTES then
        copies.every = copies.used > 4 * MAX_COPIES and OFTEN
            or min(copies.every * 2, SELDOM)
        copies.older, copies.newer = copies.newer, {}
        copies.count, copies.bytes, copies.used = 0, 0, 0
    end
    local held = copies.newer[name]
    if not held then
        copies.count = copies.count + 1
        held = { at = new_copy(), size = 0 }
        copies.newer[name] = held
    end
    copies.bytes = copies.bytes + item.size - held.size
    held.size = item.size
    ffi_copy(held.at, made, COPY_SIZE)
    held.value = result
end


local NONE, OWN, TEXT, NUMBER = 0, byte("="), byte("s"), byte("n")
local NO_ARGUMENT = {}                  -- its name among copies

-- True and the value when it is fresh; counted as a hit. `own_key`: of a job
-- that names its items itself, what it says of this one.
function _M.hit(job, store, arg, own_key)
    local copies, name = job.copies, arg
    if own_key then
        copies, name = job.own_copies, own_key
    elseif arg == nil then
        name = NO_ARGUMENT
    end
    local held = copies.newer[name] or copies.older[name]
    if held and C.ngx_http_cacheback_lua_still(store, held.at) == 1 then
        copies.used = copies.used + 1
        return true, held.value
    end

    local letter, text = TEXT, name
    if own_key then
        letter = OWN
    elseif arg == nil then
        letter, text = NONE, ""
    elseif type(arg) ~= "string" then
        if type(arg) ~= "number" or arg ~= arg then
            return false
        end
        letter, text = NUMBER, number_text(arg)
    end
    if C.ngx_http_cacheback_lua_hit(store, job.prefix, #job.prefix, letter,
        text, #text, job.cache_ttl, item, made) ~= FRESH
    then
        return false
    end
    local kind = item.kind
    local found, result = decode(job, text)
    -- What could be changed by who gets it is made anew for each.
    if found and kind ~= JSON and kind ~= CUSTOM then
        keep(copies, name, result)
    end
    return found, result
end


return _M
