#!/usr/bin/env python3
"""A Redis Cluster: each item at the node that holds its slot; a failover, a slot
on its way, nodes that join and leave, all under load."""
import hashlib, os, re, signal, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Crowd, Traffic, spread
from redis_servers import Certificates, Cluster, Server
from scenario import (Box, SLACK, check, eventually, free_port, main,
                      milliseconds, note, scenario)

CONF = """
    cacheback_store pages {
        memory %(memory)s;
        redis_cluster %%(cluster)s;
        %(tls)s
        redis_prefix p:;
        redis_timeout 500ms;
    }
    server {
        listen 127.0.0.1:%%(port)s;
        add_header X-Cache  $cacheback_status always;
        add_header X-Tier   $cacheback_tier always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback       pages %(lifetime)s;
            cacheback_key   $uri?$args;
            cacheback_purge 1;
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
    }"""
PAGES = [(f"/page{i}", 100 + 797 * i) for i in range(90)]


def conf(memory="off", lifetime="300ms", tls=""):
    return CONF % {"memory": memory, "lifetime": lifetime, "tls": tls}


class Clustered(Box):
    def __init__(self, http=None, secure=False, **others):
        self.secure = secure
        others.setdefault("workers", 2)
        super().__init__(http or conf(), **others)

    def write_conf(self, http=None):
        if "cluster" not in self.ports:
            self.ports["certs"] = self.dir
            tls = Certificates(self.dir) if self.secure else None
            self.cluster = Cluster(self, tls)
            self.ports["cluster"] = self.cluster.urls(
                "rediss" if self.secure else "redis")
        super().write_conf(http)


def entry_key(target):
    """The name of an item's entry in Redis."""
    path, _, query = target.partition("?")
    return "p:{%s}" % hashlib.md5(f"{path}?{query}".encode()).hexdigest()


def warm(box, count=60):
    """Stores items that spread over all nodes."""
    client = box.client()
    check(eventually(lambda: client.get("/first").cache == "HIT", 8),
          box.log()[-1500:])
    for i in range(count):
        client.get(f"/item{i}")
    check(eventually(lambda: sum(
        int(node("DBSIZE")) for node in box.cluster.masters()) >= count, 8),
        [node("DBSIZE") for node in box.cluster.masters()],
        box.log()[-1500:])


def readers(box):
    return sum("cmd=xread" in node("CLIENT", "LIST")
               for node in box.cluster.masters())


@scenario
def items_lie_where_their_slots_are():
    with Clustered(conf(lifetime="10m")) as box:
        warm(box)
        for node in box.cluster.masters():
            check(int(node("DBSIZE")) > 5, node("DBSIZE"))
        client = box.client()
        for i in range(60):
            answer = client.get(f"/item{i}")
            check(answer.cache == "HIT"
                  and answer.fields["x-tier"] == "redis", answer)
        check(not box.log_count(r"\[error\]"), box.log()[-1500:])


@scenario
def seeds_that_are_down_are_passed_over():
    with Clustered(conf(lifetime="10m")) as box:
        box.write_conf(box.http.replace(
            "redis_cluster", "redis_cluster redis://127.0.0.1:%(closed)s"))
        box.reload()
        warm(box)


def fleet(secure=False, memory="16m"):
    tls = "redis_tls ca=%(certs)s/ca.pem;" if secure else ""
    http = conf(memory, "10m", tls)
    one = Clustered(http, secure)
    return one, http


