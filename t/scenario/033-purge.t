#!/usr/bin/env python3
"""A PURGE takes effect on all machines, whether or not its client waits for the
answer."""
import os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from fleet import held, readers
from scenario import Box, check, eventually, main, scenario

SOFT = {"Cacheback-Purge": "soft"}


def conf(redis, memory="16m"):
    return """
        cacheback_store pages {
            memory        %s;
            redis         redis://%s/0;
            redis_timeout 5s;
        }
        server {
            listen 127.0.0.1:%%(port)s;
            add_header X-Cache $cacheback_status always;
            add_header X-Tier  $cacheback_tier always;
            add_header X-Pid   $pid always;
            location / {
                cacheback       pages 10m;
                cacheback_key   $uri?$args;
                cacheback_purge 1;
                proxy_pass http://127.0.0.1:%%(origin)s;
            }
        }""" % (memory, redis)


def two_workers(box):
    """Clients of either one, the pages of which are in Redis."""
    client = box.client()
    pid = client.get("/who?").fields["x-pid"]
    for _ in range(200):
        other = box.client()
        if other.get("/who?").fields["x-pid"] != pid:
            return client, other
        other.close()
    return check(False, "all clients got to the same worker")


def purge_and_leave(box, client, target, fields=None):
    """Redis has not even got the command by then."""
    box.network("hold", "GET")          # which is in each script, too
    client.send(target, fields, "PURGE")
    time.sleep(0.1)
    client.close()
    time.sleep(0.1)


@scenario
def what_was_read_before_redis_had_deleted_it_does_not_stay():
    with Box(conf("127.0.0.1:%(proxy)s"), workers=2) as box:
        for number in range(3):
            target = f"/o{number}"
            purger, reader = two_workers(box)
            reader.get(target)
            old = held(reader, target)
            box.network("hold", "EVAL")
            purger.send(target, method="PURGE")
            time.sleep(0.1)
            purger.close()
            check(reader.get(target).body == old)       # Redis has it still
            check(reader.get(target).fields["x-tier"] == "memory")
            box.network("pass")
            check(eventually(lambda: reader.get(target).body != old),
                  "there again")


@scenario
def the_other_machine_hears_of_it():
    with Box(conf("127.0.0.1:%(proxy)s")) as one, \
            Box(conf("127.0.0.1:%(redis)s"), beside=one) as two:
        check(eventually(lambda: readers(one) == 2))
        for fields in (None, SOFT):
            target = "/soft" if fields else "/hard"
            there = two.client()
            one.get(target)
            old = held(there, target)
            purge_and_leave(one, one.client(), target, fields)
            check(there.get(target).body == old)
            one.network("pass")
            check(eventually(lambda: there.get(target).body != old),
                  target, there.get(target))
            check(eventually(lambda: one.get(target).body != old), target)


@scenario
def a_soft_one_marks_what_only_redis_holds():
    with Box(conf("127.0.0.1:%(proxy)s", "off")) as box:
        client = box.client()
        client.get("/o")
        check(eventually(lambda: client.get("/o").cache == "HIT"))
        purge_and_leave(box, box.client(), "/o", SOFT)
        box.network("pass")
        check(eventually(
            lambda: client.get("/o").cache in ("STALE", "UPDATING")),
            client.get("/o"))
        check(eventually(lambda: client.get("/o").body == b"/o #2\n"))


@scenario
def it_is_answered_when_redis_has_done_it():
    for fields, code in ((None, 204), (SOFT, 202)):
        with Box(conf("127.0.0.1:%(proxy)s")) as box:
            client = box.client()
            client.get("/o")
            held(client, "/o")
            box.network("hold", "GET")
            client.send("/o", fields, "PURGE")
            check(client.closed_after(0.3) is None)
            box.network("pass")
            client.socket.settimeout(5)
            answer = client.receive("PURGE")
            check(answer.code == code, answer)
            check(client.get("/none", fields, "PURGE").code == 404)


main()
