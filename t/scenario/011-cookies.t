#!/usr/bin/env python3
"""An hour of traffic with cookies, scaled: what lives for ten minutes there
lives for a second here. Each client has a mark of its own in a cookie, and the
origin puts it in pages. Nobody may see another one's mark, and every item that
may be shared must be refreshed all the time."""
import os, random, re, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Steady
from scenario import Box, SLACK, check, main, note, scenario

CLIENTS = 200
FEW = 3
RATE = 400
SECONDS = float(os.environ.get("CACHEBACK_COOKIES", "7"))
LIFETIME = 1.0

CONF = """
    cacheback_store pages { STORE }
    cacheback_uncacheable_ttl 1s;
    server {
        listen 127.0.0.1:%(port)s reuseport;
        add_header X-Cache $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        cacheback pages 1s;
        location / {
            proxy_pass http://127.0.0.1:%(origin)s;
        }
        location /keyed/ {
            cacheback_key "$uri $cookie_mark";
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
BOTH = "memory 16m; redis redis://127.0.0.1:%(redis)s;"

# What there is: how many pages, their query, and whether they are shared.
PAGES = {
    # The page is for all, says the app; the first time, and now and then, it
    # greets and sets a cookie.
    "/named": (6, "max_age=1", True),
    "/greeting": (6, "max_age=1&sets=1|4", True),
    # It says nothing, and puts the mark in the page of who sends one; a fetch
    # without cookies may get a 304.
    "/unnamed": (6, "mark=1", True),
    "/validated": (6, "mark=1&modified=1000000000", True),
    # The page does not depend on the cookie.
    "/analytics": (6, "", True),
    "/private": (4, "mark=1&cc=private", False),
    "/nostore": (4, "mark=1&cc=no-store", False),
    # For one client each, and said so.
    "/vary": (4, "mark=1&max_age=1&h=Vary:Cookie", False),
    "/keyed/o": (4, "mark=1", False),
}
ALL = [(name, f"{name}{i}", query)
       for name, (count, query, _) in PAGES.items() for i in range(count)]
CACHED = ("HIT", "STALE", "UPDATING")


class Visits:
    """What the clients ask for, and what they saw."""

    def __init__(self):
        self.chance = random.Random(7)
        self.cached = {}                # name: answers from the store
        self.seen = {}                  # path: [(when, version)]
        self.oldest = {}                # path: the greatest Age

    def __iter__(self):
        pages = []                      # each of them once, then again
        while True:
            if not pages:
                pages = self.chance.sample(ALL, len(ALL))
            name, path, query = pages.pop()
            # Where each has an item of his own: few, who come again and again.
            of = CLIENTS if PAGES[name][2] else FEW
            mark = f"m{self.chance.randrange(of)}m"
            if name == "/analytics":
                cookie = f"_ga=GA1.{mark}; _gid={mark}"
            else:
                cookie = f"theme=dark; mark={mark}"
            if self.chance.random() < 0.1:
                mark, cookie = None, None
            fields = f"Cookie: {cookie}\r\n" if cookie else ""
            yield f"{path}?{query}", fields, (name, path, mark)

    def judge(self, known, answer):
        name, path, mark = known
        code, head, body = answer
        page = re.fullmatch(rb"(\S+) #(\d+)(?: for (\S+))?\n", body)
        if code != 200 or not page or page[1] != path.encode():
            return f"{code} {body!r}"
        fields = head.decode()
        cached = re.search(r"X-Cache: (\S+)", fields)[1] in CACHED
        theirs = page[3].decode() if page[3] else None
        if theirs not in (None, mark):
            return f"the mark of another client: {fields} {body!r}"
        set_cookie = re.search(r"Set-Cookie: mark=(\S+)", fields)
        if set_cookie and (cached or set_cookie[1] not in ("new", mark)):
            return f"the cookie of another client: {fields}"
        shared = PAGES[name][2]
        if cached and shared and theirs is not None:
            return f"a mark in an item that is shared: {fields} {body!r}"
        if name in ("/private", "/nostore") and (cached or theirs != mark):
            return f"not the client's own page: {fields} {body!r}"
        if cached:
            self.cached[name] = self.cached.get(name, 0) + 1
            if shared:
                self.seen.setdefault(path, []).append(
                    (time.monotonic(), int(page[2])))
                age = int(re.search(r"\r\nAge: (\d+)", fields)[1])
                self.oldest[path] = max(age, self.oldest.get(path, 0))
        return None

    def longest_without_a_new_version(self, path, until):
        """Seconds in which all answers from the store were of one version."""
        longest = 0.0
        since, last = self.seen[path][0]
        for when, version in self.seen[path]:
            if version > last:
                longest = max(longest, when - since)
                since, last = when, version
        return max(longest, until - since)


def an_hour(store):
    with Box(CONF.replace("STORE", store), workers=2) as box:
        visits = Visits()
        steady = Steady(box, iter(visits), visits.judge, RATE, clients=60)
        started = time.monotonic()
        steady.run(seconds=SECONDS)
        ended = time.monotonic()
        steady.close()
        note(f"{len(steady.took)} requests of {CLIENTS} clients, from the store:",
             ", ".join(f"{count} {name[1:]}"
                       for name, count in sorted(visits.cached.items())))

        counts = box.origin_counts()
        for name, path, _ in ALL:
            if not PAGES[name][2]:
                continue
            check(path in visits.seen, path, "was never served from the store")
            first = visits.seen[path][0][0]
            check(first - started < 2 * SLACK, path, "stored after",
                  first - started)
            # Its lifetime, until somebody asks, and the refresh. Who greets
            # is not stored for a second more, or two.
            most = LIFETIME + 0.8 * SLACK
            if name == "/greeting":
                most += 3 * LIFETIME
            # Age is in whole seconds, and a 304 brings no new version.
            check(visits.oldest[path] < most + 1, path, visits.oldest[path])
            if name != "/validated":
                longest = visits.longest_without_a_new_version(path, ended)
                check(longest < most, path, "was not refreshed for", longest)
            if name in ("/named", "/unnamed", "/validated", "/analytics"):
                # Once per lifetime, and what came before it was there.
                check(counts[path] < 2 * SECONDS / LIFETIME + 8, path,
                      "asked", counts[path])
        check("/vary" in visits.cached and "/keyed/o" in visits.cached,
              visits.cached)


@scenario
def nobody_sees_the_mark_of_another_client_with_a_memory_tier():
    an_hour("memory 16m;")


@scenario
def nobody_sees_the_mark_of_another_client_with_both_tiers():
    an_hour(BOTH)


main()
