-- resty.cacheback.arguments: what a job was called with, as text: the same
-- text for equal arguments, different texts for different ones. Pure.

local _M = {}

local concat = table.concat
local format = string.format
local pairs = pairs
local select = select
local sort = table.sort
local tostring = tostring
local type = type

local MAX_DEPTH = 16

local encode

local function encode_table(value, depth, seen)
    if depth > MAX_DEPTH then
        return nil, "a table more than " .. MAX_DEPTH .. " levels deep"
    end
    if seen[value] then
        return nil, "a table that contains itself"
    end
    seen[value] = true
    local parts, count = {}, 0
    for name, member in pairs(value) do
        local key, err = encode(name, depth + 1, seen)
        if not key then
            return nil, err
        end
        local text
        text, err = encode(member, depth + 1, seen)
        if not text then
            return nil, err
        end
        count = count + 1
        parts[count] = key .. "=" .. text
    end
    seen[value] = nil
    sort(parts)
    return "{" .. concat(parts, ",") .. "}"
end


function _M.number_text(value)
    return value == 0 and "0" or format("%.17g", value)     -- not "-0"
end


-- Texts say their size, so nothing in them can pass for something else.
-- lua/lookup_calls.cpp writes a single text the same way.
function encode(value, depth, seen)
    local kind = type(value)
    if kind == "string" then
        return "s" .. #value .. ":" .. value
    elseif kind == "number" then
        return "n" .. _M.number_text(value)
    elseif kind == "boolean" then
        return value and "t" or "f"
    elseif kind == "nil" then
        return "z"
    elseif kind == "table" then
        return encode_table(value, depth, seen)
    elseif kind == "userdata" and tostring(value) == "userdata: NULL" then
        return "u"                      -- ngx.null
    end
    return nil, "a " .. kind
end


-- The text of the arguments; nils at the end do not count. Or nil, what cannot
-- be told apart from others of its kind, and which argument that is.
function _M.encode(...)
    local count = select("#", ...)
    local args = { ... }
    while count > 0 and args[count] == nil do
        count = count - 1
    end
    if count == 1 then
        local text, err = encode(args[1], 1, {})
        return text, err, 1
    end
    local parts = {}
    for i = 1, count do
        local text, err = encode(args[i], 1, {})
        if not text then
            return nil, err, i
        end
        parts[i] = text
    end
    return concat(parts, ",")
end


return _M
