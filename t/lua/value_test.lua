-- resty.cacheback.value: values as bytes and back.
local value = require "resty.cacheback.value"

local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
        return a == b
    end
    for k, v in pairs(a) do
        if not same(v, b[k]) then return false end
    end
    for k in pairs(b) do
        if a[k] == nil then return false end
    end
    return true
end

local function comes_back(given)
    local letter, bytes = value.encode(given)
    assert(letter, bytes)
    local ok, got = value.decode(letter, bytes)
    assert(ok and same(got, given), bytes)
end

return {
    ["plain values come back as they were"] = function()
        comes_back("")
        comes_back("a\0b\r\n\255")
        comes_back(nil)
        comes_back(true)
        comes_back(false)
        comes_back(0)
        comes_back(0.1 + 0.2)
        comes_back(-1e300)
        comes_back(2 ^ 53 - 1)
        comes_back(1 / 0)
        local _, bytes = value.encode(0 / 0)
        local ok, got = value.decode(value.NUMBER, bytes)
        assert(ok and got ~= got)
    end,

    ["a string is stored as it is"] = function()
        local letter, bytes = value.encode('{"a":1}')
        assert(letter == value.STRING and bytes == '{"a":1}')
    end,

    ["tables go through cjson"] = function()
        comes_back({ 1, 2, { a = "b", c = { true, false } } })
        comes_back({ a = { b = { c = 1 } } })
        comes_back({ number = 123456789012 })
    end,

    ["an integer that cjson would round is refused"] = function()
        local letter, bytes = value.encode({ a = { id = 2 ^ 53 - 1 } })
        if letter then
            comes_back({ a = { id = 2 ^ 53 - 1 } })
        else
            assert(bytes:find("9007199254740991 has more than the"), bytes)
        end
    end,

    ["what cannot be stored is refused, and named"] = function()
        for _, given in ipairs { print, coroutine.create(function() end) } do
            local letter, err = value.encode(given)
            assert(letter == nil and err:find("cannot be stored"), err)
        end
        assert(value.encode({ print }) == nil)
        local circle = {}
        circle[1] = circle
        assert(value.encode(circle) == nil)
    end,

    ["a tree that knows its parents is refused at once"] = function()
        local top = { name = "top" }
        for i = 1, 3 do
            top[i] = { up = top, first = top[1] or top }
        end
        local letter, err = value.encode(top)
        assert(letter == nil and err:find("stands in itself"), err)
    end,

    ["no integer that cjson would round is taken as a key"] = function()
        local letter, err = value.encode({ [2 ^ 53 - 1] = "x", a = 1 })
        assert(letter or err:find("9007199254740991 has more"), err)
    end,

    ["a pair of functions takes the place of cjson"] = function()
        local function serialize(v) return v.text end
        local function deserialize(bytes) return { text = bytes } end
        local letter, bytes = value.encode({ text = "x" }, serialize)
        assert(letter == value.CUSTOM and bytes == "x")
        local ok, got = value.decode(letter, bytes, deserialize)
        assert(ok and got.text == "x")
        -- Texts, numbers and their like never go through it.
        assert(value.encode("text", serialize) == value.STRING)
        assert(value.encode(nil, serialize) == value.NIL)
    end,

    ["functions that fail are errors, not values"] = function()
        local function fails() error("broken", 0) end
        local function says() return nil, "said so" end
        local _, err = value.encode({}, fails)
        assert(err == "serialize: broken", err)
        _, err = value.encode({}, says)
        assert(err == "serialize: said so", err)
        _, err = value.encode({}, function() return 1 end)
        assert(err == "serialize: no string", err)
        local ok
        ok, err = value.decode(value.CUSTOM, "x", fails)
        assert(not ok and err == "deserialize: broken", err)
        ok, err = value.decode(value.CUSTOM, "x", says)
        assert(not ok and err == "deserialize: said so", err)
        ok, err = value.decode(value.CUSTOM, "x", function() return nil end)
        assert(ok and err == nil)
    end,

    ["bytes that are no value are refused"] = function()
        assert(not value.decode(value.NUMBER, "x"))
        assert(not value.decode(value.JSON, "{"))
        assert(not value.decode(value.JSON, ""))
        assert(not value.decode(value.CUSTOM, "x"))
        assert(not value.decode(("z"):byte(), "x"))
    end,

    ["nothing that is read is run"] = function()
        local ok, got = value.decode(value.STRING, "return os.exit(1)")
        assert(ok and got == "return os.exit(1)")
        assert(not value.decode(value.JSON, "os.exit(1)"))
        assert(not value.decode(value.NUMBER, "os.exit(1)"))
    end,
}
