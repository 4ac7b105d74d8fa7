-- resty.cacheback.engine: the module's C functions, and waiting for them
-- without holding up the worker. Their meaning: lua/api.hpp of the module.

local base = require "resty.core.base"
local ffi = require "ffi"
local semaphore = require "ngx.semaphore"

local C = ffi.C
local get_phase = ngx.get_phase
local get_request = base.get_request
local min = math.min
local new_semaphore = semaphore.new
local now = ngx.now
local pcall = pcall
local tonumber = tonumber

ffi.cdef [[
typedef struct {
    const char* value;
    size_t size;
    double stored;
    double expiry;
    int kind;
    int from_redis;
} ngx_http_cacheback_lua_item_t;

typedef struct {
    const unsigned* changes;
    unsigned seen;
    unsigned second;
    double expiry;
    long long as_of;
} ngx_http_cacheback_lua_copy_t;

typedef struct {
    int status;
    const char* fields;
    size_t fields_size;
    const char* body;
    size_t body_size;
} ngx_http_cacheback_lua_response_t;

typedef struct { int number; } ngx_http_cacheback_lua_handle_t;

typedef void (*ngx_http_cacheback_lua_post_pt)(void* semaphore, int count);

int ngx_http_cacheback_lua_abi(void);
void ngx_http_cacheback_lua_start(ngx_http_cacheback_lua_post_pt post);
void* ngx_http_cacheback_lua_store(const char* name, size_t size);
int ngx_http_cacheback_lua_has_redis(void* store);
void ngx_http_cacheback_lua_drop(int handle);
void ngx_http_cacheback_lua_bind(int handle, void* request);
void ngx_http_cacheback_lua_keep_unended(int lease);
int ngx_http_cacheback_lua_find(void* store, const char* key, size_t size,
    double ttl, ngx_http_cacheback_lua_item_t* item);
int ngx_http_cacheback_lua_hit(void* store, const char* job,
    size_t job_size, int letter, const char* text, size_t text_size,
    double ttl, ngx_http_cacheback_lua_item_t* item,
    ngx_http_cacheback_lua_copy_t* copy);
int ngx_http_cacheback_lua_still(void* store,
    const ngx_http_cacheback_lua_copy_t* copy);
int ngx_http_cacheback_lua_is_uncacheable(void* store, const char* key,
    size_t size);
int ngx_http_cacheback_lua_ask(void* request, void* store, const char* key,
    size_t size, int of_response, int newer, double spent, void* semaphore);
int ngx_http_cacheback_lua_answer(int handle, double ttl,
    ngx_http_cacheback_lua_item_t* item);
int ngx_http_cacheback_lua_claim(void* request, void* store, const char* key,
    size_t size, double length, double ttl, int state, double stored,
    int wait, int* lease);
int ngx_http_cacheback_lua_take(void* request, void* store, const char* key,
    size_t size, double length, int only_kept);
int ngx_http_cacheback_lua_ask_fleet(int lease, int over, double stored,
    double spent, void* semaphore);
int ngx_http_cacheback_lua_fleet_answer(int lease);
int ngx_http_cacheback_lua_commit(int lease, const char* value, size_t size,
    int kind, double expiry, double ttl, void* semaphore);
int ngx_http_cacheback_lua_written(int lease);
void ngx_http_cacheback_lua_end(int lease, int how);
double ngx_http_cacheback_lua_left(int lease);
int ngx_http_cacheback_lua_wait(void* request, void* store, const char* key,
    size_t size, void* semaphore);
int ngx_http_cacheback_lua_place(int lease, int fills, void* semaphore);
int ngx_http_cacheback_lua_may_start(int place);
int ngx_http_cacheback_lua_delete(void* request, void* store,
    const char* key, size_t size, int of_response, void* semaphore,
    int* handle);
int ngx_http_cacheback_lua_invalidate(void* request, void* store,
    const char* key, size_t size, int of_response, int answer,
    void* semaphore, int* handle);
int ngx_http_cacheback_lua_changed(int handle);
int ngx_http_cacheback_lua_locate(void* request, void* store,
    const char* uri, size_t uri_size, const char* args, size_t args_size,
    const char* host, size_t host_size);
int ngx_http_cacheback_lua_visit(int handle, double limit, void* semaphore);
int ngx_http_cacheback_lua_response(int handle,
    ngx_http_cacheback_lua_response_t* response);
void ngx_http_cacheback_lua_count(void* store, int what, int from_redis);
size_t ngx_http_cacheback_lua_status(void* store, char* text, size_t room);
]]

