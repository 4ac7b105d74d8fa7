#!/usr/bin/env python3
"""A Redis that lies, refuses or talks nonsense is a miss, never an error page;
the log says what is wrong, and what would be right."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import is_page, page_body, page_target  # noqa: E402
from scenario import (SLACK, Box, Redis, check, eventually,  # noqa: E402
                      main, note, scenario)

CONF = """
    tcp_nopush on;
    sendfile on;
    cacheback_store pages {
        memory off;
        redis URL;
        redis_timeout 250ms;
    }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback pages 10m;
            cacheback_key $uri;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
FAKE = "redis://127.0.0.1:%(fake)s"
REAL = "redis://127.0.0.1:%(redis)s"
TIMEOUT = 0.25
SIZE = 3000


def a_box(url, mode=None):
    return Box(CONF.replace("URL", url), workers=2,
               fakes={"fake": mode} if mode else {})


def only_misses(box, count=12, path="/p", most=TIMEOUT):
    """The origin's answer each time, and no longer wait than the time-out."""
    times = []
    for _ in range(count):
        answer = box.get(page_target(path, SIZE))
        check(answer.code == 200 and answer.cache == "MISS", answer)
        check(is_page(answer.body, path, SIZE), answer)
        times.append(answer.took)
        check(answer.took < most + 0.25 * SLACK, answer)
        time.sleep(0.02)
    check(box.origin_count(path) >= count)
    return times


def says(box, *regexes):
    for regex in regexes:
        check(box.logged("cacheback: redis .*" + regex, 4), "not logged:",
              regex)


def a_lie(mode, *regexes):
    """What is said to everything, the greeting too: nobody is kept waiting,
    and the log has the line once, from whichever worker."""
    with a_box(FAKE, mode) as box:
        started = time.monotonic()
        times = only_misses(box)
        says(box, *regexes)
        took = time.monotonic() - started
        count = box.log_count(r"cacheback: redis")
        note(f"{mode}: most {max(times) * 1000:.0f} ms;", count, "line(s):",
             box.log().partition("cacheback: redis")[2].split("\n")[0])
        # News only: not a line for each request or attempt. One that greets
        # well is reachable and not, in turn, with pauses between.
        most = 3 + (2 * took / TIMEOUT if "@" in mode else 0)
        check(count <= most, count, "lines")


@scenario
def a_redis_that_answers_garbage_is_a_miss():
    a_lie("garbage", r"does not speak Redis' protocol")


@scenario
def a_redis_that_turns_to_garbage_after_its_greeting_is_a_miss():
    a_lie("garbage@entry", r"does not speak Redis' protocol")


@scenario
def a_redis_that_closes_within_a_reply_is_a_miss():
    a_lie("truncated", r"unreachable \(the server closed the connection\)")


@scenario
def a_redis_that_closes_within_the_reply_to_each_look_up_is_a_miss():
    with a_box(FAKE, "truncated@entry") as box:
        # Links may end for many reasons: it takes several to say so.
        check(eventually(lambda: only_misses(box, 5) and box.log_count(
            r"unreachable \(the server closed the connection\)"), 5))


@scenario
def a_redis_that_stops_within_a_reply_is_a_miss():
    a_lie("stuck@entry", r"does not answer within 250ms")


@scenario
def a_redis_that_says_nothing_is_a_miss():
    a_lie("silent", r"does not answer within 250ms")


@scenario
def a_redis_that_says_nothing_after_its_greeting_is_a_miss():
    a_lie("silent@entry", r"does not answer within 250ms")


@scenario
def a_redis_that_takes_2_s_is_a_miss():
    a_lie("slow:2", r"does not answer within 250ms")


@scenario
def a_redis_that_takes_2_s_after_its_greeting_is_a_miss():
    a_lie("slow:2@entry", r"does not answer within 250ms")


@scenario
def a_redis_that_takes_200_ms_is_waited_for():
    with a_box(FAKE, "slow:0.2@entry") as box:
        times = only_misses(box, 4, most=0.5)
        note("200 ms:", ", ".join(f"{t * 1000:.0f} ms" for t in times))
        check(not box.log_count("cacheback: redis"))


