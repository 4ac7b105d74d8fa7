-- resty.cacheback.location: jobs whose function is a location of nginx: what
-- the query set jobs are for Django. It is asked by a request of the module's
-- own, detached from every client, as background fetches of HTTP items are.

local Job = require "resty.cacheback.job"
local base = require "resty.core.base"
local engine = require "resty.cacheback.engine"
local ffi = require "ffi"

local C = ffi.C
local concat = table.concat
local escape = ngx.escape_uri
local ffi_str = ffi.string
local get_phase = ngx.get_phase
local get_request = base.get_request
local ipairs = ipairs
local pairs = pairs
local sort = table.sort
local tonumber = tonumber
local tostring = tostring
local type = type

local Location = Job:extend()

-- The same arguments in the same order always, for they are part of the key.
local function encode_args(args)
    local parts = {}
    for name, given in pairs(args) do
        if type(given) == "table" then
            for _, one in ipairs(given) do
                parts[#parts + 1] = escape(name) .. "=" .. escape(tostring(one))
            end
        elseif given == true then
            parts[#parts + 1] = escape(name)
        elseif given ~= false then
            parts[#parts + 1] = escape(name) .. "=" .. escape(tostring(given))
        end
    end
    sort(parts)
    return concat(parts, "&")
end


-- `args` is a table or a text. The server's name belongs to the key: the same
-- path is something else on another server.
function Location:prepare_args(uri, args)
    if type(uri) ~= "string" or uri:sub(1, 1) ~= "/" then
        return engine.WRONG, "cacheback: bad `uri`, expected one that begins "
            .. "with \"/\""
    end
    if type(args) == "table" then
        args = encode_args(args)
    end
    local host = self.host
    if not host then
        if get_phase() == "timer" then
            return engine.NOT_HERE, "cacheback: in a timer a location_job "
                .. "needs `host`"
        end
        host = ngx.var.host
    end
    return uri, args or "", host
end


local NEEDS_REQUEST = "cacheback: a location can be asked for where there is "
    .. "a request, not in a timer"

-- A request that is ready to go: a handle; or nil and an error.
local function prepare(self, uri, args, host)
    local store, err = engine.store(self.store)
    if not store then
        return nil, err
    end
    if get_phase() == "timer" then
        return nil, NEEDS_REQUEST
    end
    local number = C.ngx_http_cacheback_lua_locate(get_request(), store, uri,
        #uri, args, #args, host, #host)
    if number == 0 then
        return nil, "cacheback: bad uri \"" .. uri .. "\""
    end
    return engine.own(number)
end


local response = ffi.new("ngx_http_cacheback_lua_response_t")

local function parse_fields(text)
    local fields = {}
    for name, given in text:gmatch("([^:\n]+): ([^\n]*)\n") do
        local before = fields[name]
        if before == nil then
            fields[name] = given
        elseif type(before) == "table" then
            before[#before + 1] = given
        else
            fields[name] = { before, given }
        end
    end
    return fields
end


local function visit(self, handle)
    local sema, raw = engine.signal()
    engine.keep_until_spoken(handle, sema)
    local limit = self.refresh_timeout
    if C.ngx_http_cacheback_lua_visit(handle.number, limit, raw) == 0 then
        engine.drop(handle)
        return nil, "cacheback: no connection is free for the location"
    end
    engine.await(sema, limit + 1)
    local got = C.ngx_http_cacheback_lua_response(handle.number, response)
    local result, err
    if got == 1 then
        result = {
            status = response.status,
            header = parse_fields(ffi_str(response.fields,
                response.fields_size)),
            body = ffi_str(response.body, response.body_size),
        }
        if result.status >= 500 then
            result, err = nil, "cacheback: the location answered "
                .. result.status
        end
    elseif got == engine.TOO_LARGE then
        err = "cacheback: the response is larger than max_entry"
    else
        err = "cacheback: the location gave no whole response"
    end
    engine.drop(handle)
    return result, err
end


-- { status = , header = , body = }. An answer of 500 and above is a failure.
function Location:fetch(uri, args, host)
    local handle, err = prepare(self, uri, args, host)
    if not handle then
        return nil, err
    end
    return visit(self, handle)
end


-- What the request must be for is copied now, while it is there.
function Location:fetch_later(uri, args, host)
    local handle, err = prepare(self, uri, args, host)
    if not handle then
        return nil, err
    end
    return function()
        return visit(self, handle)
    end
end


-- Bodies are any bytes, and large: not for JSON.
function Location.serialize(result)
    local lines = { result.status }
    for name, given in pairs(result.header) do
        if type(given) ~= "table" then
            given = { given }
        end
        for _, one in ipairs(given) do
            lines[#lines + 1] = name .. ": " .. one
        end
    end
    lines[#lines + 1] = ""
    return concat(lines, "\n") .. "\n" .. result.body
end


function Location.deserialize(bytes)
    local _, ends = bytes:find("\n\n", 1, true)
    local status = bytes:match("^%d+")
    if not ends or not status then
        return nil, "no response"
    end
    return {
        status = tonumber(status),
        header = parse_fields(bytes:sub(#status + 2, ends - 1)),
        body = bytes:sub(ends + 1),
    }
end


return Location
