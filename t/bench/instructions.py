#!/usr/bin/env python3
"""User-space instructions per request, beside the goals: `make bench`.

One nginx process without a master runs under callgrind; one kept connection asks
N and 2N times for the same, and the difference divided by N is what a request
costs, start-up left out. The same nginx, configuration and machine give the same
figure within 1 %, whatever else the machine does; another nginx or glibc does
not, so compare within one run. `return 200` is the floor.

What may not be stored is proxied; it is measured beside the same nginx without
the module, with kept connections to the origin, which is the stricter case: a new
one for each request costs more on both sides. The system's part, which is larger
than nginx's own and not counted there, is in the CPU time: the best of many short
rounds, in which all of them take turns. On a busy machine it is good to some per
cent only.
"""

import contextlib
import os
import re
import subprocess
import sys
import typing

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import scenario
from scenario import Box, check, eventually

N = int(os.environ.get("BENCH_REQUESTS", "500"))
ROUNDS = 60
SIZES = {"1 KB": 1024, "16 KB": 16 * 1024, "128 KB": 128 * 1024}

# Goals of instructions per request.
GOALS = {
    "memory hit, 1 KB": 11000, "memory hit, 16 KB": 13700,
    "memory hit, 128 KB": 21700,
    "Redis hit, 1 KB": 20000, "Redis hit, 16 KB": 27000,
}

# How much more than the same request of a fresh item, or of one that does not
# vary.
STALE_GOAL = 500
VARY_GOAL = 2500

UNCACHEABLE_GOAL = 1.05

CONF = """
    keepalive_requests 1000000;
    cacheback_store memory { memory 64m; }
    cacheback_store shared {
        memory off;
        redis  redis://127.0.0.1:%%(redis)s;
    }
    cacheback_lifetime 1h;
    server {
        listen 127.0.0.1:%%(port)s;
        location = /return { return 200 "%s"; }
        location /memory/ {
            cacheback  memory;
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
        location /shared/ {
            cacheback  shared;
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
        location /fresh/ {
            add_header X-Cache $cacheback_status;
            cacheback  memory;
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
        location /stale/ {
            add_header         X-Cache $cacheback_status;
            cacheback          memory;
            cacheback_lifetime 1ms;
            proxy_pass         http://127.0.0.1:%%(origin)s;
        }
    }""" % ("x" * SIZES["1 KB"])

PROXY = """
    keepalive_requests 1000000;
    upstream app {
        server 127.0.0.1:%(origin)s;
        keepalive 4;
        keepalive_requests 1000000;
    }
    STORE
    server {
        listen 127.0.0.1:%(port)s;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / {
            CACHEBACK
            proxy_pass http://app;
        }
    }"""


VARYING = {"Accept": "Accept", "Accept-Language": "Accept-Language",
           "3 fields": "Accept-Encoding,Accept-Language,User-Agent",
           "Accept and 3 groups":
           "Accept&h=Cache-Groups:%22news%22,%22start%22,%22articles%22"}


def proxy(store="", directives=""):
    if store:
        store = "cacheback_store pages { %s }" % store
        directives = "cacheback pages; " + directives
    return PROXY.replace("STORE", store).replace("CACHEBACK", directives)


# An application's page, and what a browser sends.
PAGE = "/o?size=1024&cc=no-store&type=text/html&h=Server:app" \
    "&h=X-Frame-Options:DENY&h=Vary:Cookie&h=Set-Cookie:a%3Db"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5", "Accept-Encoding": "gzip, deflate",
    "Cookie": "session=0123456789abcdef0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests": "1", "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}


class Plain(Box):
    """Without an access log, and without the module where nothing needs it."""

    def write_conf(self, http=None):
        super().write_conf(http)
        with open(self.dir + "/nginx.conf", encoding="utf-8") as conf:
            text = conf.read().replace("access_log access.log;",
                                       "access_log off;")
        if "cacheback_store" not in text:
            text = re.sub(r"load_module .*?;", "", text, count=1)
        with open(self.dir + "/nginx.conf", "w", encoding="utf-8") as conf:
            conf.write(self.before + text)

    before = ""


class Counted(Plain):
    """nginx under callgrind, a single process."""

    before = "master_process off;\n"

    def start_nginx(self):
        # Each byte of `rep movsb` would count as an instruction.
        env = dict(os.environ, GLIBC_TUNABLES="glibc.cpu.x86_rep_movsb_"
                   "threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold"
                   "=1073741824")
        with open(self.dir + "/nginx.out", "ab") as out:
            nginx = self.spawn(
                "nginx", "valgrind", "-q", "--tool=callgrind",
                "--callgrind-out-file=" + self.dir + "/callgrind",
                scenario.NGINX, "-p", self.dir + "/", "-c",
                self.dir + "/nginx.conf", "-e", self.dir + "/error.log",
                env=env, stdout=out, stderr=out)
        eventually(lambda: self.listens(self.ports["port"])
                   or nginx.poll() is not None, 60)
        check(nginx.poll() is None, "nginx did not start:", self.log()[-500:])

    def dump(self):
        subprocess.run(["callgrind_control", "-d",
                        str(self.children["nginx"].pid)],
                       check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=self.dir)

    def total(self, number):
        with open(f"{self.dir}/callgrind.{number}", encoding="utf-8") as dump:
            return int(re.search(r"^(?:totals|summary): (\d+)", dump.read(),
                                 re.M)[1])


