#!/usr/bin/env python3
"""Reload and exit: no request fails, a refresh under way ends well, and nothing
keeps an old worker."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Traffic, is_page, page_target  # noqa: E402
from scenario import (SLACK, Box, check, eventually, main,  # noqa: E402
                      note, scenario)

CONF = """
    tcp_nopush on;
    sendfile on;
    cacheback_store pages { memory MEMORY; REDIS }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache $cacheback_status always;
        location / {
            cacheback pages 300ms;
            cacheback_key $uri;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
REDIS = "redis redis://127.0.0.1:%(redis)s;"
PAGES = [(f"/page{i}", 100 + 797 * i) for i in range(60)]


def conf(memory="8m", redis=""):
    return CONF.replace("MEMORY", memory).replace("REDIS", redis)


def gone(pids):
    return all(not os.path.exists(f"/proc/{pid}/fd") for pid in pids)


def ten_reloads(change, redis="", keep=False):
    with Box(conf(redis=redis), workers=2, connections=1024) as box:
        with Traffic(box, PAGES, clients=4, pause=0.003,
                     keep=keep) as traffic:
            time.sleep(0.3)
            for number in range(10):
                change(box, number)
                box.reload()
                time.sleep(0.2)
        note(len(traffic.results), "requests:", traffic.statuses())
        traffic.check_all_well(least=200)
        # Nothing holds the old ones.
        old = set(box.worker_pids()) - set(box.live_workers())
        check(len(old) == 20, old)
        check(eventually(lambda: gone(old), 5), "old workers stay", old)
        hits = traffic.statuses()
        check("HIT" in hits and "STALE" in hits, hits)


@scenario
def ten_reloads_under_load_fail_no_request():
    ten_reloads(lambda box, number: None)


@scenario
def ten_reloads_under_load_on_kept_connections_fail_no_request():
    ten_reloads(lambda box, number: None, keep=True)


@scenario
def ten_reloads_with_a_changing_size_of_memory_fail_no_request():
    ten_reloads(lambda box, number: box.write_conf(
        conf(("12m", "8m", "300k")[number % 3])))


@scenario
def ten_reloads_with_redis_coming_and_going_fail_no_request():
    ten_reloads(lambda box, number: box.write_conf(
        conf(redis=("", REDIS)[number % 2])), redis=REDIS)


@scenario
def entries_outlive_a_reload():
    with Box(conf(), workers=2) as box:
        target = "/o?cc=max-age=60"
        check(box.get(target).cache == "MISS")
        box.reload()
        check(box.get(target).cache == "HIT")
        box.write_conf(conf("12m"))
        box.reload()
        check(box.get(target).cache == "MISS", "a new size starts cold")
        check(box.get(target).cache == "HIT")


def refresh_over_a_reload(redis):
    with Box(conf(redis=redis), workers=2) as box:
        target = page_target("/o", 20000, delay="0|1.5")
        check(box.get(target).cache == "MISS")
        time.sleep(0.4)
        check(box.get(target).cache == "STALE")
        old = box.live_workers()
        box.reload()
        # The lease holds over the reload.
        answer = box.get(target)
        check(answer.cache == "UPDATING", answer)
        check(box.origin_answered("/o", 2) == 2)
        check(eventually(lambda: is_page(
            box.get(target).body, "/o", 20000) == 2, 2), "not stored")
        check(eventually(lambda: gone(old), 3), "old workers stay")
        # No failure, no second try of the same version.
        check(box.log_count(r"\[error\]") == 0)


@scenario
def a_refresh_under_way_at_a_reload_is_finished_and_stored():
    refresh_over_a_reload("")


@scenario
def a_refresh_under_way_at_a_reload_is_finished_and_stored_in_redis_too():
    refresh_over_a_reload(REDIS)


def exit_time(box):
    started = time.monotonic()
    box.signal("nginx", signal.SIGQUIT)
    code = box.children["nginx"].wait(20 * SLACK)
    took = time.monotonic() - started
    note(f"gone after {took:.2f} s")
    check(code == 0, "exit status", code)
    return took


def hung(box, count=5):
    for i in range(count):
        check(box.get(f"/hung{i}?delay=0|60").cache == "MISS")
    time.sleep(0.4)
    for i in range(count):
        check(box.get(f"/hung{i}?delay=0|60").cache == "STALE")
    for i in range(count):
        check(eventually(lambda: box.origin_count(f"/hung{i}") == 2))


@scenario
def a_hung_origin_holds_an_exit_no_longer_than_worker_shutdown_timeout():
    for redis in ("", REDIS):
        with Box(conf(redis=redis), workers=2,
                 main="worker_shutdown_timeout 1s;") as box:
            hung(box)
            took = exit_time(box)
            check(took < 2 * SLACK, took)


@scenario
def without_that_an_exit_waits_for_the_refresh():
    with Box(conf(), workers=2) as box:
        target = "/o?delay=0|1.5"
        check(box.get(target).cache == "MISS")
        time.sleep(0.4)
        check(box.get(target).cache == "STALE")
        time.sleep(0.05)
        took = exit_time(box)
        check(1.2 < took < 1.5 + 1.5 * SLACK, took)


@scenario
def an_exit_at_once_with_refreshes_under_way_is_clean():
    with Box(conf(redis=REDIS), workers=2) as box:
        hung(box)
        started = time.monotonic()
        box.signal("nginx", signal.SIGTERM)
        check(box.children["nginx"].wait(20 * SLACK) == 0)
        took = time.monotonic() - started
        note(f"gone after {took:.2f} s")
        check(took < 1 * SLACK, took)


@scenario
def an_idle_nginx_with_redis_exits_at_once():
    with Box(conf(redis=REDIS), workers=2) as box:
        check(box.get("/o").cache == "MISS")
        check(box.get("/o").cache == "HIT")
        took = exit_time(box)
        check(took < 1 * SLACK, took)


@scenario
def a_reload_while_redis_is_stopped_keeps_no_old_worker():
    with Box(conf(redis=REDIS), workers=2) as box:
        check(box.get("/o").cache == "MISS")
        box.signal("redis", signal.SIGSTOP)
        for i in range(10):
            check(box.get(f"/other{i}").code == 200)
        old = box.live_workers()
        box.reload()
        check(eventually(lambda: gone(old), 3), "old workers stay", old)
        check(box.get("/o").code == 200)


main()
