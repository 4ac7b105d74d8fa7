-- resty.cacheback.control: a store's HTTP items by their keys, and its figures.

local engine = require "resty.cacheback.engine"
local ffi = require "ffi"

local error = error
local setmetatable = setmetatable
local type = type

local _M = {}

local Store = {}
Store.__index = Store

local item = ffi.new("ngx_http_cacheback_lua_item_t")


-- The key in `what`: as cacheback_key says it, so $cacheback_key shows it.
local function key_of(what)
    local key = type(what) == "table" and what.key
    if type(key) ~= "string" or next(what, next(what)) ~= nil then
        error("cacheback: expected { key = \"…\" }", 3)
    end
    return key
end


-- Marks the item as stale: its next reader gets it, and it is refreshed. True,
-- false when there is none, or nil and an error.
function Store:invalidate(what)
    local key = key_of(what)
    local store, err = engine.store(self.name)
    if not store then
        return nil, err
    end
    local marked
    marked, err = engine.invalidate(store, key, 1, item)
    if err then
        return nil, err
    end
    return marked
end


-- True, false when there was nothing, or nil and an error.
function Store:delete(what)
    local key = key_of(what)
    local store, err = engine.store(self.name)
    if not store then
        return nil, err
    end
    return engine.delete(store, key, 1)
end


-- Figures by name, or nil and an error.
function Store:status()
    local store, err = engine.store(self.name)
    if not store then
        return nil, err
    end
    return engine.status(store)
end


function _M.store(name)
    if type(name) ~= "string" then
        error("cacheback: bad `name`, expected the name of a cacheback_store",
            2)
    end
    return setmetatable({ name = name }, Store)
end


return _M
