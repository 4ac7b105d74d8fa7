#!/usr/bin/env python3
"""However a Redis behaves: the log says what is wrong in a bounded number of
lines, and does not grow with the number of requests."""
import itertools, os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import Box, check, main, note, scenario
from scripted_redis import Scripted, bulk

CONF = """
    cacheback_store pages {
        memory        off;
        redis         redis://127.0.0.1:%d;
        redis_timeout 60ms;
    }
    server {
        listen 127.0.0.1:%%(port)s;
        keepalive_requests 100000;
        add_header X-Cache $cacheback_status always;
        location / {
            cacheback     pages 10m;
            cacheback_key $uri;
            proxy_pass    http://127.0.0.1:%%(origin)s;
        }
    }"""


def lines(answer, seconds, workers=2):
    """How many there are of `seconds` with a server that answers so."""
    with Scripted(answer) as redis, \
            Box(CONF % redis.port, workers=workers) as box:
        clients = [box.client() for _ in range(4)]
        end = time.monotonic() + seconds
        for number in itertools.count():
            if time.monotonic() > end:
                break
            for client in clients:
                check(client.get(f"/o{number}").code == 200)
            time.sleep(0.002)
        count = box.log_count("cacheback: ")
        note(f"{count} lines in {seconds} s with {4 * number} requests")
        return count


def is_entry(words):
    return words[0] == "GET" and "{" in words[1]


def in_turn(which, *answers):
    turn = itertools.cycle(answers)

    def answer(words):
        return next(turn) if which(words) else None
    return answer


@scenario
def errors_of_ever_other_kinds():
    answer = in_turn(is_entry, b"-ERR one\r\n", b"-OOM two\r\n",
                     b"-NOSCRIPT three\r\n", b"-MISCONF four\r\n")
    check(lines(answer, 4) <= 2 * 10)


@scenario
def errors_in_ever_other_words():
    count = itertools.count()

    def answer(words):
        if words[0] in ("XREAD", "XRANGE", "XREVRANGE"):
            time.sleep(0.01)
            return b"-ERR no feed today, %d\r\n" % next(count)
        if words[0] == "EVAL":
            return b"-NOPERM not now, %d\r\n" % next(count)
        return None
    check(lines(answer, 4) <= 2 * 12)


@scenario
def a_server_that_greets_well_and_fails_in_ever_other_ways():
    answer = in_turn(is_entry, b"", b"", b"\x16\x03\x01", b"-LOADING\r\n",
                     b":7\r\n", b"-BUSY\r\n")
    check(lines(answer, 12, 4) <= 30)


@scenario
def writes_that_are_refused_every_other_time():
    answer = in_turn(lambda words: words[0] == "SET",
                     b"-OOM command not allowed\r\n", b"+OK\r\n")
    check(lines(answer, 12) <= 12)


@scenario
def values_that_are_no_entries():
    check(lines(lambda words: bulk("hello") if is_entry(words) else None, 4, 1)
          <= 110)


@scenario
def a_feed_that_loses_each_message():
    check(lines(lambda words: b"*0\r\n" if words[0] == "XRANGE" else None, 4)
          <= 2 * 8)


main()
