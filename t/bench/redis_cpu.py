#!/usr/bin/env python3
"""Redis' own CPU per hit: one link on which look-ups travel together, beside the
pattern of one connection for each request in flight (srcache with redis_pass or
lua-resty-redis). 32 clients, 1,000 keys, so that hardly two ask for the same at
the same time, one worker, rounds of both in turn; CPU time is the
process's own, so that other load on the machine tells little. Needs wrk."""

import os
import re
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import Box, check, eventually

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
GOALS = {"1 KB": 0.4, "16 KB": 0.8}
KEYS = 1000
SIZES = {"1 KB": 1024, "16 KB": 16384}

CONF = """
    keepalive_requests 100000000;
    access_log off;
    cacheback_store shared {
        memory off;
        redis  redis://127.0.0.1:%(redis)s;
        redis_prefix ours:;
    }
    server {
        listen 127.0.0.1:%(port)s;
        location /ours/ {
            cacheback  shared 1h;
            add_header X-Cache $cacheback_status;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
        location /each/ {
            content_by_lua_block {
                local link = ngx.socket.tcp()
                assert(link:connect("127.0.0.1", %(redis)s))
                local key = "each:" .. ngx.var.arg_size .. ":" .. ngx.var.arg_k
                link:send("*2\\r\\n$3\\r\\nGET\\r\\n$" .. #key .. "\\r\\n"
                          .. key .. "\\r\\n")
                local size = tonumber(string.sub(link:receive("*l"), 2))
                local body = link:receive(size + 2)
                link:setkeepalive(10000, 64)
                ngx.header["Content-Length"] = size
                ngx.print(string.sub(body, 1, size))
            }
        }
    }"""

MODULES = "/usr/lib/nginx/modules"
LUA = "\n".join(f"load_module {MODULES}/{name};" for name in (
    "ndk_http_module.so", "ngx_http_lua_module.so"))


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# Another key each time.
SCRIPT = """
request = function()
    return wrk.format("GET", wrk.path .. "&k=" .. math.random(%d))
end""" % KEYS


def round_of(box, path):
    """Microseconds of Redis' CPU per request, and requests per second."""
    redis = box.children["redis"].pid
    before = cpu(redis)
    out = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{SECONDS}s", "-s", box.dir + "/keys.lua",
         f"http://127.0.0.1:{box.ports['port']}{path}"],
        capture_output=True, text=True, check=True).stdout
    used = cpu(redis) - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    check("Non-2xx" not in out, out)
    return used / requests * 1e6, requests / SECONDS


def main():
    missed = False
    with Box(CONF, main=LUA, connections=4096) as box:
        client = box.client()
        with open(box.dir + "/keys.lua", "w", encoding="ascii") as script:
            script.write(SCRIPT)
        for size, bytes_ in SIZES.items():
            target = f"/ours/o?size={bytes_}"
            for k in range(1, KEYS + 1):
                client.get(f"{target}&k={k}")
                box.redis("SET", f"each:{bytes_}:{k}", b"x" * bytes_)
            check(eventually(
                lambda: client.get(f"{target}&k={KEYS}").cache == "HIT"))
            ours, each, rates = [], [], [[], []]
            for _ in range(ROUNDS):
                for path, to, rate in ((target, ours, rates[0]),
                                       (f"/each/?size={bytes_}", each,
                                        rates[1])):
                    used, speed = round_of(box, path)
                    to.append(used)
                    rate.append(speed)
            ratio = statistics.median(a / b for a, b in zip(ours, each))
            missed = missed or ratio > GOALS[size]
            print(f"{size}: Redis' CPU per hit {statistics.median(ours):.2f} us,"
                  f" with a connection each {statistics.median(each):.2f} us:"
                  f" {ratio:.2f} x (goal {GOALS[size]});"
                  f" {statistics.median(rates[0]):.0f} and"
                  f" {statistics.median(rates[1]):.0f} requests/s")
    sys.exit(1 if missed else 0)


main()
