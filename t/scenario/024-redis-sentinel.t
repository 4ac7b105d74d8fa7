#!/usr/bin/env python3
"""Redis with Sentinels: the master is found through them, a failover is followed
under load, and Sentinels that are down or know less do no harm."""
import os, signal, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Crowd, Traffic, spread
from redis_servers import Certificates, SentinelTrio
from scenario import (Box, SLACK, check, eventually, main, milliseconds, note,
                      scenario)

CONF = """
    cacheback_store pages {
        memory %s;
        redis_sentinel main %%(sentinels)s;
        %%(tls)s
        redis_timeout 500ms;
    }
    server {
        listen 127.0.0.1:%%(port)s;
        add_header X-Cache  $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback       pages 300ms;
            cacheback_purge 1;
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
    }"""
PAGES = [(f"/page{i}", 100 + 797 * i) for i in range(60)]


class Watched(Box):
    def __init__(self, memory="off", password=None, also="", secure=False,
                 **others):
        self.password, self.also, self.secure = password, also, secure
        super().__init__(CONF % memory, workers=2, **others)

    def write_conf(self, http=None):
        if "sentinels" not in self.ports:
            tls = Certificates(self.dir) if self.secure else None
            self.ports["tls"] = (f"redis_tls ca={self.dir}/ca.pem;"
                                 if self.secure else "")
            self.trio = SentinelTrio(self, tls, self.password)
            login = f":{self.password}@" if self.password else ""
            self.ports["sentinels"] = (self.also % self.ports + " "
                                       + self.trio.urls(
                                           "rediss" if tls else "redis",
                                           login))
        super().write_conf(http)


def stored(node):
    """Entries; there are other keys beside them."""
    return sum(key.endswith("}") for key in node("KEYS", "*").split("\n"))


def hits(box, target="/o"):
    client = box.client()
    return eventually(lambda: client.get(target).cache in
                      ("HIT", "STALE", "UPDATING"), 8)


@scenario
def the_master_is_found_through_sentinels():
    with Watched() as box:
        check(hits(box), box.log()[-2000:])
        check(stored(box.trio.nodes[0]) > 0)


@scenario
def the_login_is_the_masters_and_sentinels_may_have_none():
    with Watched(password="s3cret") as box:
        check(hits(box), box.log()[-2000:])


@scenario
def sentinels_that_are_down_are_passed_over():
    with Watched(also="redis://127.0.0.1:%(closed)s") as box:
        check(hits(box), box.log()[-2000:])
        check(box.logged(r"redis sentinel 127.0.0.1:\d+ unreachable \(.*\), "
                         "the others are asked"))
        for sentinel in box.trio.sentinels[:2]:
            sentinel.kill()
        check(hits(box, "/p"))


@scenario
def two_boxes_over_tls_refresh_an_item_once_and_delete_it_for_both():
    with Watched("16m", secure=True) as one:
        with Box(one.http, workers=2, beside=one) as two:
            check(hits(one) and hits(two), one.log()[-1500:])
            time.sleep(0.5)
            for name in ("a", "b", "c"):
                target = f"/{name}?delay=0.3&size=16384"
                first = one.client().get(target)
                check(eventually(lambda: two.client().get(target).cache
                                 != "MISS"))
                time.sleep(0.4 * SLACK)
                eventually(lambda: one.client().get(target).cache == "HIT")
                time.sleep(0.35)                # stale on both boxes now
                before = one.origin_count(f"/{name}")
                crowds = [Crowd(box, target, 25) for box in (one, two)]
                answers = [a for crowd in crowds for a in crowd.wait()]
                check(all(len(a.body) == len(first.body) for a in answers))
                check(eventually(lambda: one.origin_count(f"/{name}")
                                 == before + 1), before)
                time.sleep(0.1)
                check(one.origin_count(f"/{name}") == before + 1)
            seen = []
            for i in range(20):
                target = f"/gone{i}"
                one.client().get(target)
                two.client().get(target)
                before = one.origin_count(target)
                check(one.client().get(target, method="PURGE").code == 204)
                started = time.monotonic()
                client = two.client()
                check(eventually(lambda: client.get(target).cache == "MISS"
                                 or one.origin_count(target) > before, 2,
                                 0.0005))
                seen.append(time.monotonic() - started)
            note("over TLS: a delete is seen on the other box after",
                 milliseconds(seen))
            check(max(seen) < 1.5, seen)