@scenario
def two_boxes_fetch_an_item_once_and_delete_it_for_both():
    for secure in (False, True):
        one, http = fleet(secure)
        with one, Box(http, workers=2, beside=one) as two:
            warm(one)
            check(eventually(lambda: readers(one) >= 1, 5))
            time.sleep(0.5)
            for name in ("a", "b", "c"):        # of different nodes
                crowds = [Crowd(box, f"/{name}?delay=0.3&size=16384", 30)
                          for box in (one, two)]
                answers = [a for crowd in crowds for a in crowd.wait()]
                check(one.origin_count(f"/{name}") == 1,
                      one.origin_count(f"/{name}"))
                check(len({a.body for a in answers}) == 1)
            seen = []
            first, second = one.client(), two.client()
            for i in range(30):
                target = f"/item{i}"
                check(eventually(lambda: second.get(target).cache == "HIT"))
                check(second.get(target).fields["x-tier"] == "memory")
                before = one.origin_count(target)
                check(first.get(target, method="PURGE").code == 204)
                started = time.monotonic()
                check(eventually(
                    lambda: second.get(target).cache == "MISS"
                    or one.origin_count(target) > before, 2, 0.0005))
                seen.append(time.monotonic() - started)
            note("over TLS:" if secure else "plain:",
                 "a delete is seen on the other box after", milliseconds(seen))
            check(sorted(seen)[15] < 0.02 * SLACK and max(seen) < 1.5, seen)


def under_load(box, act, after=2.5, least=500):
    with Traffic(box, PAGES, clients=6, pause=0.002) as traffic:
        time.sleep(1.0)
        act()
        time.sleep(after)
    traffic.check_all_well(least)
    note("answers", spread([r.took for r in traffic.results]))


def all_is_stored_and_found(box, name):
    """Items of all slots, in Redis."""
    client = box.client()
    targets = [f"/{name}{i}" for i in range(40)]
    for target in targets:
        client.get(target)
    missed = [t for t in targets if not eventually(
        lambda: client.get(t).fields.get("x-tier") == "redis", 2)]
    check(not missed, missed, box.log()[-2000:])


def failed_over(fail, revive=None, secure=False):
    tls = "redis_tls ca=%(certs)s/ca.pem;" if secure else ""
    with Clustered(conf(tls=tls), secure) as box:
        victim = box.cluster.nodes[0]
        names = {node.name for node in box.cluster.masters()}

        def act():
            fail(victim)
            check(eventually(lambda: {
                node.name for node in box.cluster.masters()
                if node is not victim} - names, 15))
            note("a replica took over")
        under_load(box, act)
        all_is_stored_and_found(box, "after")
        if revive:
            revive(victim)
            under_load(box, lambda: None)
            all_is_stored_and_found(box, "revived")


@scenario
def a_master_that_is_killed_is_followed_by_its_replica():
    failed_over(lambda node: node.kill(), lambda node: node.start())


@scenario
def so_it_is_over_tls():
    failed_over(lambda node: node.kill(), secure=True)


@scenario
def a_failover_that_was_asked_for_is_followed():
    def manual(node):
        replica = next(n for n in node_cluster(node).nodes if n(
            "ROLE").split("\n")[:3] == ["slave", "127.0.0.1", str(node.port)])
        replica("CLUSTER", "FAILOVER")

    def node_cluster(node):
        return node.box.cluster
    failed_over(manual)


