#!/usr/bin/env python3
"""Clients that wait for somebody else's fetch while a worker dies or leaves:
the one that fetches, or the one that they are on."""
import os, signal, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

STORES = {"memory": "memory 8m;",
          "Redis": "memory off; redis redis://127.0.0.1:%(redis)s;"}


def conf(store="memory", more=""):
    return """
        cacheback_store pages { %s }
        server {
            listen 127.0.0.1:%%(port)s reuseport;  # to each its share
            add_header X-Cache $cacheback_status always;
            add_header X-Pid $pid always;
            location / {
                cacheback pages 10m;
                %s
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
            location = /pid { return 200 $pid; }
        }""" % (STORES.get(store, store), more)


KILLED = [r"worker process \d+ exited on signal 9",
          r"shared memory zone \"[^\"]+\" was locked by \d+"]


def a_box(store="memory", more=""):
    return Box(conf(store, more), workers=2, expect_log=KILLED)


def client_on(box, pid):
    """A client whose connection this worker has."""
    for _ in range(200):
        client = box.client()
        if int(client.get("/pid").body) == pid:
            return client
        client.close()
    check(False, "no connection ever went to", pid)


def ask(box, pid, target):
    client = client_on(box, pid)
    client.send(target)
    return client


class Waiters:
    """Clients on one worker that ask for the same, and when they got it."""

    def __init__(self, box, pid, target, count=5):
        self.answers = {}               # by the time of their arrival
        self.lost = 0
        self.threads = [
            threading.Thread(target=self.one, args=(client, target))
            for client in [client_on(box, pid) for _ in range(count)]]
        for thread in self.threads:
            thread.start()
        time.sleep(0.2)                 # they are parked

    def one(self, client, target):
        try:
            answer = client.get(target)
            self.answers[time.monotonic()] = answer
        except OSError:
            self.lost += 1

    def wait(self):
        for thread in self.threads:
            thread.join()
        check(self.lost + len(self.answers) == len(self.threads))
        return list(self.answers.values())

    def statuses(self):
        return sorted(a.cache for a in self.answers.values())


def leader_dies(number, store):
    with a_box(store) as box:
        took = []
        for turn in range(4):
            target = f"/o{turn}?delay=30|0.1"
            one, other = box.live_workers()
            first = ask(box, one, target)
            check(eventually(lambda: box.origin_count(f"/o{turn}") == 1))
            waiters = Waiters(box, other, target)
            died = time.monotonic()
            os.kill(one, number)
            waiters.wait()
            first.close()
            took.append(max(waiters.answers) - died)
            # One of them takes over, the others wait for that one.
            check(waiters.statuses() == ["HIT"] * 4 + ["MISS"],
                  waiters.statuses())
            check(box.origin_count(f"/o{turn}") == 2)
            check(eventually(lambda: len(box.live_workers()) == 2, 5))
        note("served after", milliseconds(took))
        check(max(took) < 1 * SLACK, took)


@scenario
def waiters_on_another_worker_are_served_within_a_second_of_a_kill():
    leader_dies(signal.SIGKILL, "memory")


@scenario
def and_where_the_item_is_in_redis():
    leader_dies(signal.SIGKILL, "Redis")


@scenario
def and_where_that_worker_was_told_to_end_at_once():
    leader_dies(signal.SIGTERM, "memory")


@scenario
def a_worker_that_dies_with_its_waiters_hurts_nobody_else():
    with a_box() as box:
        target = "/o?delay=1"
        one, other = box.live_workers()
        first = ask(box, one, target)
        dead = Waiters(box, other, target)
        alive = Waiters(box, one, target)
        os.kill(other, signal.SIGKILL)
        check(first.receive().cache == "MISS")
        alive.wait()
        dead.wait()
        check(alive.statuses() == ["HIT"] * 5, alive.answers)
        check(dead.lost == 5)
        check(box.get(target).cache == "HIT")
        check(box.origin_count("/o") == 1)


