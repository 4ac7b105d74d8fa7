#!/usr/bin/env python3
"""Redis over TLS: who the server is gets verified, and nothing is ever said to
one that is not."""
import os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from load import Traffic, spread
from redis_servers import Certificates, Server
from scenario import Box, check, eventually, main, note, scenario

CONF = """
    %(more)s
    cacheback_store pages {
        memory off;
        redis  rediss://%(login)s%(host)s:%%(secure)s;
        %(tls)s
        redis_timeout 1s;
        redis_prefix p:;
    }
    server {
        listen 127.0.0.1:%%(port)s;
        add_header X-Cache  $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback  pages 10m;
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
    }"""


class Secure(Box):
    """A box whose Redis speaks TLS alone."""

    def __init__(self, tls, host="127.0.0.1", login="", more="",
                 server="server", clients="no", options=(), **others):
        self.server, self.clients, self.options = server, clients, options
        super().__init__(CONF % {"tls": tls, "host": host, "login": login,
                                 "more": more}, workers=2, **others)

    def write_conf(self, http=None):
        if "secure" not in self.ports:
            self.ports["certs"] = self.dir
            self.certificates = Certificates(self.dir)
            self.secure = Server(
                self, "secure", self.options, self.certificates,
                self.certificates.server_options(self.server, self.clients))
            self.ports["secure"] = self.secure.port
            self.secure.start()
        super().write_conf(http)


def serves(box):
    """Stores in Redis, and finds what it stored."""
    client = box.client()
    target = "/o?size=20000"
    first = client.get(target)
    check(first.cache == "MISS", first)
    check(eventually(lambda: client.get(target).cache == "HIT"),
          client.get(target), box.log()[-1500:])
    check(client.get(target).body == first.body)
    # Larger than what goes through in one record, or at once.
    large = "/large?size=900000"
    first = client.get(large)
    check(eventually(lambda: client.get(large).cache == "HIT"))
    check(client.get(large).body == first.body)


def stays_away(box, words):
    """An outage: served without Redis, which is told nothing."""
    client = box.client()
    check(box.logged(words), words, box.log()[-1500:])
    for _ in range(5):
        answer = client.get("/o")
        check(answer.code == 200 and answer.cache == "MISS", answer)
        check(answer.fields.get("x-reason") == "redis", answer.fields)
        time.sleep(0.1)
    box.secure.tls = box.certificates
    check(box.secure("DBSIZE") == "0", box.secure("DBSIZE"))


@scenario
def entries_travel_through_tls():
    with Secure("redis_tls ca=%(certs)s/ca.pem;") as box:
        serves(box)


@scenario
def a_name_is_sent_and_verified():
    with Secure("redis_tls ca=%(certs)s/ca.pem;", host="localhost") as box:
        serves(box)
    with Secure("redis_tls ca=%(certs)s/ca.pem name=cache.example;") as box:
        serves(box)


@scenario
def a_client_certificate_is_shown():
    with Secure("redis_tls ca=%(certs)s/ca.pem cert=%(certs)s/client.pem"
                " key=%(certs)s/client-key.pem;", clients="yes") as box:
        serves(box)


@scenario
def a_server_that_wants_a_client_certificate_gets_none():
    with Secure("redis_tls ca=%(certs)s/ca.pem;", clients="yes") as box:
        stays_away(box, r"redis 127.0.0.1:\d+ unreachable \(.*: .*"
                   r"(certificate required|handshake failure)")


@scenario
def a_user_of_an_acl_logs_in():
    with Secure("redis_tls ca=%(certs)s/ca.pem;", login="ann:s%%40fe@",
                options=["--user", *"ann on >s@fe ~p:* +@all".split(),
                         "--user", "default", "off"]) as box:
        client = box.client()
        check(client.get("/o").cache == "MISS")
        check(eventually(lambda: client.get("/o").cache == "HIT"),
              box.log()[-1500:])


@scenario
def a_certificate_of_a_stranger_is_refused():
    with Secure("redis_tls ca=%(certs)s/stranger.pem;") as box:
        stays_away(box, r"unreachable \(its certificate is not trusted "
                   r"\(\d+: .*\)\), serving without it")


@scenario
def a_certificate_that_only_the_system_could_know_is_refused():
    with Secure("") as box:
        stays_away(box, r"unreachable \(its certificate is not trusted "
                   r"\(\d+: .*\)\), serving without it")


@scenario
def a_certificate_for_another_name_is_refused():
    with Secure("redis_tls ca=%(certs)s/ca.pem;", server="elsewhere") as box:
        stays_away(box, r"unreachable \(its certificate is not for "
                   r'"127.0.0.1"\), serving without it')
    with Secure("redis_tls ca=%(certs)s/ca.pem;", server="elsewhere",
                host="localhost") as box:
        stays_away(box, r"unreachable \(its certificate is not for "
                   r'"localhost"\), serving without it')


@scenario
def verification_can_be_turned_off():
    with Secure("redis_tls verify=off;", server="elsewhere") as box:
        serves(box)


@scenario
def a_server_that_speaks_plain_text_is_not_spoken_to():
    conf = CONF % {"tls": "redis_tls verify=off;", "host": "127.0.0.1",
                   "login": ":secret@", "more": ""}
    with Box(conf.replace("%(secure)s", "%(redis)s")) as box:
        client = box.client()
        check(box.logged(r"unreachable \(TLS handshake .*\), "
                         r"serving without it", 8),
              box.log()[-1500:])
        check(client.get("/o").cache == "MISS")
        check(box.redis("DBSIZE") == 0)


@scenario
def killed_and_restarted_under_load():
    pages = [(f"/page{i}", 100 + 3797 * i) for i in range(40)]
    with Secure("redis_tls ca=%(certs)s/ca.pem;") as box:
        with Traffic(box, pages, clients=6, pause=0.002) as traffic:
            time.sleep(1.0)
            box.secure.kill()
            time.sleep(1.5)
            box.secure.start()
            check(box.logged(r"reachable again after"), box.log()[-1000:])
            time.sleep(1.0)
        traffic.check_all_well(500)
        note("over TLS, killed and back:",
             spread([r.took for r in traffic.results]))


main()