@scenario
def clients_that_leave_while_redis_is_asked_leave_nothing_behind():
    with a_box(FAKE, "slow:0.2@entry") as box:
        for i in range(40):
            client = box.client()
            client.send(page_target(f"/gone{i}", SIZE))
            time.sleep(0.002 * (i % 10))
            client.reset()
        only_misses(box, 2, most=0.5)


@scenario
def a_redis_that_is_loading_is_a_miss():
    a_lie("loading", r"is loading its data \(LOADING ")


@scenario
def a_redis_that_wants_a_password_is_a_miss():
    a_lie("noauth", r"wants a password .*redis_password_file")


@scenario
def a_redis_that_refuses_the_password_is_a_miss():
    with Box(CONF.replace("URL", "redis://user:secret@127.0.0.1:%(fake)s"),
             workers=2, fakes={"fake": "wrongpass"}) as box:
        only_misses(box)
        says(box, r"refused the password \(WRONGPASS .* check user and "
                  r"password of the \"redis\" URL")
        check("secret" not in box.log(), "the password is in the log")


@scenario
def a_redis_that_forbids_reading_is_a_miss():
    a_lie("noperm", r"forbids reading \(NOPERM .* allow the user")


@scenario
def a_redis_that_announces_a_huge_array_is_a_miss():
    a_lie("huge_array", r"an array of too many elements")


@scenario
def a_redis_that_announces_a_huge_value_is_a_miss():
    a_lie("huge", r"(does not answer within|more than \d+ bytes)")


@scenario
def a_redis_that_answers_twice_is_a_miss():
    a_lie("stray", r"does not speak Redis' protocol")


@scenario
def a_redis_that_answers_look_ups_twice_is_a_miss():
    a_lie("stray@entry", r"does not speak Redis' protocol")


@scenario
def a_redis_that_resets_each_connection_is_a_miss():
    a_lie("reset", r"unreachable \(")


@scenario
def a_redis_that_closes_each_connection_is_a_miss():
    a_lie("refuse", r"unreachable \(")


@scenario
def a_redis_that_sends_single_bytes_is_understood():
    with a_box(FAKE, "bytes") as box:
        only_misses(box, 6)
        check(not box.log_count("cacheback: redis"))


# --- a real Redis -------------------------------------------------------------

def reads_go_on(box, *regexes):
    """Entries that are there are served; new ones stay with the origin."""
    for _ in range(5):
        answer = box.get(page_target("/there", SIZE))
        check(answer.cache == "HIT", answer)
        check(is_page(answer.body, "/there", SIZE) == 1, answer)
    for i in range(5):
        for cache in ("MISS", "MISS"):
            answer = box.get(page_target(f"/new{i}", SIZE))
            check(answer.code == 200 and answer.cache == cache, answer)
            check(is_page(answer.body, f"/new{i}", SIZE), answer)
    says(box, *regexes)
    check(box.log_count("cacheback: redis") == len(regexes))


def writes_again(box):
    def stored():
        box.get(page_target("/again", SIZE))
        return box.get(page_target("/again", SIZE)).cache == "HIT"
    check(eventually(stored, 8, 0.1), "not stored again")
    check(box.logged(r"takes writes again after \d+s"))


def there(box):
    check(box.get(page_target("/there", SIZE)).cache == "MISS")
    check(eventually(lambda: len(box.entries()) == 1))


@scenario
def a_full_redis_refuses_writes_and_reads_go_on():
    with a_box(REAL) as box:
        there(box)
        box.redis("CONFIG", "SET", "maxmemory", "1")
        reads_go_on(box, r"refuses writes \(OOM .*reads go on, raise its "
                         r"\"maxmemory\"")
        box.redis("CONFIG", "SET", "maxmemory", "0")
        writes_again(box)


