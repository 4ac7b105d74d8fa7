#!/usr/bin/env python3
"""Redis by the name of its host: looked up without blocking, again whenever it
is connected to, each of its addresses tried."""
import os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from name_server import NameServer
from scenario import Box, SLACK, check, eventually, main, note, scenario

CONF = """
    resolver 127.0.0.1:NAMES ipv6=off valid=1s;
    resolver_timeout 2s;
    keepalive_requests 100000;
    cacheback_store pages {
        memory off;
        redis  redis://cache.example:%(redis)s;
        redis_timeout 300ms;
    }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache  $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback  pages 10m;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
        location = /alive { return 200; }
    }"""


def a_box(names, **options):
    return Box(CONF.replace("NAMES", str(names.port)), workers=2, **options)


def hits(box, target="/o"):
    client = box.client()
    return eventually(lambda: client.get(target).cache == "HIT", 5)


@scenario
def a_name_is_looked_up_while_nginx_runs():
    with NameServer({"cache.example": ["127.0.0.1"]}) as names:
        with a_box(names) as box:
            check(hits(box), box.log()[-1500:])
            check(names.asked > 0)


@scenario
def each_address_of_a_name_is_tried():
    # Nobody listens at the first.
    found = ["127.0.0.9", "127.0.0.1"]
    with NameServer({"cache.example": found}) as names:
        with a_box(names) as box:
            check(hits(box), box.log()[-1500:])


@scenario
def a_name_that_moves_is_followed():
    known = {"cache.example": ["127.0.0.9"]}
    with NameServer(known) as names, a_box(names) as box:
        check(box.logged(r"redis cache.example:\d+ unreachable"))
        known["cache.example"] = ["127.0.0.1"]
        check(box.logged(r"redis cache.example:\d+ reachable again", 12),
              box.log()[-1500:])
        check(hits(box))


@scenario
def a_name_that_nobody_knows_is_an_outage():
    known = {}
    with NameServer(known) as names, a_box(names) as box:
        check(box.logged(r'unreachable \("cache.example" could not be resolved '
                         r"\(3: Host not found\)\), serving without it"),
              box.log()[-1500:])
        answer = box.client().get("/o")
        check(answer.code == 200 and answer.cache == "MISS", answer)
        check(answer.fields.get("x-reason") == "redis", answer.fields)
        known["cache.example"] = ["127.0.0.1"]
        check(box.logged(r"reachable again", 12))


@scenario
def a_silent_name_server_holds_nobody():
    with NameServer({"cache.example": ["127.0.0.1"]}) as names:
        names.silent = True
        with a_box(names) as box:
            client = box.client()
            slowest, end = 0, time.monotonic() + 4 * SLACK
            while time.monotonic() < end:
                slowest = max(slowest, client.get("/o").took)
                check(client.get("/alive").took < 0.1 * SLACK)
                time.sleep(0.02)
            note(f"slowest answer {slowest * 1000:.0f} ms, redis_timeout 300")
            check(slowest < 0.6 * SLACK, slowest)
            check(box.logged(r"unreachable \((its address is not found in time"
                             r'|"cache.example" could not be resolved)'))
            names.silent = False
            check(box.logged(r"reachable again", 15), box.log()[-1000:])
            check(hits(box))


main()
