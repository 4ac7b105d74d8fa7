#!/usr/bin/env python3
"""resty.cacheback on two boxes with one Redis: a function runs once for both,
and what one of them deletes, or sets, no run of the other undoes."""
import contextlib, os, statistics, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Crowd
from redis_servers import Cluster
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

STORE = {"both": "memory 16m; redis redis://127.0.0.1:%(redis)s/0;",
         "Redis": "memory off; redis redis://127.0.0.1:%(redis)s/0;",
         "Cluster": "memory 16m; redis_cluster %(cluster)s;",
         # Through a network that may be bad.
         "far": "memory 16m; redis redis://127.0.0.1:%(proxy)s/0;"}

# The function asks the origin that both boxes have, which counts.
CONF = """
    cacheback_store pages { %s }
    init_by_lua_block {
        local cacheback = require "resty.cacheback"
        local function fetch(target)
            local sock = ngx.socket.tcp()
            assert(sock:connect("127.0.0.1", %%(origin)s))
            assert(sock:send("GET " .. target
                .. " HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n"))
            local answer = sock:receive("*a")
            sock:close()
            if not answer or not answer:find("^HTTP/1.. 200") then
                return nil, "the origin failed"
            end
            return answer:match("\\r\\n\\r\\n(.*)")
        end
        job = cacheback.new("pages", "slow", {
            %s
            fetch = fetch,
            key = function(target) return target:match("^[^?]*") end,
        })
        -- Workers keep copies of what it reads often.
        plain = cacheback.new("pages", "plain", { fetch = fetch })
    }
    server {
        listen 127.0.0.1:%%(port)s;
        keepalive_requests 1000000;
        location = /do {
            content_by_lua_block {
                local method, target = ngx.var.arg_m,
                    ngx.unescape_uri(ngx.var.arg_o)
                local value, err
                if method == "set" then
                    value, err = job:set("set", target)
                else
                    value, err = job[method](job, target)
                end
                ngx.print(tostring(value), err and " " .. err or "")
            }
        }
        location = /status {
            content_by_lua_block {
                ngx.say(require("resty.cacheback").store("pages")
                    :status()[ngx.var.arg_n])
            }
        }
        location /plain/ {
            content_by_lua_block {
                if ngx.var.arg_m then
                    return ngx.print(tostring(plain:delete(ngx.var.uri)))
                end
                local value, err, status = plain:get(ngx.var.uri)
                ngx.header["X-Cache"] = status
                ngx.print(value or err)
            }
        }
        location / {
            content_by_lua_block {
                local value, err, status = job:get(ngx.var.request_uri)
                ngx.header["X-Cache"] = status
                if err then
                    ngx.status = 502
                end
                ngx.print(value or err)
            }
        }
    }"""


class Clustered(Box):
    """A box with a Redis Cluster of its own."""

    def write_conf(self, http=None):
        if "cluster" not in self.ports:
            self.cluster = Cluster(self, replicas=0)
            self.ports["cluster"] = self.cluster.urls()
        super().write_conf(http)


def readers(box):
    if isinstance(box, Clustered):
        return sum(node("CLIENT", "LIST").count("cmd=xread")
                   for node in box.cluster.masters())
    return sum(b"cmd=xread " in line
               for line in box.redis("CLIENT", "LIST").splitlines())


@contextlib.contextmanager
def fleet(store="both", options="", second=None, **more):
    """Two boxes of two workers that have found each other."""
    conf = CONF % (STORE[store], options)
    other = CONF % (STORE[second or store], options)
    first = Clustered if store == "Cluster" else Box
    with first(conf, workers=2, **more) as one:
        with Box(other, workers=2, beside=one, **more) as two:
            # Each worker has its links: an answer, not an outage, is measured.
            check(eventually(lambda: all(
                {a.cache for a in Crowd(box, "/warm", 20).wait()}
                <= {"hit", "stale"} for box in (one, two)), 8))
            check(eventually(lambda: readers(one) == 2, 8), readers(one))
            yield one, two


