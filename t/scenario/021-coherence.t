#!/usr/bin/env python3
"""Copies in the memory of a box are served without asking Redis for as long as
the box knows what the others do: what one of them deletes is gone on all within
a second, whatever happens to the feed, and Redis is not asked about the rest."""
import contextlib, os, re, signal, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from fleet import gone_within, held
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

DIRECT = "127.0.0.1:%(redis)s"
PROXY = "127.0.0.1:%(proxy)s"
WORST = 1.0 * SLACK
KEYS = int(os.environ.get("CACHEBACK_KEYS", "5000"))
FEED = "cacheback:pages:feed"
MISSED = "cacheback: changes of other boxes were missed"


def conf(redis, memory="16m"):
    return """
        cacheback_store pages { memory %s; redis redis://%s/0; }
        server {
            listen 127.0.0.1:%%(port)s;
            keepalive_requests 1000000;
            add_header X-Cache $cacheback_status always;
            add_header X-Tier  $cacheback_tier always;
            add_header X-Pid   $pid always;
            location / {
                cacheback       pages 10m;
                cacheback_key   $uri?$args;
                cacheback_purge 1;
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
        }""" % (memory, redis)


def links(box, name):
    """Addresses of links to Redis of that name."""
    return [int(line.split(b" addr=127.0.0.1:")[1].split(b" ")[0])
            for line in box.redis("CLIENT", "LIST").splitlines()
            if b" name=" + name.encode() + b" " in line]


@contextlib.contextmanager
def fleet(workers=1, redis=PROXY, memory="16m"):
    """Two boxes that have found each other; what happens to the network happens
    to the second one's."""
    with Box(conf(DIRECT, memory)) as one:
        with Box(conf(redis, memory), workers=workers, beside=one) as two:
            check(eventually(lambda: len(links(one, "cacheback-feed")) == 2))
            yield one, two


def gets(box):
    found = re.search(rb"cmdstat_get:calls=(\d+)",
                      box.redis("INFO", "commandstats"))
    return int(found[1]) if found else 0


def calls(box):
    """All commands, less those with which we look."""
    return sum(int(m[2]) for m in re.finditer(
        rb"cmdstat_([a-z|]+):calls=(\d+)", box.redis("INFO", "commandstats"))
        if m[1] not in (b"info", b"client|list", b"keys"))


@scenario
def what_one_box_deletes_is_gone_on_the_other_at_once():
    with fleet() as (one, two):
        took = []
        for number in range(30):
            target = f"/o{number}"
            one.get(target)
            old = held(two, target)
            one.get(target, method="PURGE")
            took.append(gone_within(WORST, two, target, old))
        note("gone after", milliseconds(took))
        check(sorted(took)[15] < 0.02 * SLACK)


@scenario
def who_reads_the_feed_asks_redis_nothing_for_what_memory_holds():
    pages = [f"/k{i}" for i in range(KEYS)]
    origin = """
        server {
            listen 127.0.0.1:%(closed)s;
            keepalive_requests 1000000;
            location / { return 200 "$uri, and some more text to be kept\n"; }
        }"""
    with Box(conf(DIRECT, f"{max(16, KEYS // 500)}m").replace(
            "%(origin)s", "%(closed)s") + origin, workers=2) as box:
        def ask_for_all():
            """In batches, one behind the other on one connection."""
            found = {}
            client = box.client()
            for at in range(0, KEYS, 200):
                batch = pages[at:at + 200]
                client.socket.sendall("".join(
                    f"GET {page} HTTP/1.1\r\nHost: x\r\n\r\n"
                    for page in batch).encode())
                for page in batch:
                    answer = client.receive()
                    check(answer.body.startswith(page.encode() + b","))
                    tier = answer.fields.get("x-tier", "")
                    found[tier] = found.get(tier, 0) + 1
            client.close()
            return found
        ask_for_all()
        check(eventually(lambda: len(links(box, "cacheback-feed")) == 1))
        time.sleep(1.0 * SLACK)
        before, looks, started = calls(box), gets(box), time.monotonic()
        found = {}
        while time.monotonic() - started < 3:
            for tier, count in ask_for_all().items():
                found[tier] = found.get(tier, 0) + count
        took = time.monotonic() - started
        hits = found.get("memory", 0)
        more = calls(box) - before
        note(f"{KEYS} keys, {hits} memory hits in {took:.1f} s: {more} Redis "
             f"operations, {more / hits:.5f} for each hit,",
             gets(box) - looks, "of them GET;", found)
        check(hits >= 0.999 * sum(found.values()), found)
        check(more <= 0.01 * hits, more, "for", hits)


