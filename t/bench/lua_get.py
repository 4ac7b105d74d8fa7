#!/usr/bin/env python3
"""What a get of resty.cacheback costs beside ngx.shared.DICT:get of the same
value, from memory, in one worker: nanoseconds, the best of several rounds, in
turn.

    make bench, or t/bench/lua_get.py after make

One key: a value that is read again and again. Many keys: each of 20,000 in
turn, more than a worker keeps copies of.
"""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import Box, has_lua

GOAL = 1.3

CONF = """
    lua_shared_dict dict 512m;
    cacheback_store pages { memory 512m; }
    init_by_lua_block {
        job = require("resty.cacheback").new("pages", "bench",
            { fetch = function() return nil, "not stored" end })
    }
    server {
        listen 127.0.0.1:%(port)s;
        location / {
            content_by_lua_block {
                local size, keys = tonumber(ngx.var.arg_size),
                    tonumber(ngx.var.arg_keys)
                local count = math.max(keys, 200000)
                local dict, names = ngx.shared.dict, {}
                for i = 1, keys do
                    names[i] = "user-" .. size .. "-" .. i
                    local value = ("x"):rep(size - 8)
                        .. ("%%08d"):format(i)
                    assert(dict:set(names[i], value))
                    assert(job:set(value, names[i]))
                end
                local function round_of_dict()
                    for i = 1, count do
                        local value = dict:get(names[i %% keys + 1])
                        if not value then error("not found") end
                    end
                end
                local function round_of_job()
                    for i = 1, count do
                        local value = job:get(names[i %% keys + 1])
                        if not value then error("not found") end
                    end
                end
                local function time(round)
                    collectgarbage()
                    collectgarbage()
                    local began = os.clock()
                    round()
                    return (os.clock() - began) / count * 1e9
                end
                local of_dict, of_job = math.huge, math.huge
                for _ = 1, 15 do
                    of_dict = math.min(of_dict, time(round_of_dict))
                    of_job = math.min(of_job, time(round_of_job))
                end
                ngx.say(of_dict, " ", of_job)
            }
        }
    }"""


def main():
    if not has_lua():
        print("this nginx has no lua-nginx-module")
        return 0
    print(f"{'':24}{'DICT:get':>10}{'job:get':>10}{'ratio':>8}"
          f"   goal {GOAL}")
    met = True
    with Box(CONF) as box:
        for keys in (1, 20000):
            for size in (16, 100, 1024, 16384):
                if keys * size > 100e6:
                    continue
                answer = box.client(timeout=300).get(
                    f"/?size={size}&keys={keys}").body.split()
                of_dict, of_job = map(float, answer)
                met = met and of_job <= GOAL * of_dict
                print(f"{size:6} bytes, {keys:5} keys{of_dict:8.0f} ns"
                      f"{of_job:7.0f} ns{of_job / of_dict:8.2f}")
    return 0 if met else 1


sys.exit(main())
