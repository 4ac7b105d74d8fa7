#!/usr/bin/env python3
"""Groups of items that an origin invalidates as one (RFC 9875): over boxes, by
boxes that were not there, with a feed or a Redis that is not, and many."""
import contextlib, hashlib, os, re, signal, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from fleet import gone_within, held, readers
from load import Crowd
from redis_servers import Cluster
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

DIRECT = "redis redis://127.0.0.1:%(redis)s/0;"
PROXY = "redis redis://127.0.0.1:%(proxy)s/0;"
WORST = 1.0 * SLACK
FEED = "cacheback:pages:feed"
MARKS = "cacheback:pages:{cacheback:pages:feed}:purges"


def conf(redis, memory="16m", policy="rfc9111"):
    return """
        large_client_header_buffers 4 64k;
        keepalive_requests 1000000;
        cacheback_store pages { memory %s; %s }
        server {
            listen 127.0.0.1:%%(port)s;
            add_header X-Cache  $cacheback_status always;
            add_header X-Tier   $cacheback_tier always;
            add_header X-Reason $cacheback_reason always;
            location / {
                cacheback        pages;
                cacheback_policy %s;
                proxy_buffer_size 64k;
                proxy_buffers    4 64k;
                proxy_busy_buffers_size 64k;
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
        }""" % (memory, redis, policy)


# Groups are an origin's, ports included.
HOST = "example.org"
KILLED = [r"worker process \d+ exited on signal 9",
          r"shared memory zone \"[^\"]+\" was locked by \d+"]


class Site(Box):
    def client(self, **options):
        client = super().client(**options)
        client.host = HOST
        return client


def page(path, *groups, more=""):
    return path + "?max_age=600&h=Cache-Groups:" + ",".join(
        f"%22{group}%22" for group in groups) + more


def end(box, *groups):
    """An unsafe request whose answer invalidates the groups."""
    answer = box.get("/change?h=Cache-Group-Invalidation:" + ",".join(
        f"%22{group}%22" for group in groups), method="POST")
    check(answer.code == 200, answer)


@contextlib.contextmanager
def fleet(redis=DIRECT, **options):
    with Site(conf(DIRECT, **options), workers=2) as one:
        with Site(conf(redis, **options), workers=2, beside=one) as two:
            check(eventually(lambda: readers(one) == 2), readers(one))
            yield one, two


def scripts(box):
    found = re.search(rb"cmdstat_eval:calls=(\d+)",
                      box.redis("INFO", "commandstats"))
    return int(found[1]) if found else 0


@scenario
def what_one_box_invalidates_is_gone_on_the_other():
    with fleet() as (one, two):
        took = []
        for number in range(30):
            target = page(f"/o{number}", "a", f"g{number}")
            one.get(target)
            old = held(two, target)
            end(one, f"g{number}")
            took.append(gone_within(WORST, two, target, old))
        note("gone on the other box after", milliseconds(took))
        check(sorted(took)[15] < 0.02 * SLACK)
        # All at once, and what is in other groups stays.
        others = page("/other", "b")
        kept = one.get(others).body
        held(two, others)
        olds = {n: held(two, page(f"/o{n}", "a", f"g{n}")) for n in range(30)}
        end(two, "a")
        for box in (one, two):
            for number, old in olds.items():
                target = page(f"/o{number}", "a", f"g{number}")
                check(eventually(lambda b=box, t=target, o=old:
                                 b.get(t).body != o), target)
            check(box.get(others).body == kept)


@scenario
def the_fleet_asks_once_for_each_item_of_a_group():
    with fleet(policy="cacheback") as (one, two):
        targets = [page(f"/o{n}", "a", more="&delay=0|0.2") for n in range(10)]
        for target in targets:
            one.get(target)
            held(two, target)
        end(one, "a")
        time.sleep(0.1)
        check(one.origin_counts().get("/o0") == 1)
        crowds = [Crowd(box, target, 6)
                  for box in (one, two) for target in targets]
        answers = [answer for crowd in crowds for answer in crowd.wait()]
        seen = {answer.cache for answer in answers}
        check(seen <= {"STALE", "UPDATING", "HIT"}, seen)
        note("while they are fetched:",
             milliseconds([answer.took for answer in answers]))
        for n in range(10):
            check(one.origin_answered(f"/o{n}", 2), n)
        time.sleep(0.3)
        counts = {one.origin_count(f"/o{n}") for n in range(10)}
        check(counts == {2}, counts)
        check(all(eventually(lambda b=box, t=target: b.get(t).body.endswith(
            b"#2\n")) for box in (one, two) for target in targets))


