#!/usr/bin/env python3
"""User-space instructions per request, beside the goals: `make bench`.

One nginx process without a master runs under callgrind; one kept connection asks
N and 2N times for the same, and the difference divided by N is what a request
costs, start-up left out. The same nginx, configuration and machine give the same
figure within 1 %, whatever else the machine does; another nginx or glibc does
not, so compare within one run. `return 200` is the floor.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import scenario
from scenario import Box, check, eventually

N = int(os.environ.get("BENCH_REQUESTS", "500"))
SIZES = {"1 KB": 1024, "16 KB": 16 * 1024, "128 KB": 128 * 1024}

# Goals of instructions per request, by what is served and its size.
GOALS = {
    ("memory hit", "1 KB"): 11000, ("memory hit", "16 KB"): 13700,
    ("memory hit", "128 KB"): 21700,
    ("Redis hit", "1 KB"): 20000, ("Redis hit", "16 KB"): 27000,
}

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
        location /stale/ {
            add_header         X-Cache $cacheback_status;
            cacheback          memory;
            cacheback_lifetime 1ms;
            proxy_pass         http://127.0.0.1:%%(origin)s;
        }
    }""" % ("x" * SIZES["1 KB"])


class Counted(Box):
    """nginx under callgrind, a single process."""

    def start_nginx(self):
        with open(self.dir + "/nginx.conf", encoding="utf-8") as conf:
            text = conf.read().replace("access_log access.log;",
                                       "access_log off;")
        with open(self.dir + "/nginx.conf", "w", encoding="utf-8") as conf:
            conf.write("master_process off;\n" + text)
        # Each byte of `rep movsb` would count as an instruction.
        env = dict(os.environ, GLIBC_TUNABLES="glibc.cpu.x86_rep_movsb_"
                   "threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold"
                   "=1073741824")
        with open(self.dir + "/nginx.out", "ab") as out:
            self.spawn("nginx", "valgrind", "-q", "--tool=callgrind",
                       "--callgrind-out-file=" + self.dir + "/callgrind",
                       scenario.NGINX, "-p", self.dir + "/", "-c",
                       self.dir + "/nginx.conf", "-e",
                       self.dir + "/error.log", env=env, stdout=out,
                       stderr=out)
        check(eventually(lambda: self.listens(self.ports["port"]), 60),
              "nginx did not start:", self.log()[-500:])

    def dump(self):
        subprocess.run(["callgrind_control", "-d",
                        str(self.children["nginx"].pid)],
                       check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=self.dir)

    def total(self, number):
        with open(f"{self.dir}/callgrind.{number}", encoding="utf-8") as dump:
            return int(re.search(r"^(?:totals|summary): (\d+)", dump.read(),
                                 re.M)[1])


def instructions(target, status, size):
    with Counted(CONF) as box:
        client = box.client(timeout=60)
        for _ in range(5):
            answer = client.get(target)
        check(status is None or "age" in answer.fields, target, answer)
        check(answer.fields.get("x-cache", status) == status, target, answer)
        check(len(answer.body) == size, target, len(answer.body))
        for requests in (N // 2, N, 2 * N):
            for _ in range(requests):
                client.get(target)
            box.dump()
        return (box.total(3) - box.total(2)) / N


def main():
    rows = [("return 200", "1 KB", "/return", None)]
    for name, place in (("memory hit", "memory"), ("Redis hit", "shared")):
        for label, size in SIZES.items():
            rows.append((name, label, f"/{place}/o?size={size}", "HIT"))
    rows.append(("stale, being refreshed", "1 KB",
                 "/stale/o?size=1024&delay=0|600", "UPDATING"))

    print(f"{'':28} {'instructions':>12} {'of return 200':>14} {'goal':>8}")
    floor = None
    for name, label, target, status in rows:
        used = instructions(target, status, SIZES[label])
        floor = floor or used
        print(f"{name + ', ' + label:28} {used:12.0f} {used / floor:14.2f} "
              f"{GOALS.get((name, label), ''):>8}", flush=True)


main()
