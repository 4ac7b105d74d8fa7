#!/usr/bin/env python3
"""Many refreshes and many requests: nothing grows, no place is lost, each byte
is right. CACHEBACK_SOAK is the number of refreshes, CACHEBACK_MIXED that of
mixed requests."""

import gzip
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Traffic, is_page, page_body, spread  # noqa: E402
from scenario import (SLACK, Box, check, eventually, main,  # noqa: E402
                      note, scenario)

REFRESHES = int(os.environ.get("CACHEBACK_SOAK", "6000"))
MIXED = int(os.environ.get("CACHEBACK_MIXED", "12000"))

# The origin is this nginx itself, over a socket: quick, and no port is used up.
SOAK = """
    tcp_nopush on;
    sendfile on;
    access_log off;
    keepalive_requests 10000000;
    cacheback_store pages { memory 4m; REDIS }
    upstream kept { server unix:%(dir)s/origin.sock; keepalive 4; }
    server {
        listen unix:%(dir)s/origin.sock;
        location /proxy/ { return 200 "$uri $request_id"; }
        location /kept/  { return 200 "$uri $request_id"; }
        location /304/   { add_header ETag '"e"'; return 200 "$uri fixed"; }
        location /500/   { return 500; }
        location /slow/  { limit_rate 2m; root %(dir)s; }
    }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache $cacheback_status always;
        cacheback pages 1ms;
        proxy_buffer_size 4k;
        proxy_buffers 3 4k;
        proxy_busy_buffers_size 8k;
        location /proxy/ { proxy_pass http://unix:%(dir)s/origin.sock; }
        location /304/   { proxy_pass http://unix:%(dir)s/origin.sock; }
        location /slow/  { proxy_pass http://unix:%(dir)s/origin.sock; }
        location /kept/ {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://kept;
        }
        location /static/ { alias %(dir)s/html/; }
        location /try/ { try_files /nothing @proxy; }
        location @proxy {
            rewrite .* /proxy/tried break;
            proxy_pass http://unix:%(dir)s/origin.sock;
        }
    }
"""
REDIS = "redis redis://127.0.0.1:%(redis)s;"
KINDS = ["/proxy/a", "/proxy/b", "/kept/a", "/kept/b", "/static/page.txt",
         "/304/a", "/try/a", "/slow/big.txt"]
SANITIZED = bool(os.environ.get("TEST_NGINX_LD_PRELOAD"))