@scenario
def a_box_that_comes_later_knows_what_was_invalidated():
    with Site(conf(DIRECT), workers=2) as one:
        gone, there = page("/gone", "a"), page("/there", "b")
        old, kept = one.get(gone).body, one.get(there).body
        check(eventually(lambda: readers(one) == 1))
        end(one, "a")
        check(eventually(lambda: one.redis(
            "ZCARD", MARKS) == 2), one.redis("ZCARD", MARKS))
        with Site(conf(DIRECT), beside=one) as two:
            check(two.get(gone).body != old)
            check(two.get(there).body == kept)
        # One that knows nothing yet, since it does not come to the feed.
        with Site(conf(PROXY), beside=one) as three:
            three.network("hole", "cacheback-feed")
            check(three.get(there).body == kept)
            end(one, "b")
            time.sleep(1.0 * SLACK)
            gone_within(WORST, three, there, kept)


@scenario
def where_the_marks_are_lost_the_origin_is_asked():
    with Site(conf(DIRECT), workers=2) as one:
        check(eventually(lambda: one.redis("ZCARD", MARKS) == 1))
        target, plain = page("/o", "a"), "/plain?max_age=600"
        old, kept = one.get(target).body, one.get(plain).body
        held(one, target)
        check(one.redis("DEL", MARKS) == 1)
        with Site(conf(DIRECT), beside=one) as two:
            check(eventually(lambda: readers(one) == 2))
            new = two.get(target)
            check(new.cache == "MISS" and new.body != old, new)
            check(two.get(plain).body == kept)
            check(eventually(lambda: one.get(target).body == new.body))
            check(held(two, target) == new.body)


@scenario
def a_flushed_redis_brings_nothing_back():
    with fleet() as (one, two):
        target = page("/o", "a")
        one.get(target)
        old = held(two, target)
        end(one, "a")
        one.redis("FLUSHALL")
        for box in (one, two):
            gone_within(WORST, box, target, old)
        new = held(one, target)
        time.sleep(0.1)
        end(two, "a")
        for box in (one, two):
            gone_within(WORST, box, target, new)


@scenario
def without_a_feed_it_takes_no_longer_than_a_second():
    with fleet(PROXY) as (one, two):
        gone, there = page("/gone", "a"), page("/there", "b")
        one.get(gone), one.get(there)
        old, kept = held(two, gone), held(two, there)
        client = two.client()
        two.network("hole", "cacheback-feed")
        time.sleep(0.02)
        end(one, "a")
        took = gone_within(WORST, client, gone, old)
        note(f"gone after {took * 1000:.0f} ms without a feed")
        time.sleep(1.0)
        for _ in range(100):
            check(client.get(there).body == kept)
            time.sleep(0.005)
        end(one, "b")
        gone_within(WORST, client, there, kept)


@scenario
def without_redis_memory_goes_on_and_what_it_was_told_holds():
    with fleet() as (one, two):
        gone, there = page("/gone", "a"), page("/there", "b")
        one.get(gone), one.get(there)
        old, kept = held(two, gone), held(two, there)
        one.signal("redis", signal.SIGSTOP)
        check(eventually(lambda: two.get("/x?max_age=600") and two.log_count(
            "does not answer within"), 5), two.log()[-1500:])
        end(two, "a")
        new = two.get(gone)
        check(new.body != old, new, new.fields)
        check(two.get(gone).body == new.body, "not kept")
        check(two.get(there).body == kept)
        end(two, "a")
        check(two.get(gone).body != new.body)
        one.signal("redis", signal.SIGCONT)


@scenario
def it_outlives_a_reload_and_a_worker_that_is_killed():
    with Site(conf(""), workers=2, expect_log=KILLED) as box:
        gone, there = page("/gone", "a"), page("/there", "b")
        old, kept = box.get(gone).body, box.get(there).body
        end(box, "a")
        box.reload()
        os.kill(box.live_workers()[0], signal.SIGKILL)
        check(eventually(lambda: len(box.live_workers()) == 2))
        check(box.get(gone).body != old)
        check(box.get(there).body == kept)


