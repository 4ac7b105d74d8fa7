#!/usr/bin/env python3
"""Redis dies, stalls and comes back empty under continuous load: no client sees
an error or a wrong byte, and soon none waits for what is not there."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Crowd, Traffic, page_target, percentile, spread  # noqa: E402
from scenario import (SLACK, Box, check, eventually, main,  # noqa: E402
                      note, scenario)

CONF = """
    tcp_nopush on;
    sendfile on;
    cacheback_store pages { MEMORY redis REDIS; redis_timeout TIMEOUT; }
    server {
        listen 127.0.0.1:%(port)s;
        add_header X-Cache $cacheback_status always;
        location / {
            cacheback pages 500ms;
            proxy_pass http://127.0.0.1:%(origin)s;
        }
    }
"""
TCP = "redis://127.0.0.1:%(redis)s"
UNIX = "unix:%(redis_socket)s"
# Longer than the default: a stall of the machine must not look like a wait.
TIMEOUT = 0.5 * SLACK
PAGES = [(f"/page{i}", 100 + 797 * i) for i in range(60)]

UNREACHABLE = r"cacheback: redis \S+ unreachable"
SILENT = r"cacheback: redis \S+ does not answer within"
AGAIN = r"cacheback: redis \S+ reachable again after \d+s, \d+ look-ups skipped"


def a_box(memory, redis):
    return Box(CONF.replace("MEMORY", memory).replace("REDIS", redis).replace(
        "TIMEOUT", f"{TIMEOUT * 1000:.0f}ms"), workers=2)


def waits_for_nothing(traffic, failed_at, until, what):
    """Who comes later than one timeout after the first failure."""
    first = traffic.between(failed_at, failed_at + TIMEOUT)
    later = traffic.between(failed_at + TIMEOUT, until)
    note(f"{what}: in the first {TIMEOUT * 1000:.0f} ms", spread(first))
    note(f"{what}: later", spread(later))
    check(len(later) > 20, what, len(later))
    check(percentile(later, 0.99) < TIMEOUT * 0.5, what)
    # Nothing waits twice.
    check(max(first + later) < TIMEOUT * 2.5, what)


def killed_stopped_and_back(memory, redis):
    with a_box(memory, redis) as box:
        now = time.monotonic
        with Traffic(box, PAGES, clients=6, pause=0.002) as traffic:
            time.sleep(1.0)

            killed = now()
            box.kill("redis")
            time.sleep(1.2 * SLACK)
            unreachable = box.log_count(UNREACHABLE)
            killed_until = now()

            box.start_redis()
            back = now()
            check(eventually(lambda: box.log_count(AGAIN) == 1, 8))
            note(f"asked again {now() - back:.2f} s after its restart")
            time.sleep(0.7)

            stopped = now()
            box.signal("redis", signal.SIGSTOP)
            time.sleep(0.5 + 1.2 * SLACK)
            silent = box.log_count(SILENT)
            stopped_until = now()

            box.signal("redis", signal.SIGCONT)
            back = now()
            check(eventually(lambda: box.log_count(AGAIN) == 2, 8))
            note(f"asked again {now() - back:.2f} s after it went on")
            time.sleep(0.5)

        note(len(traffic.results), "requests:", traffic.statuses())
        traffic.check_all_well(least=300 / SLACK)
        waits_for_nothing(traffic, killed, killed_until, "killed")
        waits_for_nothing(traffic, stopped, stopped_until, "stopped")
        # Once for each change of state, whichever worker saw it.
        check(unreachable == 1, "unreachable:", unreachable)
        check(silent == 1, "silent:", silent)
        lines = [line for line in box.log().splitlines()
                 if "cacheback: redis" in line]
        check(len(lines) == 4, *lines)
        # It is used again.
        path, size = PAGES[0]
        box.get(page_target(path, size))
        check(eventually(lambda: len(box.entries()) > 0))


@scenario
def redis_killed_stopped_and_back_beside_memory_costs_no_client_an_error():
    killed_stopped_and_back("memory 8m;", TCP)


@scenario
def redis_killed_stopped_and_back_alone_costs_no_client_an_error():
    killed_stopped_and_back("memory off;", TCP)


@scenario
def redis_on_a_unix_socket_killed_stopped_and_back_costs_no_client_an_error():
    killed_stopped_and_back("memory off;", UNIX)


@scenario
def an_nginx_that_starts_without_redis_serves_and_finds_it_later():
    with a_box("memory off;", TCP) as box:
        box.kill("redis")
        box.reload()
        with Traffic(box, PAGES, clients=4, pause=0.005) as traffic:
            time.sleep(1.0)
            box.start_redis()
            check(eventually(lambda: box.log_count(AGAIN) == 1, 8))
            time.sleep(0.5)
        traffic.check_all_well()
        check(eventually(lambda: len(box.entries()) > 0))


@scenario
def memory_goes_on_serving_what_it_has_while_redis_is_away():
    with a_box("memory 8m;", TCP) as box:
        for path, size in PAGES:
            check(box.get(page_target(path, size)).cache == "MISS")
        box.kill("redis")
        for path, size in PAGES:
            answer = box.get(page_target(path, size))
            check(answer.cache in ("HIT", "STALE"), path, answer)


@scenario
def who_changes_a_page_ends_it_here_while_redis_is_away():
    with a_box("memory 16m;", TCP) as box:
        target = "/o?max_age=600&delay=0|0|0.3"
        box.get(target)
        check(box.get(target).cache == "HIT")
        box.kill("redis")
        check(eventually(lambda: box.get("/x") and box.logged(UNREACHABLE)))
        box.get(target, method="POST")
        check(box.get(target).cache in ("STALE", "UPDATING"))
        check(eventually(lambda: box.get(target).body == b"/o #3\n"))


@scenario
def entries_that_redis_kept_are_served_when_it_is_back():
    with a_box("memory off;", TCP) as box:
        for path, size in PAGES[:10]:
            box.get(page_target(path, size))
        check(eventually(lambda: len(box.entries()) == 10))
        box.signal("redis", signal.SIGSTOP)
        times = []
        for path, size in PAGES[:10]:
            answer = box.get(page_target(path, size))
            check(answer.code == 200 and answer.cache == "MISS", answer)
            times.append(answer.took)
        note("one after the other while it is stopped:",
             ", ".join(f"{t * 1000:.0f}" for t in times), "ms")
        # At most one time-out of each worker, and nobody waits any more.
        check(sum(t > TIMEOUT * 0.9 for t in times) <= 2, times)
        check(eventually(lambda: box.log_count(SILENT) == 1, 8))
        check(box.get(page_target(*PAGES[0])).took < TIMEOUT * 0.5)
        box.signal("redis", signal.SIGCONT)
        check(eventually(lambda: box.log_count(AGAIN) == 1, 8))
        answer = box.get(page_target(*PAGES[0]))
        check(answer.cache in ("HIT", "STALE"), answer)


@scenario
def nobody_waits_for_a_store_that_redis_did_not_confirm():
    """Its lease stays while the answer may come, but not while Redis is away,
    whichever of both is noticed first."""
    for commit_at in (0.0, 0.2 * SLACK):
        with a_box("memory off;", TCP) as box:
            target = f"/slow?delay={0.1 + commit_at}|0"
            fetching = Crowd(box, target, 1)
            check(eventually(lambda: box.origin_count("/slow") == 1))
            box.signal("redis", signal.SIGSTOP)
            time.sleep(0.05)
            if commit_at == 0:
                time.sleep(0.2 * SLACK)
            others = [Crowd(box, f"/other{i}", 1) for i in range(6)]
            check(fetching.wait()[0].cache == "MISS")
            for other in others:
                other.join()
            check(box.logged(SILENT))
            time.sleep(0.3 * SLACK)
            answer = box.get(target)
            note(f"after a commit that is late: {answer.took * 1000:.0f} ms")
            check(answer.took < TIMEOUT * 0.4, answer)
            box.signal("redis", signal.SIGCONT)


main()
