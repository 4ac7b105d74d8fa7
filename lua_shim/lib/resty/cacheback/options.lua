-- resty.cacheback.options: what may be said of a job, and what is wrong with
-- what was said. Pure.

local error = error
local format = string.format
local pairs = pairs
local tostring = tostring
local type = type

local _M = {}

-- Given as functions that do not get the job; methods of a class do.
local METHODS = {
    fetch = true,
    key = true,
    empty = true,
    expiry = true,
    timeout = true,
    should_missing_item_be_fetched_synchronously = true,
    should_stale_item_be_fetched_synchronously = true,
    prepare_args = true,
    process_result = true,
}

local function is_length(option)
    return type(option) == "number" and option >= 0
end


local function is_function(option)
    return type(option) == "function"
end

local SECONDS = { "a number of seconds", is_length }
local FUNCTION = { "a function", is_function }

local ATTRIBUTES = {
    lifetime = SECONDS,
    refresh_timeout = SECONDS,
    cache_ttl = SECONDS,
    fetch_on_stale_threshold = SECONDS,
    lock = { "a number of seconds or false", function(option)
        return option == false or is_length(option)
    end },
    fetch_on_miss = { "true or false", function(option)
        return type(option) == "boolean"
    end },
    host = { "a text", function(option) return type(option) == "string" end },
    serialize = FUNCTION,
    deserialize = FUNCTION,
}


-- An error at `level`, that of whoever calls the function which calls this.
local function expect(holds, name, what, level)
    if not holds then
        error(format("cacheback: bad `%s`, expected %s", name, what),
            level + 1)
    end
end


local NAME = "^[%w_.-]+$"

local function is_name(text)
    return type(text) == "string" and #text <= 64 and text:find(NAME) ~= nil
end


function _M.check_names(store, name, level)
    expect(is_name(store), "store", "the name of a cacheback_store", level + 1)
    expect(is_name(name), "name",
        "1 to 64 letters, digits, \"_\", \"-\" or \".\"", level + 1)
end


-- Gives `job` what `opts` say.
function _M.apply(job, opts, level)
    expect(opts == nil or type(opts) == "table", "opts", "a table", level + 1)
    for name, option in pairs(opts or {}) do
        if METHODS[name] then
            expect(is_function(option), name, "a function", level + 1)
            job[name] = function(_, ...)
                return option(...)
            end
        else
            local attribute = ATTRIBUTES[name]
            if not attribute then
                error(format("cacheback: unknown option `%s`", tostring(name)),
                    level + 1)
            end
            expect(attribute[2](option), name, attribute[1], level + 1)
            job[name] = option
        end
    end
    expect((job.serialize == nil) == (job.deserialize == nil), "serialize",
        "it and `deserialize`, or none of both", level + 1)
end


return _M
