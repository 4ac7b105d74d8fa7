-- resty.cacheback.arguments: equal arguments, equal texts, and no others.
local encode = require("resty.cacheback.arguments").encode

return {
    ["each kind has its text"] = function()
        assert(encode() == "")
        assert(encode("") == "s0:")
        assert(encode("alice") == "s5:alice")
        assert(encode(7) == "n7")
        assert(encode(0.1) == "n0.10000000000000001")
        assert(encode(2 ^ 53) == "n9007199254740992")
        assert(encode(true) == "t")
        assert(encode(false) == "f")
        assert(encode({}) == "{}")
        assert(encode({ "a", b = 1 }) == "{n1=s1:a,s1:b=n1}")
    end,

    ["arguments are told apart by their place"] = function()
        assert(encode("a", "b") == "s1:a,s1:b")
        assert(encode("a,s1:b") == "s6:a,s1:b")
        assert(encode("a", "b") ~= encode("b", "a"))
        assert(encode(nil, "a") == "z,s1:a")
        assert(encode("a", nil, "a") == "s1:a,z,s1:a")
    end,

    ["nils at the end do not count"] = function()
        assert(encode("a", nil, nil) == encode("a"))
        assert(encode(nil) == encode())
        assert(encode(false, nil) == "f")
    end,

    ["what looks alike is not the same"] = function()
        local texts, seen = {
            encode("1"), encode(1), encode(true), encode("true"),
            encode({ 1 }), encode({ "1" }), encode({ { 1 } }), encode({}),
            encode({ [1] = 1 }, 1), encode({ a = "b" }), encode({ "a", "b" }),
            encode("{n1=n1}"), encode("z"), encode("n1"), encode("s1:a"),
            encode({ a = false }), encode({ [false] = "a" }),
        }, {}
        for _, text in ipairs(texts) do
            assert(not seen[text], text)
            seen[text] = true
        end
    end,

    ["the order of a table's members does not matter"] = function()
        local one, two = {}, {}
        for i = 1, 50 do one["k" .. i] = i end
        for i = 50, 1, -1 do two["k" .. i] = i end
        assert(encode(one) == encode(two))
    end,

    ["zero has no sign"] = function()
        assert(encode(-0) == "n0" and encode(0) == "n0")
    end,

    ["what has no text is refused, and named"] = function()
        local circle = {}
        circle.self = { circle }
        local deep = {}
        for _ = 1, 40 do deep = { deep } end
        local function refused(what, place, ...)
            local text, err, at = encode(...)
            assert(text == nil and at == place, place)
            assert(err:find(what, 1, true), err)
        end
        refused("a function", 1, print)
        refused("a function", 2, 1, print)
        refused("a function", 2, 1, { a = { print } })
        refused("a function", 1, { [print] = 1 })
        refused("a thread", 1, coroutine.create(function() end))
        refused("contains itself", 1, circle)
        refused("levels deep", 1, deep)
    end,

    ["a table may be there twice"] = function()
        local shared = { 1 }
        assert(encode({ shared, shared }) == "{n1={n1=n1},n2={n1=n1}}")
    end,
}