def asks_nothing(box, client, target):
    """For longer than what is confirmed is believed."""
    before = gets(box)
    for _ in range(110):
        if client.get(target).fields.get("x-tier") != "memory":
            return False
        time.sleep(0.01 * SLACK)
    return gets(box) == before


@scenario
def a_feed_in_a_black_hole_is_noticed_within_a_second():
    with fleet() as (one, two):
        for target in ("/gone", "/stays"):
            one.get(target)
            held(two, target)
        old = held(two, "/gone")
        client = two.client()
        two.network("hole", "cacheback-feed")
        time.sleep(0.02)
        one.get("/gone", method="PURGE")
        took = gone_within(WORST, client, "/gone", old)
        note(f"gone after {took * 1000:.0f} ms without a feed")
        # What is still right is confirmed now and then, and served from memory
        # meanwhile.
        before = gets(one)
        for _ in range(200):
            check(client.get("/stays").cache == "HIT")
            time.sleep(0.005)
        note("GETs for 200 hits of one item in 1 s without a feed:",
             gets(one) - before)
        check(1 <= gets(one) - before <= 6, gets(one) - before)
        check(two.logged("has not told of changes for 3s", 5))
        # Another delete meanwhile, of what was confirmed.
        old = client.get("/stays").body
        one.get("/stays", method="PURGE")
        gone_within(WORST, client, "/stays", old)
        # The feed again: what came meanwhile is read, nobody asks any more.
        two.network("pass")
        started = time.monotonic()
        check(eventually(lambda: asks_nothing(one, client, "/stays"), 8))
        note(f"current again after {time.monotonic() - started:.1f} s")
        check(two.log_count("tells of changes again after [0-9]+s") == 1)
        check(two.log_count("cacheback: redis") == 2)
        check(not two.log_count(MISSED), two.log())


@scenario
def memory_serves_on_when_neither_the_feed_nor_redis_answers():
    with fleet() as (one, two):
        one.get("/o")
        held(two, "/o")
        client = two.client()
        two.network("hole", "cacheback-feed")
        time.sleep(1.2)
        one.signal("redis", signal.SIGSTOP)
        times = []
        for _ in range(300):
            answer = client.get("/o")
            check(answer.cache == "HIT", answer)
            times.append(answer.took)
            time.sleep(0.005)
        note("hits while Redis is stopped:", milliseconds(times))
        # Two time-outs of 250 ms open the breaker.
        check(sum(t > 0.1 * SLACK for t in times) <= 2, sorted(times)[-4:])
        check(max(times) < 0.4 * SLACK)
        one.signal("redis", signal.SIGCONT)


def reader(box):
    """The worker that reads the feed."""
    ports = {f"{port:04X}" for port in links(box, "cacheback-feed")}
    with open("/proc/net/tcp", encoding="ascii") as table:
        sockets = {f"socket:[{line.split()[9]}]" for line in table
                   if line.split()[1].partition(":")[2] in ports}
    for pid in box.live_workers():
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{name}") in sockets:
                    return pid
    return None


def a_client_of_another_worker(box, pid):
    for _ in range(200):
        client = box.client()
        if int(client.get("/who?").fields["x-pid"]) != pid:
            return client
        client.close()
    check(False, "all clients got to the same worker")


@scenario
def a_reader_that_is_held_up_is_noticed_by_the_other_workers():
    with fleet(workers=2, redis=DIRECT) as (one, two):
        pid = eventually(lambda: reader(two))
        client = a_client_of_another_worker(two, pid)
        one.get("/o")
        check(eventually(
            lambda: client.get("/o").fields["x-tier"] == "memory"))
        old = client.get("/o").body
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.02)
        one.get("/o", method="PURGE")
        took = gone_within(WORST, client, "/o", old)
        note(f"gone after {took * 1000:.0f} ms with the reader stopped")
        # Another worker takes over.
        check(eventually(lambda: reader(two) not in (None, pid) or
                         len(links(one, "cacheback-feed")) == 3, 5))
        time.sleep(0.5)
        old = client.get("/o").body
        one.get("/o", method="PURGE")
        took = gone_within(WORST, client, "/o", old)
        note(f"gone after {took * 1000:.0f} ms with another reader")
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.3)
        # Who comes back does not undo what was read meanwhile.
        for number in range(5):
            old = client.get("/o").body
            one.get("/o", method="PURGE")
            gone_within(WORST, client, "/o", old)


