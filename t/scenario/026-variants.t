#!/usr/bin/env python3
"""Items with variants: on one box with and without Redis, and on two."""
import contextlib, os, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from fleet import readers
from load import Crowd
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

STORE = {"memory": "memory 16m;",
         "both": "memory 16m; redis redis://127.0.0.1:%(redis)s/0;",
         "patient": "memory 16m; redis redis://127.0.0.1:%(redis)s/0; "
                    "redis_timeout 3s;",
         "Redis": "memory off; redis redis://127.0.0.1:%(redis)s/0;"}
VARY = "h=Vary:X-A"
MOST = 32


def conf(store, more=""):
    return """
        keepalive_requests 100000;
        cacheback_store pages { %s }
        server {
            listen 127.0.0.1:%%(port)s;
            add_header X-Cache  $cacheback_status always;
            add_header X-Tier   $cacheback_tier always;
            location / {
                cacheback       pages 10m;
                cacheback_key   $uri;
                cacheback_purge 1;
                %s
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
        }""" % (STORE[store], more)


@contextlib.contextmanager
def boxes(store, count=2, more="", **options):
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(Box(conf(store, more), workers=2, **options))
        found = [one] + [stack.enter_context(Box(
            conf(store, more), workers=2, beside=one, **options))
            for _ in range(count - 1)]
        if store != "memory":
            check(eventually(lambda: readers(one) == count), readers(one))
        yield found


def variant(value):
    return {"X-A": str(value)}


def crowd_of_variants(found, target, values, clients):
    crowds = [Crowd(box, target, clients, fields=variant(value))
              for box in found for value in values]
    return [answer for crowd in crowds for answer in crowd.wait()]


def number_of(answer):
    return int(answer.body.split(b"#")[1])


def each_variant_once(store, count):
    values = "abcd"
    with boxes(store, count) as found:
        target = "/o?delay=0.2&" + VARY
        answers = crowd_of_variants(found, target, values, 10)
        check(found[0].origin_count("/o") == len(values),
              found[0].origin_count("/o"))
        check(len({a.body for a in answers}) == len(values))
        # The first tells on what the item varies, the others are fetched then.
        took = [a.took for a in answers]
        note("%s, %d boxes, 4 variants, origin 200 ms:" % (store, count),
             milliseconds(took))
        check(max(took) < 0.9 * SLACK, max(took))
        for box in found:
            for value in values:
                check(box.get(target, variant(value)).cache == "HIT", value)
        check(found[0].origin_count("/o") == len(values))


@scenario
def cold_variants_are_fetched_once_each():
    each_variant_once("memory", 1)


@scenario
def so_they_are_on_two_boxes():
    each_variant_once("both", 2)


@scenario
def and_with_redis_alone():
    each_variant_once("Redis", 2)


def each_refreshed_once(store, count):
    values = "abcd"
    with boxes(store, count) as found:
        target = "/o?max_age=1&delay=0|0|0|0|0.3&" + VARY
        for box in found:
            for value in values:
                box.get(target, variant(value))
        check(found[0].origin_count("/o") == 4, found[0].origin_count("/o"))
        time.sleep(1.2)
        answers = crowd_of_variants(found, target, values, 8)
        check({a.cache for a in answers} <= {"STALE", "UPDATING", "HIT"},
              {a.cache for a in answers})
        check(max(a.took for a in answers) < 0.25 * SLACK)
        check(found[0].origin_answered("/o", 8))
        time.sleep(0.2)
        check(found[0].origin_count("/o") == 8, found[0].origin_count("/o"))


@scenario
def stale_variants_are_refreshed_once_each():
    each_refreshed_once("memory", 1)


@scenario
def so_they_are_on_two_boxes_too():
    each_refreshed_once("both", 2)


@scenario
def the_refresh_of_one_variant_leaves_the_copies_of_others():
    with boxes("both") as (one, two):
        target = "/o?h=Cache-Control:max-age%3D60|max-age%3D1|max-age%3D60&" \
            + VARY
        for value in "ab":
            one.get(target, variant(value))
        for _ in range(2):
            for value in "ab":
                answer = two.get(target, variant(value))
        check(answer.fields["x-tier"] == "memory", answer.fields)
        time.sleep(1.2)
        check(one.get(target, variant("b")).cache == "STALE")
        check(one.origin_answered("/o", 3))
        # Its own copy of that one was dropped on the other one's word.
        time.sleep(0.1 * SLACK)
        answer = two.get(target, variant("b"))
        check(answer.cache == "HIT" and number_of(answer) == 3, answer)
        answer = two.get(target, variant("a"))
        check(answer.cache == "HIT" and answer.fields["x-tier"] == "memory",
              answer, answer.fields)
        check(one.origin_count("/o") == 3, one.origin_count("/o"))