@scenario
def a_slot_on_its_way_is_asked_for_at_both_ends():
    with Clustered(conf(lifetime="10m")) as box:
        warm(box)
        target = "/item7"
        key = entry_key(target)
        client = box.client()
        check(client.get(target).cache == "HIT")
        cluster = box.cluster
        slot = int(cluster.nodes[0]("CLUSTER", "KEYSLOT", key))
        source = cluster.holder(slot)
        there = next(n for n in cluster.masters() if n is not source)
        there("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.id_of(source))
        source("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.id_of(there))
        check(client.get(target).cache == "HIT")        # still at the source
        for name in source("CLUSTER", "GETKEYSINSLOT", slot, 100).split():
            answer = source("MIGRATE", "127.0.0.1", there.port, name, 0, 5000)
            check(answer == "OK", answer)
        for _ in range(5):                              # ASK
            answer = client.get(target)
            check(answer.cache == "HIT", answer, box.log()[-1000:])
        for node in [there, source] + cluster.masters():
            node("CLUSTER", "SETSLOT", slot, "NODE", cluster.id_of(there))
        for _ in range(5):                              # MOVED, then known
            answer = client.get(target)
            check(answer.cache == "HIT", answer, box.log()[-1000:])
        check(box.origin_count(target) == 1, box.origin_count(target))
        # And stored there, on either end of the link.
        check(client.get(target, method="PURGE").code == 204)
        check(client.get(target).cache == "MISS")
        check(eventually(lambda: client.get(target).cache == "HIT"))
        check(int(there("EXISTS", key)) == 1)


@scenario
def slots_move_to_a_new_node_and_an_empty_one_leaves():
    with Clustered() as box:
        cluster = box.cluster
        new = Server(box, "newcomer", cluster.nodes[0].options[:-2]
                     + ["--cluster-port", str(free_port())])

        def act():
            new.start()
            old = cluster.nodes[0]
            place = f"127.0.0.1:{old.port}"
            old("--cluster", "add-node", f"127.0.0.1:{new.port}", place)
            cluster.nodes.append(new)
            check(eventually(lambda: all(
                cluster.id_of(new) in n("CLUSTER", "NODES")
                and "cluster_state:ok" in n("CLUSTER", "INFO")
                for n in cluster.nodes), 15))
            time.sleep(1)
            answer = old("--cluster", "reshard", place, "--cluster-from",
                         cluster.id_of(old), "--cluster-to",
                         cluster.id_of(new), "--cluster-slots", 800,
                         "--cluster-yes")
            check(answer.count("Moving slot") >= 800
                  and "ERR" not in answer, answer[-600:])
        under_load(box, act)
        all_is_stored_and_found(box, "moved")
        check(int(new("DBSIZE")) > 0)


@scenario
def the_rights_that_readme_lists_suffice():
    with open(os.path.join(os.path.dirname(__file__), "../../README.md"),
              encoding="utf-8") as readme:
        text = readme.read()
    rights = re.search(r"`(\+get [^`]*)`", text).group(1).split()
    rights += ["+cluster|nodes", "+asking", "+ping", "+client|setname"]
    for right in rights:
        check("`%s`" % right in text or right in text
              or right in ("+ping", "+client|setname"), right)
    with Clustered(conf(lifetime="10m")) as box:
        for node in box.cluster.nodes:
            node("ACL", "SETUSER", "ann", "on", ">s3cret", "~p:*", *rights)
        box.write_conf(box.http.replace(
            "redis_cluster %(cluster)s", "redis_cluster "
            + box.cluster.urls().replace("redis://", "redis://ann:s3cret@")))
        box.reload()
        warm(box)
        all_is_stored_and_found(box, "with")
        client = box.client()
        check(client.get("/item3", method="PURGE").code == 204)
        check(client.get("/item3").cache == "MISS")
        time.sleep(1)
        check(not box.log_count("NOPERM"), box.log()[-1500:])


@scenario
def a_cluster_that_is_down_is_an_outage_and_then_none():
    with Clustered() as box:
        def act():
            for node in box.cluster.nodes:
                node.signal(signal.SIGSTOP)
            time.sleep(2)
            for node in box.cluster.nodes:
                node.signal(signal.SIGCONT)
        under_load(box, act, 4)
        all_is_stored_and_found(box, "after")


@scenario
def a_server_that_is_no_cluster_is_told():
    with Box(conf().replace("%(cluster)s", "redis://127.0.0.1:%(redis)s"),
             workers=1) as box:
        check(box.logged(r"redis cluster node 127.0.0.1:\d+ does not tell who "
                         r"holds what \(ERR This instance has cluster support "
                         r"disabled\)", 5), box.log()[-1500:])
        answer = box.client().get("/o")
        check(answer.code == 200 and answer.cache == "MISS", answer)


main()
