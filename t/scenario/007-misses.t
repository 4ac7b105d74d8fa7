#!/usr/bin/env python3
"""Many clients, one cold item: one of them asks the origin, the others get its
answer, on whatever worker they are."""
import itertools, os, statistics, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Crowd, Steady
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

STORE = {"memory": "memory 16m;",
         "Redis": "memory off; redis redis://127.0.0.1:%(redis)s/0;",
         "both": "memory 16m; redis redis://127.0.0.1:%(redis)s/0;"}


def conf(store, more=""):
    return """
        cacheback_store pages { %s }
        server {
            listen 127.0.0.1:%%(port)s;
            add_header X-Cache  $cacheback_status always;
            add_header X-Reason $cacheback_reason always;
            location / {
                cacheback pages 10m;
                %s
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
            location /plain/ {
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
        }""" % (store, more)


def one_origin_request_serves_all(name):
    with Box(conf(STORE[name]), workers=2) as box:
        crowd = Crowd(box, "/o?delay=0.3&size=16384", 100)
        answers = crowd.wait()
        check(box.origin_count("/o") == 1, "origin was asked",
              box.origin_count("/o"), "times", crowd.statuses())
        check(len({a.body for a in answers}) == 1)
        check(crowd.statuses() == {"MISS": 1, "HIT": 99}, crowd.statuses())
        note("%s: 100 clients, origin 300 ms:" % name,
             milliseconds([a.took for a in answers]))
        # Woken by the event: a look every now and then would show as a step.
        took = statistics.median(a.took for a in answers)
        check(took < 0.45 * SLACK, took)


@scenario
def a_crowd_at_a_cold_item_in_memory_is_one_origin_request():
    one_origin_request_serves_all("memory")


@scenario
def a_crowd_at_a_cold_item_in_redis_is_one_origin_request():
    one_origin_request_serves_all("Redis")


@scenario
def a_crowd_at_a_cold_item_in_both_tiers_is_one_origin_request():
    one_origin_request_serves_all("both")


def waiting_costs_no_more_than_asking(name):
    def judge(target, answer):
        return None if answer[0] == 200 else f"{target}: {answer[0]}"

    def median(target):
        crowd.requests = itertools.repeat((target, "", target))
        crowd.run(count=200)
        return statistics.median(crowd.took)

    with Box(conf(STORE[name]), workers=2, connections=1024) as box:
        # One thread: two hundred would wait for each other.
        crowd = Steady(box, None, judge, rate=1000000, clients=200)
        joined, alone = [], []
        for i in range(3):
            target = f"o{i}?delay=0.3&size=16384"
            joined.append(median("/" + target))
            alone.append(median("/plain/" + target))
            check(box.origin_count(f"/o{i}") == 1)
            check(box.origin_count(f"/plain/o{i}") == 200)
        crowd.close()
        note(f"{name}: 200 clients, origin 300 ms, medians: joined",
             ", ".join(f"{t * 1000:.0f}" for t in joined), "ms, each alone",
             ", ".join(f"{t * 1000:.0f}" for t in alone), "ms")
        check(min(joined) < 1.1 * min(alone) + 0.02 * SLACK, joined, alone)


@scenario
def who_joins_in_memory_waits_no_longer_than_who_asks_the_origin():
    waiting_costs_no_more_than_asking("memory")


@scenario
def who_joins_in_redis_waits_no_longer_than_who_asks_the_origin():
    waiting_costs_no_more_than_asking("Redis")


@scenario
def an_answer_that_is_not_stored_sends_all_to_the_origin_at_once():
    for query in ("cc=no-store", "status=500"):
        with Box(conf(STORE["memory"]), workers=2) as box:
            crowd = Crowd(box, "/o?delay=0.3&" + query, 20)
            answers = crowd.wait()
            check(box.origin_count("/o") == 20, box.origin_count("/o"))
            # One round behind the first, not one after another.
            check(max(a.took for a in answers) < 1.5 * SLACK, query)


@scenario
def when_the_first_client_leaves_before_the_header_one_waiter_takes_over():
    with Box(conf(STORE["memory"]), workers=2) as box:
        first = box.client()
        first.send("/o?delay=0.5|0.3")
        check(eventually(lambda: box.origin_count("/o") == 1))
        crowd = Crowd(box, "/o?delay=0.5|0.3", 20)
        time.sleep(0.1)
        first.reset()
        crowd.wait()
        check(box.origin_count("/o") == 2, box.origin_count("/o"))
        check(crowd.statuses() == {"MISS": 1, "HIT": 19}, crowd.statuses())


@scenario
def when_the_first_client_leaves_after_the_header_the_fetch_goes_on():
    with Box(conf(STORE["memory"]), workers=2) as box:
        target = "/o?drip=0.2&size=200000"
        first = box.client(receive_buffer=4096)
        first.send(target)
        check(eventually(lambda: box.origin_count("/o") == 1))
        crowd = Crowd(box, target, 10)
        time.sleep(0.3)
        first.reset()
        crowd.wait()
        check(box.origin_count("/o") == 1, box.origin_count("/o"))
        check(crowd.statuses() == {"HIT": 10}, crowd.statuses())


@scenario
def when_the_origin_cannot_answer_one_waiter_after_another_tries():
    with Box(conf(STORE["memory"]), workers=2) as box:
        crowd = Crowd(box, "/o?delay=0.2&reset=1|0", 20)
        crowd.wait()
        check(box.origin_count("/o") == 2, box.origin_count("/o"))
        check(sorted(a.code for a in crowd.answers) == [200] * 19 + [502],
              crowd.answers)


@scenario
def a_waiter_goes_alone_after_its_time():
    with Box(conf(STORE["memory"], "cacheback_lock 200ms;"),
             workers=2) as box:
        first = box.client()
        first.send("/o?delay=1.5|0")
        check(eventually(lambda: box.origin_count("/o") == 1))
        second = box.get("/o?delay=1.5|0")
        check(second.cache == "MISS", second)
        check(0.15 < second.took < 1.2 * SLACK, second.took)
        check(first.receive().code == 200)
        # The first one's answer is stored, not that of who went alone.
        check(box.get("/o?delay=1.5|0").body == b"/o #1\n")


@scenario
def without_a_lock_nobody_waits():
    with Box(conf(STORE["memory"], "cacheback_lock off;"), workers=2) as box:
        crowd = Crowd(box, "/o?delay=0.3", 10)
        crowd.wait()
        check(box.origin_count("/o") == 10, box.origin_count("/o"))


@scenario
def waiters_of_a_killed_worker_are_served_within_a_second():
    expected = (r"exited on signal 9", r"shared memory zone .* was locked by")
    with Box(conf(STORE["memory"]), workers=2, expect_log=expected) as box:
        first = box.client()
        first.send("/o?delay=5|0.1")
        check(eventually(lambda: box.origin_count("/o") == 1))
        before = set(box.worker_pids())
        crowd = Crowd(box, "/o?delay=5|0.1", 10)
        time.sleep(0.2)
        for pid in before:
            os.kill(pid, 9)
        # Those on a killed worker are gone with it; those that come now wait
        # for nobody.
        for thread in crowd.threads:
            thread.join()
        check(eventually(
            lambda: len(set(box.live_workers()) - before) == 2, 5))
        started = time.monotonic()
        again = box.get("/o?delay=5|0.1")
        check(again.code == 200, again)
        check(time.monotonic() - started < 1.5 * SLACK)


main()