def instructions(conf, target, size, fields=None, holds=lambda fields: True):
    """Of one request of `target`, whose answers have `size` bytes and, in the
    end, fields that hold."""
    with Counted(conf) as box:
        client = box.client(timeout=60)
        for _ in range(5):
            answer = client.get(target, fields)
        check(holds(answer.fields), target, answer)
        check(len(answer.body) == size, target, len(answer.body))
        for requests in (N // 2, N, 2 * N):
            for _ in range(requests):
                client.get(target, fields)
            box.dump()
        return (box.total(3) - box.total(2)) / N


class Hit(typing.NamedTuple):
    name: str
    target: str
    size: str = "1 KB"
    fields: dict = None  # of the request
    held: bool = True   # it is answered from the store
    cache: str = None   # the answer's X-Cache
    beside: str = None  # the row it is compared with
    more: int = 0       # than that, as a goal


def hits():
    yield Hit("return 200, 1 KB", "/return", held=False)
    for name, place in (("memory hit", "memory"), ("Redis hit", "shared")):
        for label, size in SIZES.items():
            yield Hit(f"{name}, {label}", f"/{place}/o?size={size}", label)
    same = "a browser's, not varying"
    yield Hit(same, "/memory/v?size=1024&h=X-Any:Accept", fields=BROWSER)
    for name, vary in VARYING.items():
        yield Hit(f"Vary: {name}", f"/memory/v?size=1024&h=Vary:{vary}",
                  fields=BROWSER, beside=same, more=VARY_GOAL)
    same = "fresh, 1 KB"
    yield Hit(same, "/fresh/o?size=1024&delay=0|600", cache="HIT")
    yield Hit("stale, being refreshed, 1 KB", "/stale/o?size=1024&delay=0|600",
              cache="UPDATING", beside=same, more=STALE_GOAL)


def served():
    """Answers from the store."""
    print(f"{'':28} {'instructions':>12} {'of return 200':>14} {'goal':>8}")
    used = {}
    for hit in hits():
        used[hit.name] = instructions(
            CONF, hit.target, SIZES[hit.size], hit.fields,
            lambda fields, hit=hit: fields.get("x-cache") == hit.cache
            and ("age" in fields) == hit.held)
        floor = next(iter(used.values()))
        goal = GOALS.get(hit.name, "")
        if hit.beside:
            goal = round(used[hit.beside] + hit.more)
        print(f"{hit.name:28} {used[hit.name]:12.0f} "
              f"{used[hit.name] / floor:14.2f} {goal:>8}", flush=True)


def proxied():
    """What may not be stored."""
    redis = "redis redis://127.0.0.1:%(redis)s;"
    rows = [("without the module", proxy(), None),
            ("cacheback off", proxy("memory 8m;", "cacheback off;").replace(
                "cacheback pages; ", ""), UNCACHEABLE_GOAL),
            ("known uncacheable, memory", proxy("memory 8m;"),
             UNCACHEABLE_GOAL),
            ("known uncacheable, Redis", proxy("memory 8m; " + redis),
             UNCACHEABLE_GOAL),
            ("cacheback_skip", proxy("memory 8m;", "cacheback_skip 1;"),
             UNCACHEABLE_GOAL),
            ("each time anew", proxy("memory 8m;",
                                     "cacheback_uncacheable_ttl 0;"), None)]
    times = cpu_times([conf for _, conf, _ in rows])
    print(f"\n{'proxied, 1 KB':28} {'instructions':>12} {'of without':>11} "
          f"{'CPU us':>8} {'of without':>11} {'goal':>6}")
    floor = None
    for (name, conf, goal), time in zip(rows, times):
        used = instructions(conf, PAGE, SIZES["1 KB"], BROWSER)
        floor = floor or used
        print(f"{name:28} {used:12.0f} {used / floor:11.3f} {time:8.1f} "
              f"{time / times[0]:11.3f} {goal or '':>6}", flush=True)


def cpu_times(confs):
    """Microseconds of CPU time per request."""
    def used(box):
        pid = box.live_workers()[0]
        with open(f"/proc/{pid}/schedstat", encoding="utf-8") as stat:
            return int(stat.read().split()[0]) / 1000

    with contextlib.ExitStack() as stack:
        boxes = [stack.enter_context(Plain(conf)) for conf in confs]
        clients = [box.client(timeout=60) for box in boxes]
        found = [[] for _ in boxes]
        for _ in range(ROUNDS):
            for box, client, times in zip(boxes, clients, found):
                for _ in range(20):
                    client.get(PAGE, BROWSER)
                before = used(box)
                for _ in range(100):
                    client.get(PAGE, BROWSER)
                times.append((used(box) - before) / 100)
        return [min(times) for times in found]


def main():
    parts = {"served": served, "proxied": proxied}
    for part in sys.argv[1:] or parts:
        parts[part]()


main()