def do(box, method, target):
    quoted = target.replace("?", "%3f").replace("&", "%26")
    return box.get(f"/do?m={method}&o={quoted}").body


def figure(box, name):
    return int(box.get("/status?n=" + name).body)


def crowds(boxes, target, count):
    both = [Crowd(box, target, count) for box in boxes]
    return [answer for crowd in both for answer in crowd.wait()]


def statuses(answers):
    found = {}
    for answer in answers:
        found[answer.cache] = found.get(answer.cache, 0) + 1
    return found


def one_run_for_a_cold_key(store):
    with fleet(store) as boxes:
        answers = crowds(boxes, "/o?delay=0.5", 100)
        check(boxes[0].origin_count("/o") == 1, boxes[0].origin_count("/o"),
              statuses(answers))
        check({a.body for a in answers} == {b"/o #1\n"})
        check(statuses(answers) == {"miss": 1, "hit": 199}, statuses(answers))
        took = [a.took for a in answers]
        note("%s: 2 x 100 gets of a cold key, function 500 ms:" % store,
             milliseconds(took))
        # Woken by the event: a look every now and then would show as a step.
        check(statistics.median(took) < 0.7 * SLACK, took)


@scenario
def gets_of_a_cold_key_on_two_boxes_run_the_function_once():
    one_run_for_a_cold_key("both")


@scenario
def the_same_with_redis_alone():
    one_run_for_a_cold_key("Redis")


def one_run_for_a_stale_key(store):
    with fleet(store, "lifetime = 1,") as boxes:
        target = "/o?delay=0|0.3"
        for box in boxes:
            box.get(target)
        check(boxes[0].origin_count("/o") == 1)
        time.sleep(1.2)
        answers = crowds(boxes, target, 25)
        check(statuses(answers).keys() <= {"stale", "hit"}, statuses(answers))
        check(max(a.took for a in answers) < 0.25 * SLACK, statuses(answers))
        check(boxes[0].origin_answered("/o", 2))
        time.sleep(0.1)
        fresh = [box.get(target) for box in boxes]
        check([a.body for a in fresh] == [b"/o #2\n"] * 2, fresh)
        check([a.cache for a in fresh] == ["hit"] * 2, fresh)
        check(boxes[0].origin_count("/o") == 2, boxes[0].origin_count("/o"))


@scenario
def the_same_with_a_cluster():
    one_run_for_a_cold_key("Cluster")


@scenario
def gets_of_a_stale_key_on_two_boxes_run_the_function_once():
    one_run_for_a_stale_key("both")


@scenario
def so_do_those_of_a_stale_key_in_redis_alone():
    one_run_for_a_stale_key("Redis")


@scenario
def what_both_find_stale_is_left_to_the_one_that_is_at_it():
    # The second box has a stale copy of its own, and no word of the first.
    with fleet(options="lifetime = 1,") as (one, two):
        target = "/o?delay=0|0.6"
        for box in (one, two):
            box.get(target)
        time.sleep(1.2)
        check(one.get(target).cache == "stale")
        check(one.origin_count("/o") == 2 or
              eventually(lambda: one.origin_count("/o") == 2))
        check(two.get(target).cache == "stale")
        check(eventually(lambda: figure(two, "refreshes_elsewhere") == 1))
        check(one.origin_answered("/o", 2))
        check(eventually(lambda: two.get(target).body == b"/o #2\n"))
        check(one.origin_count("/o") == 2)
        for box in (one, two):
            check(eventually(lambda: figure(box, "in_flight") == 0))