@scenario
def a_delete_or_an_invalidation_takes_all_variants_on_both_boxes():
    with boxes("both") as (one, two):
        target = "/o?" + VARY
        for box in (one, two):
            for value in "abc":
                box.get(target, variant(value))
        check(one.origin_count("/o") == 3)
        check(one.get(target, method="PURGE").code == 204)
        time.sleep(0.1)
        for value in "abc":
            check(two.get(target, variant(value)).cache == "MISS", value)
        check(two.get(target, {"Cacheback-Purge": "soft"},
                      method="PURGE").code == 202)
        time.sleep(0.1)
        for value in "abc":
            check(one.get(target, variant(value)).cache == "STALE", value)
        check(one.origin_answered("/o", 9), one.origin_count("/o"))
        check(one.client().get(target, method="POST").code == 200)
        time.sleep(0.1)
        for value in "abc":
            check(two.get(target, variant(value)).cache == "STALE", value)


@scenario
def an_invalidation_reaches_the_copies_of_all_variants():
    with boxes("both") as (one, two):
        target = "/o?" + VARY
        for box in (one, two, one, two):
            for value in "abc":
                box.get(target, variant(value))
        check(two.get(target, variant("a")).fields["x-tier"] == "memory")
        # Of a variant that is nowhere, so that Redis is asked for it.
        check(one.get(target, {"Cacheback-Purge": "soft", "X-A": "d"},
                      method="PURGE").code == 202)
        time.sleep(0.1 * SLACK)
        for value in "abc":
            answer = two.get(target, variant(value))
            check(answer.cache == "STALE", value, answer.cache)


@scenario
def what_is_read_before_redis_marks_it_is_stale_as_well():
    with boxes("patient") as (one, two):
        target = "/o?" + VARY
        for value in "ab":
            one.get(target, variant(value))
        soft = {"Cacheback-Purge": "soft"}
        for method, fields in (("POST", None), ("PURGE", soft)):
            before = one.origin_count("/o")
            one.redis("CLIENT", "PAUSE", "500", "WRITE")
            check(two.get(target, fields, method).code in (200, 202))
            # Redis has not heard of it yet, and answers the other worker.
            Crowd(two, target, 16, fields=variant("b")).wait()
            time.sleep(0.7)
            answer = two.get(target, variant("b"))
            check(answer.cache != "HIT" or number_of(answer) > before, method,
                  answer)
            check(one.get(target, method="PURGE").code == 204)
            time.sleep(0.1 * SLACK)
            for value in "ab":
                check(one.get(target, variant(value)).cache == "MISS")


@scenario
def who_waits_for_a_variant_that_is_deleted_does_not_wait_in_vain():
    for store, count in (("memory", 1), ("both", 2), ("Redis", 2)):
        with boxes(store, count) as found:
            target = "/o?delay=0|0.4|0&" + VARY
            found[0].get(target, variant("a"))
            crowd = Crowd(found[0], target, 5, fields=variant("b"))
            time.sleep(0.2)
            check(found[-1].get(target, method="PURGE").code == 204)
            took = [answer.took for answer in crowd.wait()]
            note("%s: slowest of those that waited" % store,
                 milliseconds(took))
            check(max(took) < 1.5 * SLACK, store, max(took))