@scenario
def a_reader_that_is_killed_is_replaced():
    with Box(conf(DIRECT)) as one:
        with Box(conf(DIRECT), workers=2, beside=one,
                 expect_log=(r"exited on signal 9",)) as two:
            pid = eventually(lambda: reader(two))
            client = a_client_of_another_worker(two, pid)
            one.get("/o")
            check(eventually(
                lambda: client.get("/o").fields["x-tier"] == "memory"))
            old = client.get("/o").body
            os.kill(pid, signal.SIGKILL)
            one.get("/o", method="PURGE")
            took = gone_within(WORST, client, "/o", old)
            note(f"gone after {took * 1000:.0f} ms with the reader killed")


@scenario
def a_flushed_redis_empties_the_memory_of_all_boxes():
    with fleet() as (one, two):
        for number in range(3):
            old = {}
            for target in ("/a", "/b"):
                one.get(target)
                old[target] = held(two, target)
            clients = [box.client() for box in (one, two)]
            one.redis("FLUSHALL")
            one.get(f"/other{number}")  # the stream is there again at once
            took = []
            for client in clients:
                for target in ("/a", "/b"):
                    took.append(gone_within(WORST, client, target,
                                            old[target]))
            note("gone after", milliseconds(took))
            for client in clients:
                client.close()
            check(eventually(lambda: two.log_count(MISSED) == number + 1))


@scenario
def so_does_one_whose_feed_had_been_evicted():
    """Nothing was said since, so nothing of it can be found missing."""
    with fleet() as (one, two):
        one.get("/o")
        old = held(two, "/o")
        one.redis("DEL", FEED)
        check(eventually(lambda: two.log_count(MISSED) == 1))
        check(eventually(lambda: asks_nothing(one, two, "/o"), 5))
        client = two.client()
        one.redis("FLUSHALL")
        took = gone_within(WORST, client, "/o", old)
        note(f"gone after {took * 1000:.0f} ms")


@scenario
def a_feed_that_nobody_may_write_proves_nothing():
    with fleet() as (one, two):
        one.get("/first")
        held(two, "/first")
        one.redis("ACL", "SETUSER", "default", "-xadd")
        one.redis("DEL", FEED)
        check(eventually(lambda: two.log_count(MISSED) == 1))
        one.get("/o")
        client = two.client()
        old = client.get("/o").body
        for _ in range(3):
            one.redis("FLUSHALL")
            gone_within(WORST, client, "/o", old)
            old = client.get("/o").body
            time.sleep(0.5)
        check(two.log_count("does not let this box work with others") == 1)
        check(not two.log_count("unreachable|refuses writes"))


@scenario
def a_redis_that_comes_back_empty_is_the_truth_again():
    with fleet(redis=DIRECT) as (one, two):
        one.get("/o")
        old = held(two, "/o")
        one.kill("redis")
        check(eventually(lambda: two.log_count("unreachable")))
        check(two.get("/o").body == old, "not served without Redis")
        one.start_redis()
        check(eventually(lambda: two.get("/o").body != old, 8))
        check(eventually(lambda: two.log_count(MISSED)))


@scenario
def a_redis_that_has_lost_what_came_last_does_not_take_it_back():
    """As after a failover to a replica that lagged behind: messages and entries
    are older than what was read before."""
    with fleet(redis=DIRECT) as (one, two):
        one.get("/o")
        held(two, "/o")
        one.redis("SAVE")
        one.get("/o", method="PURGE")
        check(one.get("/o").body == b"/o #2\n")
        check(held(two, "/o") == b"/o #2\n")
        for number in range(20):
            one.get(f"/more{number}")
        one.kill("redis")
        one.start_redis()
        check(len(one.entries()) == 1)
        check(eventually(lambda: two.log_count(MISSED), 8))
        check(eventually(lambda: len(links(one, "cacheback-feed")) == 2, 8))
        time.sleep(0.3)
        for _ in range(20):
            check(two.get("/o").body == b"/o #2\n", two.get("/o"))
            time.sleep(0.02)
        # And what is said from now on is heard.
        took = []
        for number in range(10):
            target = f"/new{number}"
            one.get(target)
            old = held(two, target)
            one.get(target, method="PURGE")
            took.append(gone_within(WORST, two, target, old))
        note("gone after", milliseconds(took))
        check(sorted(took)[5] < 0.05 * SLACK, took)


@scenario
def a_user_who_may_not_read_the_feed_asks_redis_about_what_is_old():
    with fleet() as (one, two):
        one.redis("ACL", "SETUSER", "default", "-xread")
        one.get("/o")
        check(eventually(lambda: two.log_count("does not let this box read")))
        old = two.get("/o").body
        for _ in range(3):
            one.get("/o", method="PURGE")
            took = gone_within(WORST, two, "/o", old)
            note(f"gone after {took * 1000:.0f} ms without the right to read")
            old = two.get("/o").body
            time.sleep(1.0)


main()