@scenario
def more_groups_than_a_box_knows_cost_one_question_for_an_item():
    with fleet() as (one, two):
        target, gone = page("/o", "a"), page("/gone", "b")
        one.get(target), one.get(gone)
        kept, old = held(two, target), held(two, gone)
        end(one, "b")
        client = one.client()
        for batch in range(340):
            answer = client.get(
                "/change?h=Cache-Group-Invalidation:" + ",".join(
                    f"%22{batch}.{n}%22" for n in range(60)), method="POST")
            check(answer.code == 200)
        check(eventually(lambda: one.redis("ZCARD", MARKS) > 20000))
        time.sleep(0.3)
        before = scripts(one)
        check(two.get(target).body == kept)
        asked = scripts(one) - before
        for _ in range(50):
            check(two.get(target).body == kept)
        check(asked == 1 == scripts(one) - before, asked,
              scripts(one) - before)
        check(two.get(gone).body != old)
        with Site(conf(DIRECT), beside=one) as three:
            check(three.get(target).body == kept)
            check(three.get(gone).body != old)


@scenario
def who_may_not_read_the_marks_reads_the_feed():
    with Site(conf(DIRECT)) as one:
        target = "/o?max_age=600"
        check(eventually(lambda: readers(one) == 1))
        one.redis("ACL", "SETUSER", "two", "on", ">two", "~*", "+@all",
                  "-eval")
        login = "redis redis://two:two@127.0.0.1:%(redis)s/0;"
        with Site(conf(login), beside=one) as two:
            check(two.logged("does not let this box read"))
            check(eventually(lambda: readers(one) == 2), readers(one))
            one.get(target)
            old = held(two, target)
            one.get(target, method="POST")
            gone_within(WORST, two, target, old)


def now_of(redis):
    seconds, rest = redis.redis("TIME")
    return int(seconds) * 1000 + int(rest) // 1000


@scenario
def numbers_that_are_ahead_of_the_clock_leave_nothing_fresh():
    """As a server's clock does that is, or that of the master before it."""
    with fleet(policy="cacheback") as (one, two):
        target = page("/o", "a", more="&delay=0|0.3")
        one.get(target)
        held(two, target)
        one.redis("ZADD", MARKS, now_of(one) + 3600000, "s0000000000000001")
        end(one, "a")
        time.sleep(0.1)
        for box in (one, two):
            check(box.get(target).cache in ("STALE", "UPDATING"))
        check(one.origin_answered("/o", 2))
        check(eventually(lambda: two.get(target).body == b"/o #2\n"))
        # By what Redis says it is no fresher.
        with Site(conf(PROXY, policy="cacheback"), beside=one) as three:
            three.network("hole", "cacheback-feed")
            time.sleep(1.0 * SLACK)
            other = page("/p", "b", more="&delay=0|0.3")
            one.get(other)
            end(one, "b")
            answer = three.get(other)
            check(answer.cache in ("STALE", "UPDATING"), answer.fields)


@scenario
def what_only_one_box_knows_of_is_stale_since_it_was_found():
    """Not since the last purge of the store, which was long before."""
    with Site(conf(DIRECT, policy="cacheback"), workers=2) as box:
        check(eventually(lambda: readers(box) == 1))
        target = ("/o?cc=max-age=600,stale-while-revalidate=2"
                  "&delay=0|0.3&h=Cache-Groups:%22a%22")
        box.get(target)
        time.sleep(2.5)
        box.signal("redis", signal.SIGSTOP)
        check(eventually(lambda: box.get("/x?max_age=600") and box.log_count(
            "does not answer within"), 5), box.log()[-1500:])
        end(box, "a")
        answer = box.get(target)
        check(answer.cache in ("STALE", "UPDATING"), answer.fields)
        box.signal("redis", signal.SIGCONT)


@scenario
def nobody_is_served_what_somebody_else_asks_about():
    with fleet(PROXY) as (one, two):
        target = page("/o", "a", more="&delay=0|0.5")
        one.get(target)
        old = held(two, target)
        two.network("hole", "cacheback-feed")
        time.sleep(0.02)
        end(one, "a")
        time.sleep(1.5 * SLACK)
        clients = [Crowd(two, target, 1) for _ in range(60)]
        answers = [answer for crowd in clients for answer in crowd.wait()]
        check(all(answer.body != old for answer in answers),
              sum(answer.body == old for answer in answers))


@scenario
def a_fetch_that_began_before_is_no_news_without_a_feed():
    with fleet(PROXY) as (one, two):
        target = page("/o", "a", more="&delay=2.5|0")
        two.network("hole", "cacheback-feed")
        slow = Crowd(two, target, 1)
        time.sleep(0.5)
        end(one, "a")
        old = slow.wait()[0].body
        check(two.get(target).body != old)