local _M = {
    -- what prepare_args() of a class returns, and why, where it cannot work,
    -- and where it was called with what is wrong
    NOT_HERE = {},
    WRONG = {},
    -- what was found
    ABSENT = 0,
    FRESH = 1,
    STALE = 2,
    IN_DOUBT = 3,
    PENDING = -1,
    UNAVAILABLE = -2,
    TOO_LARGE = -3,
    UNTOLD = -4,
    -- what to do
    FETCH = 1,
    WAIT = 2,
    REFRESH = 3,
    SERVE = 4,
    FILL = 5,
    EMPTY = 6,
    LOOK = 7,
    -- whom a lease of the fleet sets aside
    OVER_NOBODY = 0,
    OVER_KEPT = 1,
    OVER_ANYBODY = 2,
    -- what the fleet answers
    ALONE = 0,
    OURS = 1,
    NEWER = 2,
    ELSEWHERE = 3,
    -- how a lease ends
    FREE = 0,
    FAILURE = 1,
    TO_ALL = 2,
    -- what is counted
    HITS = 0,
    STALES = 1,
    UPDATINGS = 2,
    MISSES = 3,
    EXPIREDS = 4,
    EMPTIES = 5,
    REFRESHED = 6,
    FAILED = 7,
    ELSEWHERES = 8,
}

local ABI = 3

-- Longer than all deadlines of the other side.
local PATIENCE = 60

-- Semaphores count milliseconds in an int: longer ones would not wait at all.
local LONGEST = 86400

local started, wrong = pcall(function()
    return C.ngx_http_cacheback_lua_abi()
end)
if not started then
    wrong = "ngx_http_cacheback_module is not loaded"
elseif wrong ~= ABI then
    wrong = "ngx_http_cacheback_module is of another version than "
        .. "resty.cacheback"
else
    wrong = nil
    C.ngx_http_cacheback_lua_start(ffi.cast("ngx_http_cacheback_lua_post_pt",
        C.ngx_http_lua_ffi_sema_post))
end


-- Functions may wait, and fetch, in these.
local PHASES = {
    server_rewrite = true,
    rewrite = true,
    access = true,
    content = true,
    timer = true,
}

local stores = {}

