#!/usr/bin/env python3
"""What Sentinels and nodes of a Cluster say of each other: followed also where
it comes late, comes back, changes all the time or is a lie."""
import contextlib, os, signal, socket, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from name_server import NameServer
from redis_servers import Certificates
from scenario import (Box, SLACK, check, eventually, free_port, has_lua, main,
                      note, scenario)
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
            %s
            proxy_pass    http://127.0.0.1:%%(origin)s;
        }
    }"""


def a_box(servers, http="", timeout="300ms", purge="", **options):
    return Box(CONF % (http, servers, timeout, purge), **options)


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


# -- a Cluster


class Nodes:
    """Nodes of a Cluster. `map`: [(node, its slots, its name or "")]; each is
    newer than the one before."""

    def __init__(self, count, certificate=None, down=()):
        self.nodes = [Scripted(self.say, certificate, i not in down)
                      for i in range(count)]
        self.epoch = 0
        self.map = []

    @property
    def map(self):
        return self.places

    @map.setter
    def map(self, places):
        self.places = places
        self.epoch += 100

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for node in self.nodes:
            node.stop()

    def __getitem__(self, i):
        return self.nodes[i]

    def text(self):
        lines = []
        for i, (node, slots, name) in enumerate(self.map):
            lines.append(f"{i:040x} 127.0.0.1:{node.port}@1"
                         f"{',' + name if name else ''} master - 0 0"
                         f" {self.epoch + i}"
                         f" connected {slots}\n")
        return "".join(lines)

    def say(self, words):
        if words[:2] == ["CLUSTER", "NODES"]:
            return bulk(self.text())
        return None

    def looks(self):
        return sum(node.count("CLUSTER", "NODES") for node in self.nodes)

    def urls(self, *which, scheme="redis"):
        return "redis_cluster " + " ".join(
            f"{scheme}://127.0.0.1:{self.nodes[i].port}" for i in which) + ";"


def both(nodes):
    return [(nodes[0], "0-8191", ""), (nodes[1], "8192-16383", "")]


@scenario
def a_node_that_was_away_is_asked_again_by_a_worker_that_never_reached_it():
    with Nodes(2, down=[1]) as nodes:
        nodes.map = both(nodes)
        with a_box(nodes.urls(0)) as box:
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            check(box.logged(rf"127.0.0.1:{nodes[1].port} unreachable"))
            box.reload()
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            nodes[1].start()
            check(is_asked(box, nodes[1], 10), box.log()[-1500:])


@scenario
def slots_come_back_to_a_master_that_was_away():
    with Nodes(2) as nodes:
        nodes.map = both(nodes)
        with a_box(nodes.urls(0)) as box:
            check(is_asked(box, nodes[1]), box.log()[-1500:])
            nodes[1].stop()
            check(eventually(lambda: box.client().get("/p") and box.log_count(
                rf"127.0.0.1:{nodes[1].port} unreachable")))
            nodes.map = [(nodes[0], "0-16383", "")]
            time.sleep(1.5)
            nodes[1].start()
            nodes.map = both(nodes)
            check(is_asked(box, nodes[1], 15), box.log()[-1500:])


@scenario
def nodes_that_never_agree_are_asked_for_the_map_twice_a_second_at_most():
    with Nodes(2) as nodes:
        nodes.map = [(nodes[0], "0-16383", "")]

        def disagree(words):
            if words[0] == "GET" and "{" in words[1]:
                return b"-MOVED 1 127.0.0.1:%d\r\n" % nodes[1].port
            return nodes.say(words)
        nodes[0].answer = disagree
        with a_box(nodes.urls(0)) as box:
            check(is_asked(box, nodes[1]), box.log()[-1500:])
            client = box.client()
            before, started = nodes.looks(), time.monotonic()
            while time.monotonic() < started + 3:
                client.get("/o")
                time.sleep(0.005)
            looks = nodes.looks() - before
            note(f"{looks} looks at the map in 3 s")
            check(3 <= looks <= 7, looks)


def flaps_by_a_node_that_knows_less(what_it_says):
    """Of four: the third is gone, the fourth has its slots, and the second has
    not heard of that."""
    with Nodes(4) as nodes:
        nodes.map = [(nodes[0], "0-4000", ""), (nodes[1], "4001-8000", ""),
                     (nodes[2], "8001-16383", "")]
        old = what_it_says(nodes)
        with a_box(nodes.urls(0, 1)) as box:
            for node in nodes[:3]:
                check(is_asked(box, node), box.log()[-1500:])
            nodes[1].answer = lambda words: (
                bulk(old) if words[:2] == ["CLUSTER", "NODES"] else None)
            nodes[2].stop()
            nodes.map = nodes.map[:2] + [(nodes[3], "8001-12000", ""),
                                         (nodes[2], "12001-16383", "")]
            check(is_asked(box, nodes[3], 8), box.log()[-1500:])
            client = box.client()
            reasons, looks = [], nodes.looks()
            for _ in range(200):
                # In slot 8585, of the fourth node.
                reasons.append(client.get("/o").fields.get("x-reason"))
                time.sleep(0.02)
            looks = nodes.looks() - looks
            note(f"{looks} looks at the map in 4 s")
            check(nodes[1].count("CLUSTER", "NODES") > 2)
            check(looks <= 10 * SLACK, looks)
            check("redis" not in reasons, reasons.count("redis"),
                  box.log()[-1500:])


@scenario
def the_old_map_of_a_node_that_was_cut_off_is_passed_over():
    flaps_by_a_node_that_knows_less(lambda nodes: nodes.text())


@scenario
def so_is_that_of_a_node_which_does_not_know_all_slots_yet():
    flaps_by_a_node_that_knows_less(
        lambda nodes: f"{1:040x} 127.0.0.1:{nodes[1].port}@1 myself,master - 0"
                      " 0 9999 connected 4001-8000\n")


@scenario
def a_cluster_that_was_made_anew_is_believed_after_a_while():
    with Nodes(2) as nodes:
        nodes.map = both(nodes)
        with a_box(nodes.urls(0)) as box:
            check(is_asked(box, nodes[1]), box.log()[-1500:])
            nodes.map = [(nodes[0], "0-16383", "")]
            nodes.epoch = 0
            nodes[1].stop()
            client = box.client()
            check(eventually(lambda: {client.get(f"/o{i}").fields.get(
                "x-reason") for i in range(20)} == {None}, 15, 0.2),
                box.log()[-1500:])


@scenario
def a_node_first_met_by_moved_is_known_by_the_name_that_it_announces():
    with Box("server { listen 127.0.0.1:%(port)s; }") as stub:
        certs = Certificates(stub.dir)
        with Nodes(2, certs.path("elsewhere")) as nodes:
            nodes.nodes[0].stop()
            nodes.nodes[0] = Scripted(nodes.say, certs.path("server"))
            nodes.map = [(nodes[0], "0-16383", "")]
            with a_box("redis_tls ca=%s;" % certs.path("ca")
                       + nodes.urls(0, scheme="rediss")) as box:
                check(is_asked(box, nodes[0]), box.log()[-1500:])
                nodes[0].answer = lambda words: (
                    b"-MOVED 1 127.0.0.1:%d\r\n" % nodes[1].port
                    if words[0] == "GET" and "{" in words[1]
                    else nodes.say(words))
                box.client().get("/o")
                time.sleep(0.3)
                nodes.map = [(nodes[1], "0-16383", "elsewhere.example")]
                check(is_asked(box, nodes[1], 10), box.log()[-1500:])


@scenario
def a_large_entry_goes_where_moved_sends_it():
    with Nodes(2) as nodes:
        nodes.map = [(nodes[0], "0-16383", "")]
        with a_box(nodes.urls(0)) as box:
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            nodes[0].answer = lambda words: (
                b"-MOVED 1 127.0.0.1:%d\r\n" % nodes[1].port
                if words[0] in ("SET", "EVAL") else nodes.say(words))
            for size in (200000, 1000, 100000):
                nodes[1].asked.clear()
                box.client().get(f"/large?size={size}")
                check(eventually(lambda: nodes[1].count("EVAL") and any(
                    words[0] == "SET" and len(words[2]) > size
                    for words in list(nodes[1].asked))),
                      size, [words[0] for words in nodes[1].asked])


@scenario
def a_word_does_not_overtake_the_purge_that_moved_sends_elsewhere():
    """Or who hears it would read once more what is purged only then."""
    with Nodes(2) as nodes:
        nodes.map = [(nodes[0], "0-16383", "")]
        with a_box(nodes.urls(0), timeout="2s", purge="cacheback_purge 1;"
                   ) as box:
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            seen = []

            def is_purge(words):
                return words[0] == "EVAL" and "'HINCRBY', KEYS[3]" in words[1]

            def first(words):
                if words[0] == "XADD" and "removed" in words:
                    seen.append("word")
                return (b"-MOVED 1 127.0.0.1:%d\r\n" % nodes[1].port
                        if is_purge(words) else nodes.say(words))

            def second(words):
                if is_purge(words):
                    time.sleep(0.1)     # its link is new, and slow
                    seen.append("purge")
                    return b":1\r\n"
                return nodes.say(words)
            nodes[0].answer, nodes[1].answer = first, second
            check(box.client().get("/o", method="PURGE").code == 204)
            check(eventually(lambda: seen[-1:] == ["word"]
                             and "purge" in seen), seen)


@scenario
def who_is_told_of_a_purge_that_moved_does_not_find_what_it_purged():
    """Read from Redis meanwhile by another worker; the one that purges has much
    to do when it has told its client."""
    if not has_lua():
        return
    with Nodes(2) as nodes:
        nodes.map = [(nodes[0], "0-16383", "")]
        http = CONF.replace("memory off", "memory 16m") % (
            "", nodes.urls(0), "2s", """
            cacheback_purge 1;
            add_header X-Pid  $pid always;
            add_header X-Tier $cacheback_tier always;
            log_by_lua_block {
                local ends = os.clock() + 0.5
                while ngx.var.request_method == "PURGE" and os.clock() < ends
                do end
            }""")
        held = []

        def is_purge(words):
            return (words[0] == "EVAL"
                    and "'HINCRBY', KEYS[3], ARGV[1]" in words[1])

        def first(words):
            if words[0] == "SET" and "/o?" in words[2]:
                held[:] = [words[2].encode("latin-1")]
            if words[0] == "GET" and "{" in words[1] and held:
                return b"$%d\r\n%s\r\n" % (len(held[0]), held[0])
            return (b"-MOVED 1 127.0.0.1:%d\r\n" % nodes[1].port
                    if is_purge(words) else nodes.say(words))

        def second(words):
            if is_purge(words):
                time.sleep(0.4)
                held.clear()
                return b":1\r\n"
            return nodes.say(words)
        nodes[0].answer, nodes[1].answer = first, second
        with Box(http, workers=2) as box:
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            purger, reader = box.client(), box.client()
            pid = purger.get("/o").fields["x-pid"]
            while reader.get("/o").fields["x-pid"] == pid:
                reader = box.client()
            old = reader.get("/o").body
            check(eventually(lambda: held))
            purger.send("/o", method="PURGE")
            time.sleep(0.1)
            check(reader.get("/o").body == old)
            check(reader.get("/o").fields["x-tier"] == "memory")
            check(purger.receive("PURGE").code == 204)
            answer = reader.get("/o")
            check(answer.body != old, answer)


def resident(box):
    """MB of memory, of the worker."""
    with open(f"/proc/{box.worker_pids()[0]}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith("VmRSS")) / 1024


@scenario
def a_map_of_ever_new_nodes_is_not_believed():
    with Nodes(1) as nodes:
        nodes.map = [(nodes[0], "0-16383", "")]
        with a_box(nodes.urls(0)) as box:
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            before = resident(box)
            turn = [0]

            def lie(words):
                if words[:2] == ["CLUSTER", "NODES"]:
                    turn[0] += 1
                    return bulk("".join(
                        f"{i:040x} 127.{turn[0]}.{i // 250}.{i % 250}:1@1 master"
                        f" - 0 0 1 connected {i}\n" for i in range(4000)))
                if words[0] == "GET" and "{" in words[1]:
                    return b"-MOVED 1 127.0.0.1:%d\r\n" % nodes[0].port
                return None
            nodes[0].answer = lie
            end = time.monotonic() + 4
            while time.monotonic() < end:
                client = box.client()
                for i in range(20):
                    client.get(f"/o{i}")
                client.close()
                time.sleep(0.05)
            grown = resident(box) - before
            note(f"{turn[0]} maps, {grown:.0f} MB")
            check(turn[0] > 1 and grown < 40 * SLACK, turn, grown)


@scenario
def a_worker_that_was_held_up_forgets_the_feed_of_a_node_that_left():
    with Nodes(2) as nodes:
        # p:feed is in slot 6641.
        nodes.map = [(nodes[1], "0-8191", ""), (nodes[0], "8192-16383", "")]
        with a_box(nodes.urls(0)) as box:
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            check(eventually(lambda: nodes[1].count("XREAD") > 2))
            worker = box.worker_pids()[0]
            looks = threading.Event()
            told = threading.Event()
            stops = threading.Event()

            # Behind the new map comes a doubt, so the next look is an early
            # one; the worker sleeps before that, and before the feed's.
            def leave(words):
                if words[:2] == ["CLUSTER", "NODES"]:
                    nodes.map = [(nodes[0], "0-16383", "")]
                    looks.set()
                    time.sleep(0.1)
                    told.set()
                elif words[0] == "GET" and "{" in words[1]:
                    if looks.is_set() and not stops.is_set():
                        stops.set()
                        told.wait(1)
                        time.sleep(0.003)
                        threading.Timer(0.003, os.kill, (
                            worker, signal.SIGSTOP)).start()
                    return b"-MOVED 1 127.0.0.1:%d\r\n" % nodes[0].port
                return nodes.say(words)
            nodes[0].answer = leave
            nodes[1].answer = leave
            check(looks.wait(15))
            for i in range(8):
                box.client().send(f"/o{i}")
            check(stops.wait(5))
            time.sleep(12)
            os.kill(worker, signal.SIGCONT)
            nodes[0].answer = nodes.say
            check(is_asked(box, nodes[0]), box.log()[-1500:])
            check(box.worker_pids() == [worker], box.log()[-1500:])


main()
