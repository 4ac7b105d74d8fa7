#!/usr/bin/env python3
"""Two boxes on one Redis: an item is fetched once for both, and what one of
them deletes no fetch of the other brings back."""
import contextlib, os, re, statistics, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from fleet import readers
from load import Crowd
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

STORE = {"both": "memory 16m; redis redis://127.0.0.1:%(redis)s/0;",
         "Redis": "memory off; redis redis://127.0.0.1:%(redis)s/0;"}


def conf(store, more=""):
    return """
        cacheback_store pages { %s }
        server {
            listen 127.0.0.1:%%(port)s;
            add_header X-Cache  $cacheback_status always;
            add_header X-Reason $cacheback_reason always;
            location / {
                cacheback       pages 10m;
                cacheback_key   $uri?$args;
                cacheback_purge 1;
                %s
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
        }""" % (STORE[store], more)


@contextlib.contextmanager
def fleet(store="both", more="", workers=2, **options):
    """Two boxes that have found each other: each reads what the other does."""
    with Box(conf(store, more), workers=workers, **options) as one:
        with Box(conf(store, more), workers=workers, beside=one,
                 **options) as two:
            check(eventually(lambda: readers(one) == 2), readers(one))
            yield one, two


def crowds(boxes, target, count):
    """`count` clients at each box, all at once."""
    both = [Crowd(box, target, count) for box in boxes]
    return [answer for crowd in both for answer in crowd.wait()]


def statuses(answers):
    found = {}
    for answer in answers:
        found[answer.cache] = found.get(answer.cache, 0) + 1
    return found


def one_request_for_a_cold_item(store):
    with fleet(store) as boxes:
        answers = crowds(boxes, "/o?delay=0.3&size=16384", 50)
        check(boxes[0].origin_count("/o") == 1, boxes[0].origin_count("/o"),
              statuses(answers))
        check(len({a.body for a in answers}) == 1)
        check(statuses(answers) == {"MISS": 1, "HIT": 99}, statuses(answers))
        note("%s: 2 x 50 clients, origin 300 ms:" % store,
             milliseconds([a.took for a in answers]))
        # Woken by the event: a look every now and then would show as a step.
        took = statistics.median(a.took for a in answers)
        check(took < 0.45 * SLACK, took)


@scenario
def clients_of_a_cold_item_on_two_boxes_are_one_origin_request():
    one_request_for_a_cold_item("both")


@scenario
def the_same_with_redis_alone():
    one_request_for_a_cold_item("Redis")


@scenario
def and_those_of_a_large_one_that_memory_does_not_hold():
    with fleet() as boxes:
        answers = crowds(boxes, "/o?delay=0.3&size=1000000", 50)
        check(boxes[0].origin_count("/o") == 1, boxes[0].origin_count("/o"),
              statuses(answers))
        check(len({a.body for a in answers}) == 1)
        check(statuses(answers) == {"MISS": 1, "HIT": 99}, statuses(answers))
        for box in boxes:
            check(not box.log_count("cacheback: redis"), box.log())
        sent = re.search(rb"total_net_output_bytes:(\d+)",
                         boxes[0].redis("INFO", "stats"))
        check(int(sent[1]) < 30e6, "Redis has sent", sent[1])
        note("2 x 50 clients, 1 MB:", milliseconds([a.took for a in answers]))


def one_request_for_a_stale_item(store):
    with fleet(store) as boxes:
        target = "/o?delay=0|0.3&max_age=1&size=16384"
        for box in boxes:
            box.get(target)
        check(boxes[0].origin_count("/o") == 1, boxes[0].origin_count("/o"))
        time.sleep(1.2)
        answers = crowds(boxes, target, 25)
        counted = statuses(answers)
        check(counted.keys() <= {"STALE", "UPDATING", "HIT"}, counted)
        check(max(a.took for a in answers) < 0.25 * SLACK, counted)
        check(boxes[0].origin_answered("/o", 2))
        time.sleep(0.1)
        fresh = [box.get(target) for box in boxes]
        check([a.cache for a in fresh] == ["HIT", "HIT"], fresh)
        check(len({a.body for a in fresh}) == 1)
        check(b"#2" in fresh[0].body[:100], fresh[0].body[:20])
        check(boxes[0].origin_count("/o") == 2, boxes[0].origin_count("/o"))


@scenario
def clients_of_a_stale_item_on_two_boxes_are_one_origin_request():
    one_request_for_a_stale_item("both")


@scenario
def so_are_those_of_a_stale_item_in_redis_alone():
    one_request_for_a_stale_item("Redis")


@scenario
def a_box_that_comes_later_takes_the_new_copy_instead_of_fetching():
    with fleet() as (one, two):
        target = "/o?max_age=1"
        one.get(target)
        check(two.get(target).cache == "HIT")
        time.sleep(1.2)
        check(one.get(target).cache == "STALE")
        check(one.origin_answered("/o", 2))
        time.sleep(0.1)
        # Its own copy, stale since then, was dropped on the other one's word.
        answer = two.get(target)
        check(answer.cache == "HIT" and answer.body == b"/o #2\n", answer)
        check(one.origin_count("/o") == 2)


@scenario
def a_failure_on_one_box_keeps_the_other_from_trying():
    more = "cacheback_refresh_timeout 3s;"
    with fleet(more=more) as (one, two):
        target = "/o?max_age=1&status=200|500"
        one.get(target)
        two.get(target)
        time.sleep(1.2)
        check(one.get(target).cache == "STALE")
        check(one.origin_answered("/o", 2))
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            check(two.get(target).cache in ("STALE", "UPDATING"))
            check(one.get(target).cache == "UPDATING")
            time.sleep(0.05)
        check(one.origin_count("/o") == 2, one.origin_count("/o"))
        # And no longer than that.
        check(eventually(lambda: two.get(target) and
                         one.origin_count("/o") == 3, 5))


