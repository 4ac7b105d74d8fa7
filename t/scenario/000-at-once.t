#!/usr/bin/env python3
"""What a client feels: a stale answer is complete at once and leaves the
connection free, however slow the origin is."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import SLACK, Box, check, main, scenario  # noqa: E402

STORE = """
    tcp_nopush on;
    sendfile on;
    cacheback_store pages { memory 8m; }
    server {
        listen 127.0.0.1:%(port)s;
        location / {
            cacheback pages 1s;
            add_header X-Cache $cacheback_status always;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
# The refresh takes the origin 3 seconds; nobody may notice. Generous against
# noise on a busy machine, far below what waiting would cost.
AT_ONCE = 0.1 * SLACK


def fill_and_let_it_go_stale(box, target):
    check(box.get(target).cache == "MISS")
    check(box.get(target).cache == "HIT")
    time.sleep(1.1)


@scenario
def a_stale_answer_is_complete_at_once_and_frees_the_connection():
    with Box(STORE, workers=2) as box:
        target = "/o?delay=0|3"
        fill_and_let_it_go_stale(box, target)
        client = box.client()
        stale = client.get(target)
        check(stale.cache == "STALE", stale)
        check(stale.took < AT_ONCE, stale)
        following = client.get(target)
        check(following.cache == "UPDATING", following)
        check(following.took < AT_ONCE, following)
        client.close()
        check(box.origin_answered("/o", 2) == 2)


@scenario
def a_client_that_asked_to_close_is_released_at_once():
    with Box(STORE) as box:
        target = "/o?delay=0|3"
        fill_and_let_it_go_stale(box, target)
        client = box.client()
        check(client.get(target, {"Connection": "close"}).cache == "STALE")
        released = client.closed_after(5)
        client.close()
        check(released is not None and released < AT_ONCE, released)


@scenario
def a_client_that_resets_does_not_stop_the_refresh():
    with Box(STORE) as box:
        target = "/o?delay=0|1"
        fill_and_let_it_go_stale(box, target)
        client = box.client()
        check(client.get(target).cache == "STALE")
        client.reset()
        check(box.origin_answered("/o", 2) == 2)
        time.sleep(0.1 * SLACK)
        fresh = box.get(target)
        check(fresh.cache == "HIT", fresh)
        check(fresh.body == b"/o #2\n", fresh)


@scenario
def reloads_under_load_fail_no_request():
    with Box(STORE, workers=2) as box:
        for _ in range(5):
            box.reload()
            for number in range(20):
                answer = box.get(f"/o{number}")
                check(answer.code == 200, answer)


main()
