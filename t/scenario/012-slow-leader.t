#!/usr/bin/env python3
"""A client that takes its answer slowly sets nobody's pace but its own: who
waits for the same item gets it from a background fetch."""
import os, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import is_page
from scenario import Box, SLACK, check, eventually, main, milliseconds, note
from scenario import scenario

# Larger than what the sockets between nginx and a client hold.
SIZE = 900000

CONF = """
    log_format reasons "$request_uri $cacheback_status=$cacheback_reason";
    cacheback_store pages { memory 64m; }
    server {
        listen 127.0.0.1:%%(port)s sndbuf=16k;
        add_header X-Cache  $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        access_log reasons.log reasons;
        location / {
            cacheback pages 10m;
            send_timeout 30s;
            %s
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
    }"""

HELD_UP = {"unbuffered": "proxy_buffering off;",
           "without a temp file": "proxy_max_temp_file_size 0;"}


def leader(box, target):
    """A client that has got its header, and reads no further."""
    client = box.client(receive_buffer=4096)
    client.send(target)
    client._more()
    return client


class Waiters:
    def __init__(self, box, target, count=20):
        self.answers = []
        clients = [box.client() for _ in range(count)]
        self.threads = [threading.Thread(
            target=lambda c=c: self.answers.append(c.get(target)))
            for c in clients]
        for thread in self.threads:
            thread.start()

    def wait(self):
        for thread in self.threads:
            thread.join()
        check(len(self.answers) == len(self.threads))
        return self.answers


def waiters_are_served(conf, lead=lambda client: None):
    with Box(CONF % conf, workers=2) as box:
        target = f"/o?size={SIZE}"
        first = leader(box, target)
        crowd = Waiters(box, target)
        lead(first)
        answers = crowd.wait()
        note(milliseconds([a.took for a in answers]))
        check(max(a.took for a in answers) < 2.5 * SLACK, answers[0])
        check({(a.cache, a.fields.get("x-reason")) for a in answers}
              == {("HIT", "collapsed")}, answers[:3])
        check({is_page(a.body, "/o", SIZE) for a in answers} == {2})
        check(box.origin_count("/o") == 2, box.origin_count("/o"))
        # The slow one has its own answer, and it is not the item.
        check(is_page(first.receive().body, "/o", SIZE) == 1)
        check(is_page(box.get(target).body, "/o", SIZE) == 2)
        with open(box.dir + "/reasons.log", encoding="utf-8") as log:
            check("MISS=slow-client\n" in log.read())


@scenario
def who_waits_for_an_unbuffered_slow_reader_is_served_by_a_background_fetch():
    waiters_are_served(HELD_UP["unbuffered"])


@scenario
def the_same_where_there_is_no_temp_file():
    waiters_are_served(HELD_UP["without a temp file"])


@scenario
def a_reader_that_takes_a_little_every_now_and_then_is_as_slow():
    def little(client):
        for _ in range(15):
            time.sleep(0.1)
            client.buffer += client.socket.recv(2000)
    waiters_are_served(HELD_UP["unbuffered"], little)


@scenario
def an_item_too_stale_to_be_served_likewise():
    short = CONF.replace("10m", "100ms")
    with Box(short % ("cacheback_fetch_on_stale_threshold 0; "
                      + HELD_UP["unbuffered"]), workers=2) as box:
        target = f"/o?size={SIZE}"
        check(box.get(target).cache == "MISS")
        time.sleep(0.2)
        first = leader(box, target)
        answers = Waiters(box, target, 5).wait()
        check({a.cache for a in answers} == {"HIT"}, answers)
        check({is_page(a.body, "/o", SIZE) for a in answers} == {3})
        check(is_page(first.receive().body, "/o", SIZE) == 2)


@scenario
def nobody_waits_nothing_changes():
    with Box(CONF % HELD_UP["unbuffered"]) as box:
        target = f"/o?size={SIZE}"
        first = leader(box, target)
        time.sleep(2.5)
        check(is_page(first.receive().body, "/o", SIZE) == 1)
        check(box.get(target).cache == "HIT")
        check(box.origin_count("/o") == 1)


@scenario
def an_origin_that_is_slow_is_asked_once():
    with Box(CONF % HELD_UP["unbuffered"], workers=2) as box:
        target = "/o?size=4000&drip=1.3"
        first = box.client()
        first.send(target)
        check(eventually(lambda: box.origin_count("/o") == 1))
        answers = Waiters(box, target, 5).wait()
        check(is_page(first.receive().body, "/o", 4000) == 1)
        check({a.cache for a in answers} == {"HIT"}, answers)
        check(box.origin_count("/o") == 1)


@scenario
def a_slow_reader_of_a_buffered_answer_holds_up_nobody():
    with Box(CONF % "", workers=2) as box:
        target = f"/o?size={SIZE}"
        first = leader(box, target)
        answers = Waiters(box, target, 5).wait()
        check(max(a.took for a in answers) < 0.9 * SLACK, answers)
        check(is_page(first.receive().body, "/o", SIZE) == 1)
        check(box.origin_count("/o") == 1)


@scenario
def a_slow_reader_on_a_worker_that_leaves_is_no_different():
    with Box(CONF % HELD_UP["unbuffered"], workers=2) as box:
        target = f"/o?size={SIZE}"
        first = leader(box, target)
        box.reload()
        answers = Waiters(box, target, 5).wait()
        check(max(a.took for a in answers) < 2.5 * SLACK, answers)
        check({a.cache for a in answers} == {"HIT"}, answers)
        check(box.origin_count("/o") == 2)
        check(is_page(first.receive().body, "/o", SIZE) == 1)


main()