-- The store of that name as the C functions know it; or nil and why not.
function _M.store(name)
    local phase = get_phase()
    if not PHASES[phase] then
        return nil, "cacheback: not to be used in the phase \"" .. phase .. "\""
    end
    local store = stores[name]
    if store then
        return store
    end
    if wrong then
        return nil, "cacheback: " .. wrong
    end
    store = C.ngx_http_cacheback_lua_store(name, #name)
    if store == nil then
        return nil, "cacheback: there is no cacheback_store \"" .. name .. "\""
    end
    stores[name] = store
    return store
end


-- Semaphores of handles that have not spoken yet: as long as the other side
-- may post one, it must not be collected, whatever becomes of its coroutine.
local awaited = {} -- luacheck: ignore 241 (held, not read)

local Handle = ffi.metatype("ngx_http_cacheback_lua_handle_t", {
    __gc = function(self)
        if self.number ~= 0 then
            C.ngx_http_cacheback_lua_drop(self.number)
            awaited[self.number] = nil
        end
    end,
})


-- What C gave a number: dropped when nobody holds it any more.
function _M.own(number, sema)
    awaited[number] = sema
    return Handle(number)
end


-- The handle will have something to say by `sema`.
function _M.keep_until_spoken(handle, sema)
    awaited[handle.number] = sema
end


function _M.drop(handle)
    local number = handle.number
    if number ~= 0 then
        handle.number = 0
        C.ngx_http_cacheback_lua_drop(number)
        awaited[number] = nil
    end
end


-- The lease ends one way or the other; it is no more.
function _M.finish(lease, how)
    local number = lease.number
    if number ~= 0 then
        C.ngx_http_cacheback_lua_end(number, how)
        _M.drop(lease)
    end
end


-- A semaphore to be waited for once, and as what it is passed to C.
function _M.signal()
    local sema = new_semaphore(0)
    return sema, sema.sem
end


-- Until the handle has spoken. False: it has not, in `seconds`, a day at most.
function _M.await(sema, seconds)
    return (sema:wait(min(seconds or PATIENCE, LONGEST)))
end


-- Asks Redis. A state, the handle whose answer it is, if any, and how long it
-- took; `spent` is what other questions have taken before.
function _M.ask(store, key, of_response, ttl, item, newer, spent)
    local sema, raw = _M.signal()
    local number = C.ngx_http_cacheback_lua_ask(get_request(), store, key,
        #key, of_response, newer and 1 or 0, spent, raw)
    if number <= 0 then
        return number, nil, 0
    end
    local began = now()
    local handle = _M.own(number, sema)
    if not _M.await(sema) then
        _M.drop(handle)
        return _M.UNAVAILABLE, nil, now() - began
    end
    return C.ngx_http_cacheback_lua_answer(number, ttl, item), handle,
        now() - began
end


-- Makes the lease one of the fleet; what it answers. `over`: whom it sets
-- aside, `stored`: when the value was that is known, less than 0 where a newer
-- one does not matter.
function _M.ask_fleet(store, lease, over, stored, spent)
    if C.ngx_http_cacheback_lua_has_redis(store) == 0 then
        return _M.ALONE
    end
    local sema, raw = _M.signal()
    _M.keep_until_spoken(lease, sema)
    local answer = C.ngx_http_cacheback_lua_ask_fleet(lease.number, over,
        stored, spent, raw)
    if answer == _M.PENDING then
        _M.await(sema)
        answer = C.ngx_http_cacheback_lua_fleet_answer(lease.number)
    end
    return answer
end


-- Until somebody's fetch has ended, or `seconds` have passed.
function _M.wait(store, key, seconds)
    local sema, raw = _M.signal()
    local number = C.ngx_http_cacheback_lua_wait(get_request(), store, key,
        #key, raw)
    if number ~= 0 then
        local handle = _M.own(number, sema)
        _M.await(sema, seconds)
        _M.drop(handle)
    end
end


-- What became of a change: its `result`, or that of handle `number` when it
-- has spoken.
local function outcome(result, number, sema)
    if result == _M.PENDING then
        local handle = _M.own(number, sema)
        result = C.ngx_http_cacheback_lua_changed(number)
        if result == _M.PENDING then
            _M.await(sema)
            result = C.ngx_http_cacheback_lua_changed(number)
        end
        _M.drop(handle)
    end
    if result == _M.UNTOLD then
        return result, "cacheback: the other machines could not be told"
    elseif result < 0 then
        return result, "cacheback: redis did not confirm it, "
            .. "done on this machine only"
    end
    return result
end


-- Removes an item: true, false when there was none, or nil and what is wrong.
function _M.delete(store, key, of_response)
    local sema, raw = _M.signal()
    local made = ffi.new("int[1]")
    local result, err = outcome(C.ngx_http_cacheback_lua_delete(get_request(),
        store, key, #key, of_response, raw, made), made[0], sema)
    if err then
        return nil, err
    end
    return result == 1
end


local function invalidate(store, key, of_response, answer)
    local sema, raw = _M.signal()
    local made = ffi.new("int[1]")
    return outcome(C.ngx_http_cacheback_lua_invalidate(get_request(), store,
        key, #key, of_response, answer, raw, made), made[0], sema)
end


-- Marks an item as stale, wherever it is: true, false when there is none, or
-- nil when that cannot be said; and what is wrong, also where it is marked here
-- and nowhere else.
function _M.invalidate(store, key, of_response, item)
    local result, err = invalidate(store, key, of_response, 0)
    if result ~= 0 then
        return true, err
    end
    local state, handle = _M.ask(store, key, of_response, 0, item, false, 0)
    if state == _M.UNAVAILABLE then
        return nil, "cacheback: redis cannot be reached"
    elseif not handle then
        return false
    end
    result, err = invalidate(store, key, of_response, handle.number)
    _M.drop(handle)
    return result ~= 0, err
end


local ROOM = 4096

-- The store's figures by name.
function _M.status(store)
    local text = ffi.new("char[?]", ROOM)
    local size = C.ngx_http_cacheback_lua_status(store, text, ROOM)
    local figures = {}
    for name, number in ffi.string(text, size):gmatch("(%S+) (%d+)\n") do
        figures[name] = tonumber(number)
    end
    return figures
end


return _M
