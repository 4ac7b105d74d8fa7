#!/usr/bin/env python3
"""What Sentinels and nodes of a Cluster say of each other: followed also where
it comes late, comes back, changes all the time or is a lie."""
import contextlib, os, signal, socket, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from name_server import NameServer
from redis_servers import Certificates
from scenario import (Box, SLACK, check, eventually, free_port, main, note,
                      scenario)
from scripted_redis import Scripted, bulk

CONF = """
    %s
    cacheback_store pages {
        memory off;
        %s
        redis_timeout %s;
        redis_prefix p:;
    }
    server {
        listen 127.0.0.1:%%(port)s;
        add_header X-Cache  $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback     pages 10m;
            cacheback_key $uri?$args;
            proxy_pass    http://127.0.0.1:%%(origin)s;
        }
    }"""


def a_box(servers, http="", timeout="300ms", **options):
    return Box(CONF % (http, servers, timeout), **options)


def is_asked(box, server, seconds=5):
    """Whether a look-up comes to this server."""
    def asked():
        client, before = box.client(), server.count("GET")
        for i in range(8):              # of several slots
            client.get(f"/o{i}")
        client.close()
        return server.count("GET") > before
    return eventually(asked, seconds, 0.05)


# -- Sentinels


class Watcher(Scripted):
    """A Sentinel. `told`: host, port and epoch of the master."""

    def __init__(self, *told):
        self.told = told
        super().__init__(self.say)

    def say(self, words):
        if words[0] != "SENTINEL":
            return None
        host, port, epoch = map(str, self.told)
        words = ("name", "main", "ip", host, "port", port,
                 "config-epoch", epoch)
        return b"*%d\r\n" % len(words) + b"".join(map(bulk, words))


def master():
    return Scripted(lambda words: b"*3\r\n" + bulk("master") + b":0\r\n*0\r\n"
                    if words[0] == "ROLE" else None)


def named_masters(names):
    return (f"resolver 127.0.0.1:{names.port} ipv6=off valid=1s;"
            "resolver_timeout 20s;")


@scenario
def a_new_master_by_name_is_followed_while_the_old_one_still_answers():
    with NameServer({"one.example": ["127.0.0.1"],
                     "two.example": ["127.0.0.1"]}) as names, \
            master() as one, master() as two, \
            Watcher("one.example", one.port, 1) as sentinel, \
            a_box(f"redis_sentinel main redis://127.0.0.1:{sentinel.port};",
                  named_masters(names)) as box:
        check(is_asked(box, one), box.log()[-1500:])
        sentinel.told = ("two.example", two.port, 2)
        check(box.logged(f"is at two.example:{two.port}"))
        check(is_asked(box, two), box.log()[-1500:])


@scenario
def a_new_master_is_found_though_the_name_of_the_old_one_is_not():
    with NameServer({"one.example": ["127.0.0.1"],
                     "two.example": ["127.0.0.1"]}) as names, \
            master() as one, master() as two, \
            Watcher("one.example", one.port, 1) as sentinel, \
            a_box(f"redis_sentinel main redis://127.0.0.1:{sentinel.port};",
                  named_masters(names)) as box:
        check(is_asked(box, one), box.log()[-1500:])
        names.silent_for = {"one.example"}
        time.sleep(1.5)                 # the name has to be looked up again
        one.stop()
        box.client().get("/o")
        time.sleep(0.5)
        sentinel.told = ("two.example", two.port, 2)
        check(box.logged(f"is at two.example:{two.port}"))
        check(is_asked(box, two, 8), box.log()[-1500:])


@scenario
def a_master_that_takes_no_links_is_left_while_the_next_is_looked_up():
    with contextlib.ExitStack() as stack, \
            NameServer({"one.example": ["127.0.0.8", "127.0.0.9"],
                        "two.example": ["127.0.0.1"]}) as names, \
            master() as two:
        port = free_port()
        for address in ("127.0.0.8", "127.0.0.9"):
            full = stack.enter_context(socket.socket())
            full.bind((address, port))
            full.listen(0)
            for _ in range(4):          # the others are not answered
                link = stack.enter_context(socket.socket())
                link.setblocking(False)
                link.connect_ex((address, port))
        names.silent_for = {"two.example"}
        with Watcher("one.example", port, 1) as sentinel, \
                a_box(f"redis_sentinel main redis://127.0.0.1:{sentinel.port};",
                      named_masters(names), timeout="1s") as box:
            check(box.logged(f"is at one.example:{port}"))
            time.sleep(0.2)             # on its way to the first address
            worker = box.worker_pids()
            sentinel.told = ("two.example", two.port, 2)
            check(box.logged(f"is at two.example:{two.port}"))
            stack.close()               # refused, when it is tried again
            check(box.logged(r"unreachable \(connect\(\) failed"))
            names.silent_for = set()
            check(is_asked(box, two, 10), box.log()[-1500:])
            check(box.worker_pids() == worker, box.log()[-1500:])


main()