def failed_over(memory, fail, revive=None, secure=False):
    """A failover under load: no client sees an error."""
    with Watched(memory, secure=secure) as box:
        old = box.trio.nodes[0]
        with Traffic(box, PAGES, clients=6, pause=0.002) as traffic:
            time.sleep(1.0)
            fail(box, old)
            started = time.monotonic()
            check(eventually(lambda: box.trio.master() not in (old, None), 20))
            new = box.trio.master()
            elected = time.monotonic()
            check(eventually(lambda: stored(new) > 10
                             and "master" in new("ROLE").split()[0]
                             and box.log_count(
                                 rf"is at 127.0.0.1:{new.port}"), 8),
                  box.log()[-2000:])
            note(f"{memory}: failover {elected - started:.1f} s, followed"
                 f" {time.monotonic() - elected:.1f} s later")
            if revive:
                revive(old)
            time.sleep(2.5)
        traffic.check_all_well(500)
        note(f"{memory}: answers", spread([r.took for r in traffic.results]))
        # What is stored now is stored at the new one.
        client = box.client()
        check(client.get("/after").cache == "MISS")
        check(eventually(lambda: client.get("/after").cache != "MISS"))
        new = box.trio.master()         # a busy machine may fail over again
        check(eventually(lambda: box.log().split("is at 127.0.0.1:")[-1]
                         .startswith(str(new.port)), 5))
        before = stored(new)
        client.get("/after2")
        check(eventually(lambda: stored(new) > before), before)


@scenario
def a_master_that_is_killed_is_followed_by_another():
    failed_over("off", lambda box, old: old.kill(), lambda old: old.start())


@scenario
def the_same_with_a_memory_tier_and_over_tls():
    failed_over("16m", lambda box, old: old.kill(), lambda old: old.start(),
                secure=True)


@scenario
def a_master_that_is_stopped_comes_back_as_nobody():
    failed_over("off", lambda box, old: old.signal(signal.SIGSTOP),
                lambda old: old.signal(signal.SIGCONT))


@scenario
def a_failover_that_was_asked_for_is_followed():
    failed_over("off", lambda box, old:
                box.trio.sentinels[0]("SENTINEL", "FAILOVER", "main"))


@scenario
def a_sentinel_that_knows_less_is_not_believed():
    with Watched() as box:
        check(hits(box))
        old = box.trio.nodes[0]
        # One sees nothing of the failover: its view is the old one.
        blind = box.trio.sentinels[2]
        blind.signal(signal.SIGSTOP)
        box.trio.sentinels[0]("SENTINEL", "FAILOVER", "main")
        check(eventually(lambda: box.trio.sentinels[1](
            "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main").split()[-1]
            != str(old.port), 20))
        port = box.trio.sentinels[1]("SENTINEL", "GET-MASTER-ADDR-BY-NAME",
                                     "main").split()[-1]
        check(box.logged(f"is at 127.0.0.1:{port}", 8), box.log()[-1500:])
        check(hits(box, "/p"))
        blind.signal(signal.SIGCONT)
        time.sleep(2.5 * SLACK)
        check(hits(box, "/q"))
        check(box.log_count(f"is at 127.0.0.1:{old.port}") <= 2)


@scenario
def a_master_that_nobody_knows_is_an_outage():
    with Watched() as box:
        box.write_conf(box.http.replace("redis_sentinel main",
                                        "redis_sentinel other"))
        box.reload()
        check(box.logged(r'redis master "other" of .* unreachable \(a Sentinel '
                         r"says: ERR No such master with that name\), serving "
                         "without it", 8), box.log()[-2000:])
        answer = box.client().get("/o")
        check(answer.code == 200 and answer.cache == "MISS", answer)


main()
