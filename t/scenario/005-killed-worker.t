#!/usr/bin/env python3
"""Workers that are killed at any moment: the cache goes on, and what they had
claimed is free again within a second."""

import contextlib
import os
import random
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Traffic, is_page, page_target  # noqa: E402
from step import Stepped  # noqa: E402
from scenario import (SLACK, Box, check, eventually, main,  # noqa: E402
                      milliseconds, note, scenario)

CONF = """
    tcp_nopush on;
    sendfile on;
    cacheback_store pages { memory 4m; refresh_limit LIMIT; REDIS }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache $cacheback_status always;
        add_header X-Pid $pid always;
        location / {
            cacheback pages 200ms;
            cacheback_key $uri;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
REDIS = "redis redis://127.0.0.1:%(redis)s;"
PAGES = [(f"/page{i}", 100 + 1597 * i) for i in range(60)]
# What nginx itself says of a worker that was killed, and of a lock it held.
KILLED = [r"worker process \d+ exited on signal 9",
          r"shared memory zone \"[^\"]+\" was locked by \d+"]


def a_box(redis="", limit="64", workers=2):
    conf = CONF.replace("REDIS", redis).replace("LIMIT", limit)
    return Box(conf, workers=workers, expect_log=KILLED, connections=1024)


def kill(box, pid):
    os.kill(pid, signal.SIGKILL)
    check(eventually(lambda: len(box.live_workers()) == box.workers
                     and pid not in box.live_workers(), 5), "no new worker")


def still_works(box):
    """All of it, as before."""
    with Traffic(box, PAGES, clients=4, count=500) as traffic:
        pass
    traffic.check_all_well()
    check("HIT" in traffic.statuses(), traffic.statuses())
    for path, size in PAGES[:10]:
        target = page_target(path, size)
        before = is_page(box.get(target).body, path, size)
        time.sleep(0.25)

        def renewed():
            return is_page(box.get(target).body, path, size) > before
        check(eventually(renewed, 3), path, "is not refreshed any more")


def killed_in_a_loop(redis):
    with a_box(redis) as box:
        chance = random.Random(1)
        killed = 0
        with Traffic(box, PAGES, clients=6) as traffic:
            end = time.monotonic() + 4
            while time.monotonic() < end:
                time.sleep(chance.uniform(0.05, 0.15))
                kill(box, chance.choice(box.live_workers()))
                killed += 1
        wrong = traffic.wrong()
        broken = [r for r in wrong if r.code == 0]
        note(killed, "workers killed;", len(traffic.results), "requests,",
             len(broken), "cut off with their worker;",
             box.log_count("emptied, a worker died"),
             "times a zone was emptied,",
             box.log_count("was locked by"), "times unlocked by nginx")
        # What is answered is answered well; a worker takes no more with it
        # than the clients that it had.
        check(len(broken) == len(wrong), wrong[:5])
        check(len(broken) <= killed * 6, len(broken))
        check(killed > 10 / SLACK, killed)
        check(box.log_count("exited on signal 9") == killed)

        still_works(box)


@scenario
def workers_killed_in_a_loop_under_load_leave_a_cache_that_works():
    killed_in_a_loop("")


@scenario
def workers_killed_in_a_loop_under_load_leave_redis_and_memory_that_work():
    killed_in_a_loop(REDIS)


# What nginx keeps of a zone begins with its lock: the process that holds it.
CONTROL_ZONE = 1792 * 1024
DATA_ZONE = 4 * 1024 * 1024


def zone_address(pid, size):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(at, 16) for at in span.split("-"))
            if mode == "rw-s" and end - begin == size:
                return begin
    return None


class Busy:
    """A client that keeps the worker busy which has its connection."""

    def __init__(self, box, pages):
        self.client = box.client(timeout=120)
        self.pages = pages
        self.pid = int(self.client.get(page_target(*pages[0])).fields["x-pid"])
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.client.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()

    def run(self):
        with contextlib.suppress(OSError, IndexError):
            while True:
                for path, size in self.pages:
                    self.client.get(page_target(path, size))


def kill_under_the_lock(pid, address, further):
    """`further` instructions after the worker has taken the lock, or half as
    many the next time when it gives it back sooner. How many it were; None
    when there was too little to do."""
    with Stepped(pid) as worker:
        inside = 0
        for _ in worker.steps(100000):
            if worker.word(address) == pid:
                inside += 1
                if inside > further:
                    worker.kill()
                    return further
            elif inside:
                inside = 0
                further //= 2
    return None


def killed_under_the_lock(size, further_most, rounds=6):
    if SLACK > 1:
        note("SKIP: the tools that make all slow leave too many steps")
        return
    # Small ones: each byte that is copied may be a step.
    pages = [(f"/small{i}", 100 + 67 * i) for i in range(30)]
    with a_box() as box:
        chance = random.Random(2)
        address = zone_address(box.live_workers()[0], size)
        check(address is not None, "no such zone")
        killed = []
        with Traffic(box, pages, clients=2, pause=0.03) as traffic:
            end = time.monotonic() + 60
            while len(killed) < rounds and time.monotonic() < end:
                with Busy(box, pages) as busy:
                    try:
                        further = kill_under_the_lock(
                            busy.pid, address, chance.randrange(further_most))
                    except PermissionError:
                        note("SKIP: this system lets nobody step a process")
                        return
                if further is None:
                    continue
                killed.append(further)
                check(eventually(lambda: len(box.live_workers()) == 2, 5))
                # nginx takes the lock away, and nobody hangs on it.
                check(eventually(
                    lambda: box.log_count("was locked by") == len(killed), 1))
                for path, length in pages[:5]:
                    answer = box.get(page_target(path, length))
                    check(is_page(answer.body, path, length), answer)
                    check(answer.took < 1 * SLACK, answer)
        check(len(killed) >= 3, killed)
        wrong = traffic.wrong()
        emptied = box.log_count("emptied, a worker died")
        note("killed", killed, "instructions after the lock was taken;",
             len(traffic.results), "requests,", len(wrong),
             "cut off with their worker;", emptied, "times a zone was emptied")
        check(all(r.code == 0 for r in wrong), wrong[:5])
        check(emptied <= len(killed))
        still_works(box)


@scenario
def workers_killed_under_the_lock_of_the_memory_tier_leave_one_that_works():
    killed_under_the_lock(DATA_ZONE, 400)


@scenario
def workers_killed_under_the_lock_of_the_leases_leave_leases_that_work():
    killed_under_the_lock(CONTROL_ZONE, 60)


def refresher_dies(workers, rounds):
    """Seconds until the item is refreshed by somebody else."""
    with a_box(workers=workers) as box:
        times = []
        for number in range(rounds):
            path = f"/o{number}"
            target = page_target(path, 1000, delay="0|30|0")
            check(box.get(target).cache == "MISS")
            time.sleep(0.25)
            stale = box.get(target)
            check(stale.cache == "STALE", stale)
            check(box.get(target).cache == "UPDATING")
            check(eventually(lambda: box.origin_count(path) == 2))

            killed = time.monotonic()
            os.kill(int(stale.fields["x-pid"]), signal.SIGKILL)

            def again():
                try:
                    return box.get(target).cache == "STALE"
                except (OSError, ValueError, IndexError):
                    return False        # that worker had accepted it
            check(eventually(again, 5), "stays UPDATING")
            times.append(time.monotonic() - killed)
            check(eventually(lambda: is_page(
                box.get(target).body, path, 1000) == 3, 3), "not renewed")
        note("refreshed again after", milliseconds(times))
        check(max(times) < 1 * SLACK, times)


@scenario
def an_item_whose_refresher_died_is_refreshed_within_a_second():
    refresher_dies(workers=2, rounds=8)


@scenario
def the_same_with_a_single_worker():
    refresher_dies(workers=1, rounds=4)


@scenario
def places_of_fetches_that_died_are_free_again():
    with a_box(limit="2") as box:
        for number in range(6):
            for kind in "ab":
                check(box.get(page_target(f"/{kind}{number}", 1000,
                                          delay="0|30|0")).cache == "MISS")
            time.sleep(0.25)
            owners = set()
            for kind in "ab":
                answer = box.get(page_target(f"/{kind}{number}", 1000))
                check(answer.cache == "STALE", answer)
                owners.add(int(answer.fields["x-pid"]))
            for kind in "ab":
                check(eventually(
                    lambda: box.origin_count(f"/{kind}{number}") == 2))
            for pid in owners:
                kill(box, pid)
        # The limit of 2 would have been used up long ago.
        path = "/last"
        check(box.get(page_target(path, 1000)).cache == "MISS")
        time.sleep(0.25)
        check(eventually(lambda: is_page(box.get(page_target(
            path, 1000)).body, path, 1000) >= 2, 3), "no place left")


@scenario
def a_failure_keeps_its_lease_though_the_worker_that_saw_it_died():
    with a_box(workers=1) as box:
        target = "/o?status=200|500"
        check(box.get(target).cache == "MISS")
        time.sleep(0.25)
        answer = box.get(target)
        check(answer.cache == "STALE", answer)
        check(box.origin_answered("/o", 2) == 2)
        time.sleep(0.05)
        kill(box, int(answer.fields["x-pid"]))
        for _ in range(5):
            check(box.get(target).cache == "UPDATING")
            time.sleep(0.05)
        check(box.origin_count("/o") == 2)


main()