@scenario
def an_empty_answer_is_filled_once_for_both():
    with fleet(options="fetch_on_miss = false,") as boxes:
        before = {box: figure(box, "refreshes_started") for box in boxes}
        answers = crowds(boxes, "/o?delay=0.3", 10)
        check(statuses(answers).keys() <= {"empty", "hit"}, statuses(answers))
        check(boxes[0].origin_answered("/o", 1))
        for box in boxes:
            check(eventually(lambda: box.get("/o").body == b"/o #1\n"))
        check(boxes[0].origin_count("/o") == 1)
        check(any(figure(box, "refreshes_started") > before[box]
                  for box in boxes))


@scenario
def a_failure_on_one_box_keeps_the_other_from_trying():
    with fleet(options="lifetime = 1, refresh_timeout = 3,") as (one, two):
        target = "/o?status=200|500"
        for box in (one, two):
            box.get(target)
        time.sleep(1.2)
        check(one.get(target).cache == "stale")
        check(one.origin_answered("/o", 2))
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            check(two.get(target).cache == "stale")
            check(one.get(target).cache == "stale")
            time.sleep(0.05)
        check(one.origin_count("/o") == 2, one.origin_count("/o"))
        # And no longer than that.
        check(eventually(lambda: two.get(target) and
                         one.origin_count("/o") == 3, 5))


@scenario
def when_a_function_fails_one_who_waits_on_the_other_box_takes_over():
    with fleet() as (one, two):
        target = "/o?delay=0.4&reset=1|0"
        first = Crowd(one, target, 1)
        check(eventually(lambda: one.origin_count("/o") == 1))
        answers = Crowd(two, target, 10).wait()
        check(first.wait()[0].code == 502)
        check(statuses(answers) == {"miss": 1, "hit": 9}, statuses(answers))
        check(one.origin_count("/o") == 2)
        check(max(a.took for a in answers) < 1.2 * SLACK,
              milliseconds([a.took for a in answers]))


def deleted_for_all(store):
    with fleet(store) as (one, two):
        took = []
        for number in range(20):
            target = "/plain/%d" % number
            one.get(target)
            # So often that the workers keep it.
            for _ in range(16):
                check(two.get(target).cache == "hit")
            check(one.get(target + "?m=delete").body == b"true")
            started = time.monotonic()
            check(eventually(lambda: two.get(target).cache == "miss", step=0))
            took.append(time.monotonic() - started)
            check(one.origin_count(target) == 2)
        note("%s: gone on the other box after:" % store, milliseconds(took))
        check(statistics.median(took) < 0.02 * SLACK, took)


@scenario
def what_one_box_deletes_is_gone_on_the_other():
    deleted_for_all("both")


@scenario
def so_it_is_with_a_cluster():
    deleted_for_all("Cluster")


@scenario
def a_delete_is_seen_within_a_second_where_the_feed_is_silent():
    with fleet(second="far") as (one, two):
        client = two.client()
        for number in range(3):
            target = "/plain/%d" % number
            one.get(target)
            for _ in range(16):             # the workers keep it
                check(client.get(target).cache == "hit")
        two.network("hole", "cacheback-feed")
        time.sleep(0.05)
        for number in range(3):
            check(one.get("/plain/%d?m=delete" % number).body == b"true")
        started = time.monotonic()
        for number in range(3):
            target = "/plain/%d" % number
            check(eventually(
                lambda: client.get(target).body == f"{target} #2\n".encode(),
                step=0))
        took = time.monotonic() - started
        note("behind a silent feed, gone after %.0f ms" % (took * 1000))
        check(took <= 1.0 * SLACK, took)
        # And what Redis has not lost is still served, also without it.
        check(client.get("/plain/0").cache == "hit")
        two.network("pass")


@scenario
def what_one_box_invalidates_is_refreshed_and_new_on_both():
    with fleet() as (one, two):
        target = "/o?delay=0|0.3"
        one.get(target)
        check(two.get(target).cache == "hit")
        check(do(one, "invalidate", target) == b"true")
        time.sleep(0.05)
        check(two.get(target).cache == "stale")
        for box in (one, two):
            check(eventually(lambda: box.get(target).body == b"/o #2\n"))
        check(one.origin_count("/o") == 2, one.origin_count("/o"))