def figures(pid):
    """Resident memory that is not shared, in KB, and descriptors."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        own = next(int(line.split()[1]) for line in status
                   if line.startswith("RssAnon"))
    return own, len(os.listdir(f"/proc/{pid}/fd"))


def soak(redis):
    # Few connections: one lost in a hundred refreshes ends the run.
    box = Box(SOAK.replace("REDIS", redis), connections=64)
    with box:
        os.makedirs(box.dir + "/html")
        os.makedirs(box.dir + "/slow")
        with open(box.dir + "/html/page.txt", "wb") as page:
            page.write(page_body("/static", 1, 5000))
        with open(box.dir + "/slow/big.txt", "wb") as page:
            page.write(page_body("/slow", 1, 60000))
        client = box.client()
        pid = box.live_workers()[0]
        stale = done = 0
        seen = []
        started = time.monotonic()
        marks = [max(1, REFRESHES * i // 10) for i in range(1, 11)]
        while stale < REFRESHES:
            target = KINDS[done % len(KINDS)]
            done += 1
            answer = client.get(target)
            check(answer.code == 200, target, answer)
            if answer.cache == "STALE":
                stale += 1
                if stale in marks:
                    seen.append(figures(pid))
            check(done < 20 * REFRESHES + 1000, "few refreshes:", stale)
        took = time.monotonic() - started
        client.close()
        # What is under way ends, and each kind is still refreshed.
        time.sleep(0.2 * SLACK)
        for target in KINDS:
            check(eventually(lambda: box.get(target).cache == "STALE", 2),
                  target)
        # The last of them need their origin, which goes with nginx.
        time.sleep(0.2 * SLACK)
        check(box.live_workers() == [pid], "another worker")

        memory = [m for m, _ in seen]
        descriptors = [d for _, d in seen]
        note(f"{stale} refreshes of {done} requests in {took:.1f} s")
        note("KB of its own at each tenth:", *memory)
        note("descriptors at each tenth:", *descriptors)
        # Two sockets at most of each fetch under way.
        check(max(descriptors) - min(descriptors) <= 2 * len(KINDS),
              descriptors)
        if not SANITIZED:               # which keep freed memory for a while
            check(max(memory[1:]) - memory[0] <= 256, memory)
        check(not box.log_count("worker_connections are not enough"))


@scenario
def thousands_of_refreshes_leave_memory_descriptors_and_connections_flat():
    soak("")


@scenario
def thousands_of_refreshes_with_redis_leave_all_of_it_flat():
    soak(REDIS)


# --- mixed --------------------------------------------------------------------

MIX = """
    tcp_nopush on;
    sendfile on;
    gzip on;
    gzip_types text/plain;
    gzip_min_length 100;
    # Too small for all of it: entries are evicted all the time.
    cacheback_store pages { memory 1m; REDIS max_entry 200k; }
    cacheback_store firm { memory 8m; REDIS }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache $cacheback_status always;
        proxy_buffer_size 4k;
        proxy_buffers 3 4k;
        proxy_busy_buffers_size 8k;
        location / {
            cacheback pages 200ms;
            cacheback_key $uri;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
        location /failing {
            cacheback firm 200ms;
            cacheback_key $uri;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""


def one_of_many(chance):
    """A request of any kind, and the judge of its answer."""
    kind = chance.choices(
        ["page", "framed", "large", "range", "head", "condition", "post",
         "no-store", "gone", "failing", "gzip", "unique"],
        [40, 10, 2, 8, 6, 6, 4, 4, 4, 6, 6, 4])[0]
    number = chance.randrange(30)
    size = 80 + 997 * number
    path = f"/{kind}{number}"
    target = f"{path}?size={size}"

    def whole(answer, status=200, length=size, at=path):
        if answer.code != status:
            return f"status {answer.code}"
        if not is_page(answer.body, at, length):
            return f"not its body: {answer.body[:60]!r}"
        return None

    if kind == "page":
        return target, whole
    if kind == "framed":
        how = ("&chunked=1", "&close=1", "&drip=0.001&chunked=1",
               "&h=Set-Cookie:a%3Db")[number % 4]
        return target + how, whole
    if kind == "large":                 # streams through: above max_entry
        path = f"/large{number % 3}"
        return (f"{path}?size=300000",
                lambda answer: whole(answer, 200, 300000, path))
    if kind == "range":
        first, last = sorted((chance.randrange(size), chance.randrange(size)))

        def part(answer):
            # The origin knows no ranges: a miss is answered whole.
            if answer.code == 200:
                return whole(answer)
            if answer.code != 206:
                return f"status {answer.code}"
            if not any(page_body(path, version, size)[first:last + 1]
                       == answer.body for version in range(1, 2000)):
                return "of no version"
            return None
        return (target, {"Range": f"bytes={first}-{last}"}), part
    if kind == "head":
        def bare(answer):
            if answer.code != 200 or answer.body:
                return f"status {answer.code}, {len(answer.body)} bytes"
            if answer.fields.get("content-length") != str(size):
                return "content-length"
            return None
        return (f"/page{number}?size={size}", {}, "HEAD"), bare
    if kind == "condition":
        tag = chance.choice(["a", "b"])

        def matched(answer):
            if tag == "a":
                return None if (answer.code, answer.body) == (304, b"") \
                    else f"status {answer.code}"
            return whole(answer)
        return ((target + "&etag=a", {"If-None-Match": f'"{tag}"'}), matched)
    if kind == "post":
        return (target, {}, "POST", b"x" * number), whole
    if kind == "no-store":
        return target + "&cc=no-store", whole
    if kind == "gone":
        return (target + "&status=404",
                lambda answer: whole(answer, 404))
    if kind == "failing":               # the second answer is none
        broken = ("&status=200|500", "&truncate=0|1", "&reset=0|1")[number % 3]

        def first_one(answer):
            if whole(answer) is None and answer.body == page_body(
                    path, 1, size):
                return None
            return f"not the first answer: {answer.code}"
        return target + broken, first_one
    if kind == "gzip":
        def unpacked(answer):
            if answer.code != 200:
                return f"status {answer.code}"
            body = answer.body
            if answer.fields.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            return None if is_page(body, f"/page{number}", size) else "body"
        return ((f"/page{number}?size={size}", {"Accept-Encoding": "gzip"}),
                unpacked)
    path = f"/unique{chance.getrandbits(40)}"
    return (f"{path}?size={size}",
            lambda answer: whole(answer, 200, size, path))


def mixed(redis, keep):
    conf = MIX.replace("REDIS", redis)
    with Box(conf, workers=2, connections=1024) as box:
        # Those that fail from their second answer on are there.
        for number in range(30):
            size = 80 + 997 * number
            broken = ("&status=200|500", "&truncate=0|1",
                      "&reset=0|1")[number % 3]
            check(box.get(
                f"/failing{number}?size={size}{broken}").cache == "MISS")
        started = time.monotonic()
        with Traffic(box, one_of_many, clients=8, keep=keep,
                     count=MIXED) as traffic:
            pass
        took = time.monotonic() - started
        note(f"{len(traffic.results)} requests in {took:.1f} s:",
             traffic.statuses())
        note(spread([r.took for r in traffic.results]))
        traffic.check_all_well(least=MIXED)


@scenario
def mixed_requests_of_eight_clients_are_answered_to_the_byte():
    mixed("", keep=True)


@scenario
def mixed_requests_with_redis_are_answered_to_the_byte():
    mixed(REDIS, keep=True)


main()
