#!/usr/bin/env python3
"""Many clients, one cold item: one of them asks the origin, the others get its
answer, on whatever worker they are."""
import itertools, os, re, statistics, sys, threading, time
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


@scenario
def so_is_one_at_a_large_item_that_memory_does_not_hold():
    with Box(conf(STORE["both"]), workers=2) as box:
        crowd = Crowd(box, "/o?delay=0.3&size=1000000", 100)
        answers = crowd.wait()
        check(box.origin_count("/o") == 1, box.origin_count("/o"),
              crowd.statuses())
        check(len({a.body for a in answers}) == 1)
        check(crowd.statuses() == {"MISS": 1, "HIT": 99}, crowd.statuses())
        check(not box.log_count("cacheback: redis"), box.log())
        sent = re.search(rb"total_net_output_bytes:(\d+)",
                         box.redis("INFO", "stats"))
        check(int(sent[1]) < 20e6, "Redis has sent", sent[1])
        note("100 clients, 1 MB:", milliseconds([a.took for a in answers]))


def gets(box):
    """How many GETs Redis has answered since all links greeted it."""
    check(eventually(lambda: len(box.entries()) == 1 and
                     b" cmd=xread " in box.redis("CLIENT", "LIST")))
    found = re.search(rb"cmdstat_get:calls=(\d+)",
                      box.redis("INFO", "commandstats"))
    return int(found[1])


PATIENT = STORE["Redis"] + " redis_timeout 5s;"


@scenario
def who_asks_for_what_is_being_read_gets_the_same_answer():
    with Box(conf(PATIENT)) as box:
        box.get("/o?size=1000000")
        before = gets(box)
        box.redis("CLIENT", "PAUSE", "500", "ALL")
        crowd = Crowd(box, "/o?size=1000000", 50)
        check(len({a.body for a in crowd.wait()}) == 1)
        check(crowd.statuses() == {"HIT": 50}, crowd.statuses())
        check(gets(box) - before == 1, gets(box) - before)
        # And no longer than that.
        check(box.get("/o?size=1000000").cache == "HIT")
        check(gets(box) - before == 2, gets(box) - before)


@scenario
def one_that_leaves_does_not_take_the_answer_from_the_others():
    with Box(conf(PATIENT)) as box:
        box.get("/o")
        before = gets(box)
        clients = [box.client() for _ in range(4)]
        box.redis("CLIENT", "PAUSE", "500", "ALL")
        for client in clients:
            client.send("/o")
            time.sleep(0.05)
        clients[0].reset()
        clients[2].reset()
        check(clients[1].receive().cache == "HIT")
        check(clients[3].receive().cache == "HIT")
        check(gets(box) - before == 1, gets(box) - before)
        # All of them: the next one asks anew.
        clients = [box.client() for _ in range(2)]
        box.redis("CLIENT", "PAUSE", "500", "ALL")
        for client in clients:
            client.send("/o")
        time.sleep(0.05)
        for client in clients:
            client.reset()
        time.sleep(0.05)
        check(box.get("/o").cache == "HIT")
        check(gets(box) - before == 3, gets(box) - before)


@scenario
def what_was_being_read_before_a_purge_is_not_for_who_asks_after_it():
    with Box(conf(PATIENT, "cacheback_purge 1;")) as box:
        box.get("/o")
        early, purge, late = box.client(), box.client(), box.client()
        box.redis("CLIENT", "PAUSE", "500", "ALL")
        early.send("/o")
        time.sleep(0.05)
        purge.send("/o", method="PURGE")
        time.sleep(0.05)
        late.send("/o")
        check(purge.receive("PURGE").code == 204)
        check(early.receive().body == b"/o #1\n")
        answer = late.receive()
        check(answer.cache == "MISS" and answer.body == b"/o #2\n", answer)


@scenario
def one_with_less_time_left_than_the_others_is_told_in_its_time():
    store = "memory off; redis redis://127.0.0.1:%(fake)s; redis_timeout 250ms;"
    with Box(conf(store), fakes={"fake": "newer:0.2"}) as box:
        # One of them claims after the first look of 200 ms, is told to look
        # again, and has 50 ms for that; the others wait, and have all of it.
        answers = Crowd(box, "/o", 5).wait()
        took = sorted(a.took for a in answers)
        note("told after:", milliseconds(took))
        check({a.code for a in answers} == {200})
        check(0.2 < took[0] < 0.35 * SLACK, took)
        # Nor does its time-out count: Redis answers in the time it has.
        check(not box.log_count("cacheback: redis"), box.log())


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
