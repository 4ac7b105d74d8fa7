#!/usr/bin/env python3
"""An origin that fails: clients go on seeing what is stored, and the origin is
asked once per lease, not once per client."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import (SLACK, Box, check, eventually, main,  # noqa: E402
                      milliseconds, note, scenario)

CONF = """
    tcp_nopush on;
    sendfile on;
    cacheback_store pages { memory 8m; REDIS }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache $cacheback_status always;
        proxy_connect_timeout 5s;
        location / {
            cacheback pages 100ms;
            cacheback_refresh_timeout REFRESH_TIMEOUT;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
REQUESTS = 20


def a_box(refresh_timeout="60s", redis=False):
    line = "redis redis://127.0.0.1:%(redis)s;" if redis else ""
    return Box(CONF.replace("REDIS", line).replace(
        "REFRESH_TIMEOUT", refresh_timeout), workers=2)


def fill(box, target):
    first = box.get(target)
    check(first.code == 200 and first.cache == "MISS", first)
    time.sleep(0.15)
    return first.body


def stale_only(box, target, body, seconds):
    """`REQUESTS` in so many seconds: the stored answer each time, the first
    one STALE, the others UPDATING."""
    times = []
    for number in range(REQUESTS):
        answer = box.get(target)
        check(answer.code == 200 and answer.body == body, number, answer)
        expected = "STALE" if number == 0 else "UPDATING"
        check(answer.cache == expected, number, answer)
        times.append(answer.took)
        time.sleep(seconds / REQUESTS)
    note("errors shown: 0;", milliseconds(times))
    check(sorted(times)[len(times) // 2] < 0.1 * SLACK)


def one_failed_try(query, seconds=0.5, redis=False):
    with a_box(redis=redis) as box:
        target = "/o?" + query
        body = fill(box, target)
        stale_only(box, target, body, seconds)
        tries = box.origin_count("/o") - 1
        note("tries:", tries)
        check(tries == 1, tries)


@scenario
def an_origin_answering_500_shows_no_error_and_is_tried_once():
    one_failed_try("status=200|500", 2.0)


@scenario
def the_same_with_the_item_in_redis_too():
    one_failed_try("status=200|500", redis=True)


@scenario
def an_origin_answering_503_429_or_403_shows_no_error_and_is_tried_once():
    with a_box() as box:
        for status in (503, 429, 403):
            target = f"/o{status}?status=200|{status}"
            body = fill(box, target)
            stale_only(box, target, body, 0.3)
            check(box.origin_count(f"/o{status}") == 2)


@scenario
def an_origin_that_truncates_its_answer_shows_no_error_and_is_tried_once():
    one_failed_try("size=20000&truncate=0|1")


@scenario
def an_origin_that_truncates_its_chunks_shows_no_error_and_is_tried_once():
    one_failed_try("size=20000&chunked=1&truncate=0|1")


@scenario
def an_origin_that_resets_shows_no_error_and_is_tried_once():
    one_failed_try("reset=0|1")


@scenario
def an_origin_that_speaks_garbage_shows_no_error_and_is_tried_once():
    one_failed_try("garbage=0|1")


@scenario
def an_origin_that_refuses_connections_shows_no_error():
    with a_box() as box:
        bodies = {path: fill(box, path) for path in ("/a", "/b", "/c")}
        box.kill("origin.py")
        for path, body in bodies.items():
            stale_only(box, path, body, 0.6)
        # One line for each try.
        tries = box.log_count(r"connect\(\) failed .* upstream")
        note("tries:", tries, "for", len(bodies), "items")
        check(tries == len(bodies), tries)


@scenario
def an_origin_that_hangs_is_given_up_at_the_refresh_timeout():
    with a_box("1s") as box:
        target = "/o?delay=0|60|0"
        body = fill(box, target)
        started = time.monotonic()
        first = box.get(target)
        check(first.cache == "STALE", first)
        count = 0
        while True:
            answer = box.get(target)
            check(answer.code == 200 and answer.body == body, answer)
            if answer.cache == "STALE" or time.monotonic() > started + 10:
                break
            check(answer.cache == "UPDATING", answer)
            count += 1
            time.sleep(0.05)
        waited = time.monotonic() - started
        note(f"{count} requests while it hung, tried again after"
             f" {waited:.2f} s")
        check(0.9 < waited < 1.5 * SLACK, waited)
        check(box.logged("took longer than cacheback_refresh_timeout"))
        check(box.log_count("took longer than") == 1)
        # The next try succeeds, and nothing is left of the first.
        check(box.origin_answered("/o", 2) >= 2)
        check(eventually(lambda: box.get(target).body != body, 2))


@scenario
def a_failed_try_is_repeated_when_its_lease_ends_and_not_before():
    with a_box("1s") as box:
        target = "/o?status=200|500"
        body = fill(box, target)
        started = time.monotonic()
        stale = []
        while time.monotonic() < started + 3.5:
            answer = box.get(target)
            check(answer.code == 200 and answer.body == body, answer)
            if answer.cache == "STALE":
                stale.append(time.monotonic() - started)
            time.sleep(0.03)
        note("tried after", ", ".join(f"{s:.2f}" for s in stale), "s")
        check(len(stale) == 4, stale)
        check(box.origin_count("/o") == 5)


main()