@scenario
def a_read_only_replica_refuses_writes_and_reads_go_on():
    with a_box(REAL) as box:
        there(box)
        box.redis("REPLICAOF", "127.0.0.1", box.ports["closed"])
        reads_go_on(box, r"refuses writes \(READONLY .*reads go on, it is a "
                         r"replica: name its master")
        box.redis("REPLICAOF", "NO", "ONE")
        writes_again(box)


@scenario
def a_user_who_may_not_write_reads():
    with a_box(REAL) as box:
        there(box)
        box.redis("ACL", "SETUSER", "default", "-set")
        reads_go_on(box, r"refuses writes \(NOPERM .*reads go on, allow the "
                         r"user the commands that README lists",
                    r"does not let this box work with others \(")
        box.redis("ACL", "SETUSER", "default", "+set")
        writes_again(box)


@scenario
def a_password_set_while_running_is_said_once_and_found_again():
    with a_box(REAL) as box:
        there(box)
        box.redis("CONFIG", "SET", "requirepass", "secret")
        with_password = Redis(box.ports["redis"])
        with_password("AUTH", "secret")
        with_password("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        only_misses(box, 6)
        says(box, "wants a password")
        with_password("CONFIG", "SET", "requirepass", "")
        with_password.close()
        check(box.logged("reachable again", 8))
        check(eventually(lambda: box.get(
            page_target("/there", SIZE)).cache == "HIT"))


@scenario
def every_entry_that_is_not_sound_is_a_miss_and_is_replaced():
    with a_box(REAL) as box:
        there(box)
        check(box.get(page_target("/other", SIZE)).cache == "MISS")
        check(eventually(lambda: len(box.entries()) == 2))
        keys = box.entries()
        of = {path: key for key in keys for path in (b"/there", b"/other")
              if box.redis("GET", key)[128:].startswith(path)}
        key, other = of[b"/there"], of[b"/other"]
        good = box.redis("GET", key)
        check(good.endswith(page_body("/there", 1, SIZE)))

        def flipped(at):
            return good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
        lies = {
            "an entry of another key": box.redis("GET", other),
            "a flipped byte in the body": flipped(len(good) - 7),
            "a flipped byte in its key": flipped(130),
            "a flipped byte in its fields": flipped(len(good) - SIZE - 20),
            "another magic": flipped(0),
            "an unknown version": good[:8] + b"\x02\x00" + good[10:],
            "a body cut short": good[:-1],
            "a head cut short": good[:100],
            "one byte more": good + b"x",
            "a huge body size": good[:116] + b"\xff" * 4 + good[120:],
            "a huge key size": good[:100] + b"\xff" * 4 + good[104:],
            "nothing": b"",
            "what somebody else put there": b"hello",
            "zeros": bytes(len(good)),
        }
        version = 1
        for lie, value in lies.items():
            check(box.redis("SET", key, value) == b"OK")
            answer = box.get(page_target("/there", SIZE))
            check(answer.code == 200 and answer.cache == "MISS", lie, answer)
            check(answer.fields["x-reason"] == "redis", lie, answer.fields)
            before, version = version, is_page(answer.body, "/there", SIZE)
            check(version > before, lie, answer)
            check(box.logged(rf"redis holds {len(value)} bytes for \"/there\" "
                             r"that are not an entry of this key and format, "
                             r"taken as a miss"), lie)
            # Stored behind the answer: not asking before it is there.
            check(eventually(lambda: box.redis("GET", key) != value), lie)
            answer = box.get(page_target("/there", SIZE))
            check(answer.cache == "HIT", lie, answer)
        check(box.log_count("taken as a miss") == len(lies))
        note(len(lies), "kinds of unsound entries, each a miss")


@scenario
def a_key_of_another_type_is_a_miss():
    with a_box(REAL) as box:
        there(box)
        key = box.entries()[0]
        box.redis("DEL", key)
        box.redis("RPUSH", key, "x")
        answer = box.get(page_target("/there", SIZE))
        check(answer.code == 200 and answer.cache == "MISS", answer)
        says(box, r"answered with an error \(WRONGTYPE ")
        check(eventually(lambda: box.get(page_target(
            "/there", SIZE)).cache == "HIT"))


main()