@scenario
def what_one_box_sets_no_run_of_the_other_replaces():
    with fleet() as (one, two):
        target = "/o?delay=0.4"
        crowd = Crowd(one, target, 1)
        check(eventually(lambda: one.origin_count("/o") == 1))
        check(do(two, "set", target) == b"true")
        check(crowd.wait()[0].body == b"/o #1\n")
        for box in (one, two):
            check(eventually(lambda: box.get(target).body == b"set"), box)
        time.sleep(0.1)
        for box in (one, two):
            check(box.get(target).body == b"set")


@scenario
def refresh_on_one_box_is_what_both_have_then():
    with fleet() as (one, two):
        for box in (one, two):
            box.get("/o")
        check(do(two, "refresh", "/o") == b"/o #2\n")
        check(eventually(lambda: one.get("/o").body == b"/o #2\n"))
        check(do(one, "refresh_async", "/o") == b"true")
        for box in (one, two):
            check(eventually(lambda: box.get("/o").body == b"/o #3\n"))


def none_resurrected(store, rounds):
    """Each round: a box refreshes a value, or every third time fetches it, and
    a delete comes in at a moment that moves through the whole run. What was
    fetched before it must not be returned after it."""
    with fleet(store, "lifetime = 0.001, lock = false,") as (one, two):
        delay = 0.02
        for number in range(rounds):
            path = "/p%d" % number
            target = f"{path}?delay=0|{delay}|0"
            if number % 3 == 0:
                target = f"{path}?delay={delay}"
            else:
                check(one.get(target).cache == "miss")
                time.sleep(0.002)
            fetching = Crowd((one, two)[number % 2], target, 1)
            time.sleep(delay * 1.6 * (number % 23) / 23)
            before = one.origin_count(path)
            check(do((one, two)[number // 2 % 2], "delete", target)
                  in (b"true", b"false"))
            fetching.wait()
            # By then the other box has heard of it, and nobody has asked.
            time.sleep(0.03 * SLACK)
            for box in (one, two):
                answer = box.get(target)
                fetched = int(answer.body.split(b"#")[1])
                check(fetched > before, number, answer, before)


@scenario
def no_run_brings_back_what_was_deleted_meanwhile():
    none_resurrected("both", int(os.environ.get("CACHEBACK_PURGES", 150)))


@scenario
def nor_with_redis_alone():
    none_resurrected("Redis", int(os.environ.get("CACHEBACK_PURGES", 150)))


@scenario
def nor_with_a_cluster():
    none_resurrected("Cluster", int(os.environ.get("CACHEBACK_PURGES", 100)))


@scenario
def who_deletes_is_told_when_the_other_box_cannot_be():
    with fleet() as (one, two):
        for box in (one, two):
            box.get("/o")
        one.redis("ACL", "SETUSER", "default", "-xadd")
        said = b"nil cacheback: the other machines could not be told"
        check(do(one, "delete", "/o") == said)
        check(one.get("/o").body == b"/o #2\n")
        check(do(one, "invalidate", "/o") == said)
        check(eventually(lambda: one.get("/o").body == b"/o #3\n"))
        one.redis("ACL", "SETUSER", "default", "+xadd")


@scenario
def without_redis_each_box_is_on_its_own_and_says_so():
    with fleet(expect_log=(r"cacheback: redis",)) as (one, two):
        for box in (one, two):
            check(box.get("/a").code == 200)
        one.kill("redis")
        said = b"nil cacheback: redis did not confirm it, done on this "
        check(eventually(lambda: do(one, "delete", "/a").startswith(said)))
        answers = crowds((one, two), "/o?delay=0.3", 20)
        check(one.origin_count("/o") == 2, one.origin_count("/o"))
        check({a.code for a in answers} == {200})


main(needs_lua=True)