def exit_with_waiters(store):
    with a_box(store) as box:
        target = "/o?delay=1"
        started = time.monotonic()
        one, other = box.live_workers()
        first = ask(box, one, target)
        crowds = [Waiters(box, pid, target) for pid in (one, other)]
        box.signal("nginx", signal.SIGQUIT)
        check(first.receive().cache == "MISS")
        for crowd in crowds:
            crowd.wait()
            check(crowd.statuses() == ["HIT"] * 5, crowd.answers, crowd.lost)
        check(box.children["nginx"].wait(20 * SLACK) == 0)
        took = time.monotonic() - started
        note(f"gone after {took:.2f} s")
        check(took < 1 + 1.5 * SLACK, took)
        check(box.origin_count("/o") == 1)


@scenario
def an_exit_waits_for_clients_that_wait():
    exit_with_waiters("memory")


@scenario
def an_exit_waits_for_clients_that_wait_for_what_is_in_redis():
    exit_with_waiters("Redis")


@scenario
def an_exit_waits_for_clients_that_go_alone_in_the_end():
    with a_box("memory", "cacheback_lock 500ms;") as box:
        one, other = box.live_workers()
        first = ask(box, one, "/o?delay=3|0")
        crowd = Waiters(box, other, "/o?delay=3|0")
        box.signal("nginx", signal.SIGQUIT)
        crowd.wait()
        check(crowd.statuses() == ["MISS"] * 5, crowd.answers, crowd.lost)
        check(first.receive().code == 200)
        check(box.children["nginx"].wait(20 * SLACK) == 0)


@scenario
def an_exit_waits_for_clients_that_wait_for_redis():
    with a_box("redis redis://127.0.0.1:%(redis)s; redis_timeout 1s;") as box:
        one, other = box.live_workers()
        for pid in (one, other):        # they are connected
            check(client_on(box, pid).get(f"/{pid}").cache == "MISS")
            check(client_on(box, pid).get(f"/{pid}").cache == "HIT")
        box.signal("redis", signal.SIGSTOP)
        crowds = [Waiters(box, pid, f"/new{pid}?delay=0.2")
                  for pid in (one, other)]
        box.signal("nginx", signal.SIGQUIT)
        for crowd in crowds:
            check([a.code for a in crowd.wait()] == [200] * 5, crowd.lost)
        check(box.children["nginx"].wait(20 * SLACK) == 0)


def woken_over_a_reload(store):
    with a_box(store) as box:
        target = "/o?delay=2"
        first = ask(box, box.live_workers()[0], target)
        check(eventually(lambda: box.origin_count("/o") == 1))
        box.reload()
        crowds = [Waiters(box, pid, target) for pid in box.live_workers()]
        check(first.receive().cache == "MISS")
        there = time.monotonic()
        for crowd in crowds:
            crowd.wait()
            check(crowd.statuses() == ["HIT"] * 5, crowd.answers, crowd.lost)
        late = max(max(crowd.answers) for crowd in crowds) - there
        note(f"served {late * 1000:.0f} ms after the first one")
        # Each by the event; looking every 250 ms would show.
        check(late < 0.1 * SLACK, late)
        check(box.origin_count("/o") == 1)


@scenario
def clients_of_new_workers_are_woken_by_the_fetch_of_an_old_one():
    woken_over_a_reload("memory")


@scenario
def and_so_they_are_when_the_item_is_in_redis():
    woken_over_a_reload("Redis")


@scenario
def a_waiter_on_a_worker_that_leaves_takes_over_for_those_on_new_ones():
    with a_box() as box:
        target = "/o?delay=30|0.5"
        one, other = box.live_workers()
        first = ask(box, one, target)
        check(eventually(lambda: box.origin_count("/o") == 1))
        old = Waiters(box, other, target, 1)
        box.reload()
        new = [Waiters(box, pid, target) for pid in box.live_workers()]
        first.reset()
        statuses = []
        for crowd in [old] + new:
            check(all(a.code == 200 for a in crowd.wait()), crowd.answers)
            statuses += crowd.statuses()
        check(sorted(statuses) == ["HIT"] * 10 + ["MISS"], statuses)
        check(box.origin_count("/o") == 2)


main()