@scenario
def a_box_without_a_feed_learns_from_what_it_asks():
    with Site(conf(PROXY), workers=2) as box:
        check(eventually(lambda: readers(box) == 1))
        target = page("/o", "a")
        box.get(target)
        box.network("hole", "cacheback-feed")
        time.sleep(0.02)
        end(box, "a")
        ends = time.monotonic() + 5 * SLACK
        while time.monotonic() < ends:
            box.get(target)
            time.sleep(0.05)
        check(box.origin_count("/o") <= 3, box.origin_count("/o"))


@scenario
def marks_that_were_lost_are_lost_once():
    with Site(conf(DIRECT), workers=2) as one:
        check(eventually(lambda: readers(one) == 1))
        time.sleep(0.1)
        check(one.redis("DEL", MARKS) == 1)
        with Site(conf(DIRECT), beside=one) as two:
            check(eventually(lambda: readers(one) == 2))
            time.sleep(0.1)
            target = page("/o", "a")
            new = one.get(target)
            answer = two.get(target)
            check(answer.cache == "HIT" and answer.body == new.body, answer)
        with Site(conf(PROXY), beside=one) as three:
            three.network("hole", "cacheback-feed")
            time.sleep(1.0 * SLACK)
            check(one.redis("DEL", MARKS) == 1)
            other = page("/p", "b")
            ends = time.monotonic() + 4 * SLACK
            while time.monotonic() < ends:
                three.get(other)
                time.sleep(0.05)
            count = one.origin_count("/p")
            check(count <= 3, count)


@scenario
def a_count_that_was_lost_and_begins_lower_hides_nothing():
    """A failover to a server whose clock is behind."""
    with fleet() as (one, two):
        one.redis("ZADD", MARKS, now_of(one) + 3600000, "s0000000000000001")
        end(one, "b")
        time.sleep(0.1)
        target = page("/o", "a")
        one.get(target)
        old = held(two, target)
        tag = hashlib.md5(f"http://{HOST}#a".encode()).hexdigest()[:16]
        one.redis("XADD", FEED, "*", "change", "tags-gone", "box", "1",
                  "key", tag, "number", now_of(one))
        gone_within(WORST, two, target, old)
        new = held(two, target)
        time.sleep(0.2)
        check(two.get(target).body == new)


@scenario
def the_rights_that_operations_name_suffice():
    with open(os.path.join(os.path.dirname(__file__),
                           "../../docs/OPERATIONS.md"),
              encoding="utf-8") as text:
        rights = re.search(r"ACL SETUSER cacheback on >secret (.*?)```",
                           text.read(), re.DOTALL)[1].split()
    login = "redis redis://cacheback:secret@127.0.0.1:%(redis)s/0;"
    with Site(conf(PROXY)) as box:
        box.redis("ACL", "SETUSER", "cacheback", "on", ">secret", *rights)
        with Site(conf(login), workers=2, beside=box) as one:
            with Site(conf(login.replace("redis)s", "proxy)s")),
                      beside=one) as two:
                check(eventually(lambda: readers(box) == 3), readers(box))
                target = page("/o", "a")
                one.get(target)
                old = held(two, target)
                end(one, "a")
                gone_within(WORST, two, target, old)
                # And what it asks where it does not hear.
                two.network("hole", "cacheback-feed")
                time.sleep(1.0 * SLACK)
                check(one.redis("DEL", MARKS) == 1)
                other = page("/p", "b")
                one.get(other)
                check(two.get(other).cache in ("HIT", "MISS"))
                check(two.get(other).cache == "HIT")
                check(one.redis("EXISTS", MARKS) == 1)
            refused = box.redis("ACL", "LOG")
            check(refused == [], refused)
            for each in (one, two):
                check(not each.log_count("does not let"), each.log()[-1500:])


class Clustered(Site):
    def write_conf(self, http=None):
        if "cluster" not in self.ports:
            self.cluster = Cluster(self)
            self.ports["cluster"] = self.cluster.urls()
        super().write_conf(http)


@scenario
def so_it_is_on_a_cluster():
    redis = "redis_cluster %(cluster)s; redis_timeout 500ms;"
    with Clustered(conf(redis), workers=2) as one:
        with Site(conf(redis), workers=2, beside=one) as two:
            check(eventually(lambda: sum(
                node("CLIENT", "LIST").count("cmd=xread")
                for node in one.cluster.masters()) == 2, 8))
            took = []
            for number in range(20):
                target = page(f"/o{number}", "a", f"g{number}")
                one.get(target)
                old = held(two, target)
                end(one, f"g{number}")
                took.append(gone_within(WORST, two, target, old))
            note("gone on the other box after", milliseconds(took))
            check(sorted(took)[10] < 0.02 * SLACK)


main()
