#!/usr/bin/env python3
"""Many items stale at once: refreshes stand in line for the few places that
refresh_limit gives to all workers together, and no client notices.

Small by default; CACHEBACK_STORM=2000 is the size that times are measured at:
2,000 items, 1,000 requests a second, held to their limits."""
import os, random, re, statistics, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Steady, is_page, page_target, percentile, spread
from scenario import Box, SLACK, check, eventually, main, note, scenario

ITEMS = int(os.environ.get("CACHEBACK_STORM", "300"))
FULL = ITEMS >= 2000
RATE = 1000 if FULL else 300
LIMIT = 64 if FULL else 32
DELAY = 0.3

CONF = """
    log_format refreshes "$cacheback_refresh $msec $pid $uri";
    cacheback_store pages { STORE refresh_limit LIMIT; }
    server {
        listen 127.0.0.1:%(port)s reuseport;
        access_log refreshes.log refreshes;
        add_header X-Cache $cacheback_status always;
        add_header X-Worker $pid always;
        cacheback_refresh_log on;
        cacheback pages 200ms;
        location / {
            proxy_pass http://127.0.0.1:%(origin)s;
        }
        location /fill/ {
            cacheback_fetch_on_miss off;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
REDIS = "redis redis://127.0.0.1:%(redis)s;"


def conf(limit, store="memory 64m;"):
    return CONF.replace("STORE", store).replace("LIMIT", str(limit))


# --- the line of two workers ---

class Line(Box):
    """Two workers, and a client at each of them."""

    def __init__(self, limit):
        super().__init__(conf(limit), workers=2)

    def __enter__(self):
        super().__enter__()
        self.at = {}
        for _ in range(64):
            client = self.client()
            pid = client.get("/").fields["x-worker"]
            if pid in self.at:
                client.close()
            self.at[pid] = self.at.get(pid, client)
        check(len(self.at) == 2, "both workers are reached", self.at)
        self.one, self.other = sorted(self.at)
        return self

    def fill(self, names, delay):
        """Stale items; a refresh of each takes `delay`."""
        targets = [f"/{name}?delay=0|{delay}" for name in names]
        for target in targets:
            check(self.at[self.one].get(target).cache == "MISS", target)
        time.sleep(0.25)
        return targets

    def ask(self, worker, targets, status):
        for target in targets:
            answer = self.at[worker].get(target)
            check(answer.cache == status, target, answer)

    def fetches(self):
        """(end, worker, path) of each background fetch, in order."""
        with open(self.dir + "/refreshes.log", encoding="utf-8") as log:
            found = re.findall(r"^1 (\S+) (\S+) (\S+)$", log.read(), re.M)
        return [(float(end), worker, path) for end, worker, path in found]

    def all_fetched(self, count, seconds=10):
        check(eventually(lambda: len(self.fetches()) == count, seconds),
              len(self.fetches()), "of", count)
        return self.fetches(), self.origin_running()[1]


@scenario
def a_single_place_goes_round_between_the_workers():
    with Line(limit=1) as box:
        delay, count = 0.05, 10
        mine = box.fill([f"a{i}" for i in range(count)], delay)
        others = box.fill([f"b{i}" for i in range(count)], delay)
        started = time.time()
        box.ask(box.one, mine, "STALE")
        box.ask(box.other, others, "STALE")
        fetches, most = box.all_fetched(2 * count)
        took = fetches[-1][0] - started
        note(f"{2 * count} refreshes of {delay * 1000:.0f} ms in one place, two "
             f"workers: {took:.3f} s")
        check(most == 1, "at the origin at the same time:", most)
        check(took < 2 * count * (delay + 0.02 * SLACK), took)
        turns = [worker for _, worker, _ in fetches]
        changes = sum(a != b for a, b in zip(turns, turns[1:]))
        check(changes >= 2 * count - 4, "changes", changes, turns)


@scenario
def a_worker_is_woken_when_another_one_ends_its_fetch():
    with Line(limit=1) as box:
        waits = []
        for i in range(3):
            # Whoever only looked every 250 ms would come 200 ms late.
            first = box.fill([f"first{i}"], 0.55)
            then = box.fill([f"then{i}"], 0.05)
            box.ask(box.one, first, "STALE")
            box.ask(box.other, then, "STALE")
            fetches, _ = box.all_fetched(2 * i + 2)
            waits.append(fetches[-1][0] - fetches[-2][0] - 0.05)
        note(f"started {statistics.median(waits) * 1000:.0f} ms after the end "
             "of another worker's fetch")
        check(statistics.median(waits) < 0.05 * SLACK, waits)


@scenario
def refreshes_of_one_worker_go_before_fills_of_another():
    with Line(limit=1) as box:
        stale = box.fill(["a", "b", "c", "d"], 0.2)
        box.ask(box.one, stale[:1], "STALE")
        box.ask(box.one, ["/fill/a?delay=0.2", "/fill/b?delay=0.2"], "EMPTY")
        box.ask(box.other, stale[1:], "STALE")
        fetches, most = box.all_fetched(6)
        check([path for _, _, path in fetches]
              == ["/a", "/b", "/c", "/d", "/fill/a", "/fill/b"], fetches)
        check(most == 1, most)


@scenario
def more_workers_than_places_refresh_everything_and_none_too_many():
    with Box(conf(3), workers=4) as box:
        targets = [f"/o{i}?delay=0|0.03" for i in range(90)]
        for target in targets:
            box.get(target)
        time.sleep(0.25)
        started = time.monotonic()
        for target in targets:
            check(box.get(target).cache == "STALE")
        for i in range(90):
            check(box.origin_answered(f"/o{i}", 2, 10) == 2)
        took = time.monotonic() - started
        note(f"90 refreshes of 30 ms in three places, four workers: {took:.2f} s")
        check(took < 2 * SLACK, took)
        check(box.origin_running()[1] <= 3)


# --- the storm ---

def in_rounds(items, delay, seed=1):
    """Each of them once in each round, in another order."""
    order = list(items)
    chance = random.Random(seed)
    while True:
        chance.shuffle(order)
        for path, size in order:
            yield page_target(path, size, max_age="1|600",
                              delay=f"0|{delay}"), "", (path, size)


def judge(known, answer):
    path, size = known
    code, _, body = answer
    if code != 200:
        return f"status {code}"
    if not is_page(body, path, size):
        return f"not its body: {body[:60]!r}"
    return None


def storm(store):
    items = [(f"/item{i}", 500 + 61 * (i % 97)) for i in range(ITEMS)]
    with Box(conf(LIMIT, store), workers=2, connections=1024) as box:
        if FULL:
            # It stands for another machine.
            os.setpriority(os.PRIO_PROCESS, box.children["origin.py"].pid, 10)
        steady = Steady(box, in_rounds(items, DELAY), judge, rate=300)
        steady.run(count=ITEMS)
        steady.rate = RATE
        time.sleep(1.2)

        def calm():
            counts = box.origin_counts()
            return all(counts.get(path, 0) >= 2 for path, _ in items)

        started = time.monotonic()
        steady.run(until=calm, seconds=60)
        took = time.monotonic() - started
        stormy = steady.took
        check(eventually(lambda: box.origin_running()[0] == 0))
        most = box.origin_running()[1]
        counts = box.origin_counts()
        check(set(counts.values()) == {2}, "fetched",
              {n: list(counts.values()).count(n) for n in counts.values()})

        steady.run(seconds=took if FULL else 2)
        fresh = steady.took
        steady.close()
        check(box.origin_counts() == counts, "the fresh run asked the origin")
        note(f"{ITEMS} items stale at once, {RATE} requests/s, origin "
             f"{DELAY * 1000:.0f} ms, {LIMIT} places: all refreshed in "
             f"{took:.1f} s, {most} at the origin at most")
        note("storm:", spread(stormy), f"({steady.late} asked late)")
        note("fresh:", spread(fresh))
        check(most <= LIMIT, "at the origin at the same time:", most)
        # Places stand empty hardly ever.
        check(took < (ITEMS / LIMIT * DELAY + ITEMS / RATE) * 1.5 * SLACK + 1,
              took)
        if FULL:
            bound = 2 * percentile(fresh, 0.99) + 0.001
            check(percentile(stormy, 0.99) <= bound, spread(stormy), bound)


@scenario
def a_storm_of_stale_items_in_memory_is_refreshed_within_the_limit():
    storm("memory 64m;")


@scenario
def a_storm_of_stale_items_in_redis_is_refreshed_within_the_limit():
    storm("memory off; " + REDIS)


main()
