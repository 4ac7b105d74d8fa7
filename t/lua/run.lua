-- Runs t/lua/*_test.lua, each a table of tests by name: `say` gets a line of
-- TAP for each. From a shell: lua t/lua/run.lua, in the project's folder.
local FILES = { "arguments", "options", "value" }

local function run(root, say)
    local failed, count = 0, 0
    for _, file in ipairs(FILES) do
        local tests = dofile(root .. "/t/lua/" .. file .. "_test.lua")
        local names = {}
        for name in pairs(tests) do names[#names + 1] = name end
        table.sort(names)
        for _, name in ipairs(names) do
            local ok, err = xpcall(tests[name], debug.traceback)
            count = count + 1
            if not ok then failed = failed + 1 end
            say((ok and "ok " or "not ok ") .. count .. " - " .. file .. ": "
                .. name)
            if not ok then say("# " .. tostring(err):gsub("\n", "\n# ")) end
        end
    end
    say("1.." .. count)
    return failed
end

if rawget(_G, "ngx") then
    return run
end
package.path = "./lua_shim/lib/?.lua;" .. package.path
os.exit(run(".", print) == 0 and 0 or 1)