def none_resurrected(store, count, rounds):
    """A variant is refreshed, or fetched for the first time, while the item is
    deleted by whichever box at a moment that moves through the fetch."""
    with boxes(store, count, "cacheback_lock off;") as found:
        delay = 0.02
        for number in range(rounds):
            path = "/p%d" % number
            target = ("%s?delay=0|0|%s|%s|0&%s&cc=max-age=0,"
                      "stale-while-revalidate=600" % (path, delay, delay, VARY))
            for value in "ab":
                check(found[0].get(target, variant(value)).cache == "MISS")
            box = found[number % count]
            fetching = [Crowd(box, target, 1, fields=variant(value))
                        for value in ("b" if number % 2 else "c", "a")]
            time.sleep(delay * 1.6 * (number % 23) / 23)
            before = found[0].origin_count(path)
            found[number // 2 % count].get(target, method="PURGE")
            for crowd in fetching:
                crowd.wait()
            time.sleep(0.03 * SLACK)  # the word of it has come by then
            for box in found:
                for value in "abc":
                    answer = box.get(target, variant(value))
                    check(number_of(answer) > before, number, value, answer,
                          before)


@scenario
def no_fetch_of_a_variant_brings_it_back():
    none_resurrected("both", 2, int(os.environ.get("CACHEBACK_PURGES", 80)))


@scenario
def nor_with_redis_alone():
    none_resurrected("Redis", 2, int(os.environ.get("CACHEBACK_PURGES", 80)))


@scenario
def nor_with_memory_alone():
    none_resurrected("memory", 1, int(os.environ.get("CACHEBACK_PURGES", 80)))


@scenario
def a_redis_that_was_flushed_takes_the_copies_along():
    with boxes("both", expect_log=(r"cacheback:",)) as (one, two):
        target = "/o?" + VARY
        for box in (one, two):
            for value in "ab":
                box.get(target, variant(value))
        one.redis("FLUSHALL")
        time.sleep(1.1 * SLACK)
        for value in "ab":
            answer = two.get(target, variant(value))
            check(answer.cache == "MISS" and number_of(answer) > 2, value,
                  answer)
        for value in "ab":
            check(number_of(one.get(target, variant(value))) > 2, value)
        check(one.origin_count("/o") == 4, one.origin_count("/o"))


def keys_of(box, suffix=b""):
    return [key for key in box.redis("KEYS", "*{*") if key.endswith(suffix)]


def flooded(store):
    """One client makes up values; what others read stays."""
    with boxes(store, 1) as (box,):
        others = ["/x%d?%s" % (i, VARY) for i in range(50)]
        for other in others:
            box.get(other, variant("a"))
        target = "/o?" + VARY
        client = box.client()
        for value in "ab":
            client.get(target, variant(value))
            client.get(target, variant(value))
        hits = 0
        for number in range(1000):
            check(client.get(target, variant("made up %d" % number)).cache
                  == "MISS")
            if number % 20 == 0:
                hits += client.get(target, variant("a")).cache == "HIT"
        return box, hits, [box.get(o, variant("a")).cache for o in others], (
            len(keys_of(box)) if store != "memory" else 0)


@scenario
def made_up_values_do_not_evict_what_is_read_in_memory():
    box, hits, others, _ = flooded("memory")
    check(hits == 50, hits)
    check(set(others) == {"HIT"}, others.count("HIT"))


@scenario
def nor_do_they_fill_redis():
    box, hits, others, keys = flooded("Redis")
    check(set(others) == {"HIT"}, others.count("HIT"))
    # Of each: the record, its list, its epochs, its variants.
    check(keys <= 51 * 3 + 50 + MOST + 64, keys)
    note("keys after a flood of 1,000 values:", keys)


@scenario
def in_both_tiers_the_memory_keeps_them():
    box, hits, others, keys = flooded("both")
    check(hits == 50, hits)
    check(set(others) == {"HIT"}, others.count("HIT"))


@scenario
def what_redis_has_evicted_of_the_bookkeeping_brings_nothing_back():
    for suffix in (b":variants", b"}", b":epochs"):
        with boxes("Redis", 1) as (box,):
            target = "/o?" + VARY
            for value in "ab":
                box.get(target, variant(value))
            time.sleep(0.1 * SLACK)     # both are committed
            (key,) = keys_of(box, suffix)
            check(box.redis("DEL", key) == 1)
            if suffix == b"}":
                # They cannot be found, so they are fetched.
                for value in "ab":
                    check(box.get(target, variant(value)).cache == "MISS")
            for value in "ab":
                check(box.get(target, variant(value)).cache == "HIT", suffix)
            if suffix != b"}":
                check(box.redis("EXISTS", key) == 0, suffix)
            # What the list has lost is not marked by an invalidation, so it
            # may not be found any more.
            box.get(target, variant("c"))
            time.sleep(0.1 * SLACK)
            check(box.get(target, {"Cacheback-Purge": "soft"},
                          method="PURGE").code == 202)
            time.sleep(0.1 * SLACK)
            for value in "abc":
                check(box.get(target, variant(value)).cache != "HIT", suffix,
                      value)
            time.sleep(0.1 * SLACK)
            before = box.origin_count("/o")
            box.get(target, method="PURGE")
            for value in "ab":
                answer = box.get(target, variant(value))
                check(number_of(answer) > before, suffix, value, answer)


main()
