-- resty.cacheback.value: values as bytes, and what they are as a letter. Never
-- anything that could be run.

local _M = {}

local byte = string.byte
local format = string.format
local ipairs = ipairs
local pairs = pairs
local pcall = pcall
local require = require
local tonumber = tonumber
local tostring = tostring
local type = type

_M.STRING = byte("s")
_M.NIL = byte("n")
_M.TRUE = byte("t")
_M.FALSE = byte("f")
_M.NUMBER = byte("d")
_M.JSON = byte("j")
_M.CUSTOM = byte("c")


local cjson
local digits                            -- that it keeps of a number

-- An instance of our own: what others set on theirs does not matter to us.
local function json()
    if not cjson then
        local found, lib = pcall(require, "cjson.safe")
        if not found then
            return nil, "tables need cjson, or `serialize` and `deserialize`"
        end
        cjson = lib.new()
        cjson.encode_sparse_array(true)
        -- As many as this version of it can.
        for _, most in ipairs { 17, 16, 14 } do
            if pcall(cjson.encode_number_precision, most) then
                digits = most
                break
            end
        end
    end
    return cjson
end


local MAX_DEPTH = 1000                   -- cjson's own

-- Why it would not come back as it is: an integer, also as a key, that Debian's
-- cjson, which keeps 14 digits, would round. Nothing when it would. What stands
-- in itself must end the search at once: it has no end.
local function misfit(value, depth)
    if type(value) == "number" then
        if value % 1 == 0 and value < 1e300 and value > -1e300
            and tonumber(format("%." .. digits .. "g", value)) ~= value
        then
            return format("%.0f has more than the %d digits that cjson keeps,"
                .. " use `serialize`", value, digits)
        end
    elseif type(value) == "table" then
        if depth >= MAX_DEPTH then
            return "a table that stands in itself, or is more than "
                .. MAX_DEPTH .. " levels deep, cannot be stored"
        end
        for name, member in pairs(value) do
            local why = misfit(name, depth + 1) or misfit(member, depth + 1)
            if why then
                return why
            end
        end
    end
end


-- The letter and the bytes; or nil and what is wrong. `serialize` is the
-- user's, for what is no string, number, boolean or nil.
function _M.encode(value, serialize)
    local kind = type(value)
    if kind == "string" then
        return _M.STRING, value
    elseif kind == "nil" then
        return _M.NIL, ""
    elseif kind == "boolean" then
        return value and _M.TRUE or _M.FALSE, ""
    elseif kind == "number" then
        return _M.NUMBER, format("%.17g", value)
    end

    if serialize then
        local ok, bytes, err = pcall(serialize, value)
        if not ok then
            return nil, "serialize: " .. tostring(bytes)
        elseif type(bytes) ~= "string" then
            return nil, "serialize: " .. tostring(err or "no string")
        end
        return _M.CUSTOM, bytes
    elseif kind ~= "table" then
        return nil, "a " .. kind .. " cannot be stored"
    end
    local lib, err = json()
    if not lib then
        return nil, err
    end
    local why = misfit(value, 0)
    if why then
        return nil, why
    end
    local bytes
    bytes, err = lib.encode(value)
    if not bytes then
        return nil, tostring(err)
    end
    return _M.JSON, bytes
end


-- true and the value; or false and what is wrong.
function _M.decode(letter, bytes, deserialize)
    if letter == _M.STRING then
        return true, bytes
    elseif letter == _M.NIL then
        return true, nil
    elseif letter == _M.TRUE then
        return true, true
    elseif letter == _M.FALSE then
        return true, false
    elseif letter == _M.NUMBER then
        local number = tonumber(bytes)
        if number then
            return true, number
        end
        return false, "no number"
    elseif letter == _M.JSON then
        local lib, err = json()
        if not lib then
            return false, err
        end
        local value
        value, err = lib.decode(bytes)
        if value == nil then
            return false, tostring(err)
        end
        return true, value
    elseif letter == _M.CUSTOM and deserialize then
        local ok, value, err = pcall(deserialize, bytes)
        if not ok then
            return false, "deserialize: " .. tostring(value)
        elseif value == nil and err ~= nil then
            return false, "deserialize: " .. tostring(err)
        end
        return true, value
    end
    return false, "a value of a kind that this job does not read"
end


return _M