@scenario
def waiters_on_the_other_box_are_told_that_the_answer_is_not_stored():
    with fleet() as (one, two):
        target = "/o?delay=0.4&cc=no-store"
        first = Crowd(one, target, 1)
        check(eventually(lambda: one.origin_count("/o") == 1))
        answers = Crowd(two, target, 10).wait()
        first.wait()
        check(statuses(answers) == {"MISS": 10}, statuses(answers))
        check(max(a.took for a in answers) < 1.2 * SLACK,
              milliseconds([a.took for a in answers]))


@scenario
def when_a_fetch_fails_a_waiter_on_the_other_box_takes_over():
    with fleet() as (one, two):
        target = "/o?delay=0.4&reset=1|0"
        first = Crowd(one, target, 1)
        check(eventually(lambda: one.origin_count("/o") == 1))
        answers = Crowd(two, target, 10).wait()
        check(first.wait()[0].code == 502)
        check(statuses(answers) == {"MISS": 1, "HIT": 9}, statuses(answers))
        check(one.origin_count("/o") == 2)
        check(max(a.took for a in answers) < 1.2 * SLACK,
              milliseconds([a.took for a in answers]))


@scenario
def a_box_that_dies_while_it_fetches_is_waited_for_no_longer_than_the_lock():
    with fleet(more="cacheback_lock 2s;") as (one, two):
        target = "/o?delay=9|0"
        crowd = Crowd(one, target, 1, may_fail=True)
        check(eventually(lambda: one.origin_count("/o") == 1))
        one.kill("nginx")
        for pid in one.worker_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        answer = two.get(target)
        check(answer.code == 200 and 1.5 < answer.took < 3 * SLACK, answer,
              answer.took)
        crowd.join()


@scenario
def what_one_box_deletes_is_gone_on_the_other():
    with fleet() as (one, two):
        took = []
        for number in range(20):
            target = "/o%d" % number
            one.get(target)
            check(two.get(target).cache == "HIT")
            check(one.get(target, method="PURGE").code == 204)
            started = time.monotonic()
            check(eventually(lambda: two.get(target).cache == "MISS", step=0))
            took.append(time.monotonic() - started)
        note("gone on the other box after:", milliseconds(took))
        check(statistics.median(took) < 0.02 * SLACK, took)


@scenario
def what_one_box_marks_stale_is_stale_on_the_other():
    with fleet() as (one, two):
        one.get("/o?delay=0|0.3")
        check(two.get("/o?delay=0|0.3").cache == "HIT")
        check(one.get("/o?delay=0|0.3", {"Cacheback-Purge": "soft"},
                      method="PURGE").code == 202)
        time.sleep(0.05)
        answer = two.get("/o?delay=0|0.3")
        check(answer.cache in ("STALE", "UPDATING"), answer)
        check(eventually(
            lambda: two.get("/o?delay=0|0.3").body == b"/o #2\n"))
        check(one.origin_count("/o") == 2, one.origin_count("/o"))


def none_resurrected(store, rounds):
    """Each round: a box refreshes an item, or every third time fills it, and a
    PURGE comes in at a moment that moves through the whole fetch. What was
    fetched before it must not be served after it."""
    with fleet(store, "cacheback_lock off;") as (one, two):
        delay = 0.02
        for number in range(rounds):
            path = "/p%d" % number
            target = ("%s?delay=0|%s|0&cc=max-age=0,stale-while-revalidate=600"
                      % (path, delay))
            if number % 3 == 0:
                target = "%s?delay=%s" % (path, delay)
            else:
                check(one.get(target).cache == "MISS")
            fetching = Crowd((one, two)[number % 2], target, 1)
            time.sleep(delay * 1.6 * (number % 23) / 23)
            before = one.origin_count(path)
            (one, two)[number // 2 % 2].get(target, method="PURGE")
            fetching.wait()
            time.sleep(0.005)
            for box in (one, two):
                answer = box.get(target)
                fetched = int(answer.body.split(b"#")[1])
                check(fetched > before, number, answer, before)


@scenario
def no_fetch_brings_back_what_was_deleted_meanwhile():
    none_resurrected("both", int(os.environ.get("CACHEBACK_PURGES", 150)))


@scenario
def nor_with_redis_alone():
    none_resurrected("Redis", int(os.environ.get("CACHEBACK_PURGES", 150)))


@scenario
def without_redis_each_box_fetches_for_itself():
    with fleet(expect_log=(r"cacheback: redis",)) as (one, two):
        one.kill("redis")
        check(eventually(lambda: one.get("/a").cache == "MISS" and
                         one.get("/a").cache == "HIT"))
        answers = crowds((one, two), "/o?delay=0.3", 20)
        check(one.origin_count("/o") == 2, one.origin_count("/o"))
        check({a.code for a in answers} == {200})


@scenario
def the_feed_is_read_on_after_a_reload_and_after_a_lost_link():
    with fleet() as (one, two):
        for number, disturb in enumerate((
                two.reload,
                lambda: one.redis("CLIENT", "KILL", "TYPE", "normal"))):
            target = "/o%d" % number
            one.get(target)
            check(two.get(target).cache == "HIT")
            disturb()
            one.get(target, method="PURGE")
            check(eventually(lambda: two.get(target).cache == "MISS", 3),
                  number)


main()
