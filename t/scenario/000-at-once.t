#!/usr/bin/env python3
"""What a client feels: a stale answer is complete at once, and then its
connection is free, however slow the origin is. With nginx as Debian sets it up
(`tcp_nopush on`), two workers, from either tier."""

import functools
import os
import statistics
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from h2 import H2Client  # noqa: E402
from load import is_page, page_target  # noqa: E402
from scenario import (SLACK, Box, check, eventually,  # noqa: E402
                      free_port, main, milliseconds, note, scenario)

TIERS = {
    "memory": "memory 16m;",
    "redis": "memory off; redis redis://127.0.0.1:%(redis)s;",
    "redis-socket": "memory off; redis unix:%(redis_socket)s;",
}

CONF = """
    tcp_nopush on;
    sendfile on;
    cacheback_store pages { STORE refresh_limit 512; }
    add_header X-Cache $cacheback_status always;
    add_header X-Tier $cacheback_tier always;
    server {
        listen 127.0.0.1:%(port)s;
        listen 127.0.0.1:H2PORT http2;
        location / {
            cacheback pages 1s;
            cacheback_key $uri;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
        location /fresh {
            cacheback pages 1h;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
ORIGIN = 3.0                            # seconds of each refresh
# The measured figures are printed. Generous against noise on a shared machine,
# far below what waiting for the origin would cost.
AT_ONCE = 0.05 * SLACK
SAMPLES = 24
SIZE = 4096


class Measured:
    """All measurements of one tier, on one box."""

    def __init__(self, tier):
        self.stale, self.following, self.fresh = [], [], []
        self.closed, self.stream, self.next_stream = [], [], []
        self.refreshed = {}
        self.h2_port = free_port()
        conf = CONF.replace("STORE", TIERS[tier]).replace(
            "H2PORT", str(self.h2_port))
        with Box(conf, workers=2, connections=2048) as box:
            self.tier = tier.partition("-")[0]
            self.run(box)

    @staticmethod
    def target(path, size=SIZE):
        return page_target(path, size, delay=f"0|{ORIGIN}")

    def fill(self, box):
        client = box.client()
        for kind in ("keep", "close", "h2", "unread", "onebyte"):
            for i in range(SAMPLES):
                size = 200000 if kind == "onebyte" else SIZE
                answer = client.get(self.target(f"/{kind}{i}", size))
                check(answer.code == 200 and answer.cache == "MISS", answer)
        check(client.get("/fresh?size=4096").cache == "MISS")
        # Redis is asked once more: its stores are written behind the answer.
        check(eventually(lambda: client.get("/fresh?size=4096").cache
                         == "HIT"))
        client.close()
        time.sleep(1.1)

    def run(self, box):
        self.fill(box)
        self.keep_alive(box)
        self.closing(box)
        self.http2()
        self.resetting(box)
        self.see_refreshed(box)

    def is_stale(self, answer, path):
        check(answer.cache == "STALE", path, answer)
        check(answer.fields["x-tier"] == self.tier, answer.fields)
        check(is_page(answer.body, path, SIZE) == 1, path, answer)

    def keep_alive(self, box):
        for i in range(SAMPLES):
            client = box.client()
            client.get("/fresh?size=4096")
            fresh = client.get("/fresh?size=4096")
            check(fresh.cache == "HIT", fresh)
            stale = client.get(self.target(f"/keep{i}"))
            self.is_stale(stale, f"/keep{i}")
            following = client.get("/fresh?size=4096")
            check(following.cache == "HIT", following)
            client.close()
            self.fresh.append(fresh.took)
            self.stale.append(stale.took)
            self.following.append(following.took)

    def closing(self, box):
        for i in range(SAMPLES):
            client = box.client()
            answer = client.get(self.target(f"/close{i}"),
                                {"Connection": "close"})
            self.is_stale(answer, f"/close{i}")
            closed = client.closed_after(ORIGIN + 2)
            client.close()
            check(closed is not None, "never closed")
            self.closed.append(answer.took + closed)

    def http2(self):
        client = H2Client(self.h2_port)
        check(client.get("/fresh?size=4096").ok)
        for i in range(SAMPLES):
            answer = client.get(self.target(f"/h2{i}"))
            check(answer.ok and is_page(answer.body, f"/h2{i}", SIZE) == 1,
                  answer.body[:60])
            self.stream.append(answer.took)
            following = client.get("/fresh?size=4096")
            check(following.ok)
            self.next_stream.append(following.took)
        client.close()

    def resetting(self, box):
        for i in range(SAMPLES):
            client = box.client()
            client.send(self.target(f"/unread{i}"))
            # As soon as the request is there for nginx to read, or, every
            # other time, before.
            if i % 2:
                time.sleep(0.005 * SLACK)
            client.reset()

            client = box.client(receive_buffer=4096)
            client.send(self.target(f"/onebyte{i}", 200000))
            check(client.socket.recv(1) == b"H")
            client.reset()

    def see_refreshed(self, box):
        """All refreshes end well, also those whose clients are gone."""
        for kind in ("keep", "close", "h2", "onebyte"):
            self.refreshed[kind] = sum(
                box.origin_answered(f"/{kind}{i}", 2, ORIGIN + 3) == 2
                for i in range(SAMPLES))
        # A reset that overtakes the request leaves nothing to refresh for.
        asked = [i for i in range(SAMPLES)
                 if box.origin_count(f"/unread{i}") == 2]
        self.refreshed["unread"] = sum(
            box.origin_answered(f"/unread{i}", 2, ORIGIN + 3) == 2
            for i in asked)
        self.unread_asked = len(asked)
        last = {"onebyte": SAMPLES - 1}
        if asked:
            last["unread"] = asked[-1]
        for kind, i in last.items():
            size = 200000 if kind == "onebyte" else SIZE
            answer = None

            def renewed():
                nonlocal answer
                answer = box.get(self.target(f"/{kind}{i}", size))
                return is_page(answer.body, f"/{kind}{i}", size) >= 2
            check(eventually(renewed, 1), kind, answer)


@functools.lru_cache(maxsize=None)
def measured(tier):
    """The measurements, or None: what went wrong has been told."""
    try:
        return Measured(tier)
    except Exception:  # pylint: disable=broad-except
        for line in traceback.format_exc().splitlines():
            print("#", line, file=sys.stderr)
        return None


def figures(tier):
    result = measured(tier)
    check(result is not None, "the measurements failed")
    return result


def at_once(times, what):
    note(what, milliseconds(times))
    check(statistics.median(times) < AT_ONCE, what)
    check(max(times) < ORIGIN / 2, what)


def for_tier(tier, words):
    """The claims, for one tier."""

    def complete():
        at_once(figures(tier).stale, "complete stale answer:")

    def following():
        result = figures(tier)
        over = (statistics.median(result.following)
                - statistics.median(result.fresh))
        note("fresh hit:", milliseconds(result.fresh))
        note(f"next after stale: {over * 1000:+.2f} ms over that;")
        at_once(result.following, "next after stale:")
        check(over < AT_ONCE / 2)

    def closing():
        at_once(figures(tier).closed, "complete and closed:")

    def http2():
        result = figures(tier)
        at_once(result.stream, "stream ended:")
        at_once(result.next_stream, "next stream:")

    def resetting():
        result = figures(tier)
        note("resets before reading:", result.unread_asked, "reached nginx,",
             result.refreshed["unread"], "refreshed; after the first byte:",
             result.refreshed["onebyte"], "of", SAMPLES)
        check(result.refreshed["onebyte"] == SAMPLES)
        check(result.refreshed["unread"] == result.unread_asked)
        check(result.unread_asked >= SAMPLES // 4)
        check(result.refreshed["keep"] == SAMPLES)
        check(result.refreshed["close"] == SAMPLES)
        check(result.refreshed["h2"] == SAMPLES)

    for function, name in (
            (complete, "a_stale_answer_from_%s_is_complete_at_once"),
            (following, "after_a_stale_answer_from_%s_the_connection_is_free"),
            (closing, "a_stale_answer_from_%s_that_is_the_last_ends_at_once"),
            (http2, "a_stale_answer_from_%s_ends_its_http2_stream_at_once"),
            (resetting, "a_client_that_resets_a_stale_answer_from_%s_stops_no"
                        "_refresh")):
        function.__name__ = name % words
        scenario(function)


for_tier("memory", "memory")
for_tier("redis", "redis")
for_tier("redis-socket", "redis_over_a_unix_socket")

main()
