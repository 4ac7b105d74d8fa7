#!/usr/bin/env python3
"""Somebody else writes to the Redis: with redis_sign that can take entries away,
and no more. The MAC is computed here anew, from docs/ENTRY_FORMAT.md."""
import hashlib, hmac, os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import Box, Redis, SLACK, check, eventually, main, note
from scenario import scenario
from load import Crowd, Traffic, is_page, page_target

KEY = b"a key of the shop that is long enough"
CONF = """
    cacheback_store pages {
        %(memory)s redis redis://127.0.0.1:%%(redis)s/0;
        redis_sign %%(dir)s/key;
    }
    server {
        listen 127.0.0.1:%%(port)s;
        add_header X-Cache  $cacheback_status always;
        add_header X-Tier   $cacheback_tier always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback       pages 10m;
            cacheback_key   $uri?$args;
            cacheback_purge 1;
            cacheback_lock  1s;
            proxy_pass http://127.0.0.1:%%(origin)s;
        }
    }"""


class SignedBox(Box):
    """With its key in a file, before nginx reads it."""
    def __init__(self, memory="memory off;", **options):
        super().__init__(CONF % {"memory": memory}, **options)

    def write_conf(self, http=None):
        with open(self.dir + "/key", "wb") as out:
            out.write(KEY + b"\n")
        os.chmod(self.dir + "/key", 0o600)
        super().write_conf(http)


def mac_of(name, entry):
    return hmac.new(KEY, name + b"\0" + entry, hashlib.sha256).digest()


def name_of(key):
    return b"cacheback:pages:{" + hashlib.md5(key).hexdigest().encode() + b"}"


@scenario
def an_entry_is_followed_by_its_mac():
    with SignedBox() as box:
        for size in (0, 100, 65000, 700000):
            target = f"/o{size}?size={size}"
            body = box.get(target).body
            name = name_of(target.encode())
            check(eventually(lambda: name in box.entries()))
            value = box.redis("GET", name)
            entry, mac = value[:-32], value[-32:]
            check(mac == mac_of(name, entry), size)
            check(entry.startswith(b"cacheent") and entry.endswith(body))
            answer = box.get(target)
            check(answer.cache == "HIT" and answer.body == body, answer)
        check(box.get("/o100?size=100").fields["x-tier"] == "redis")


@scenario
def no_forged_entry_is_served():
    with SignedBox() as box:
        box.get("/there?size=3000")
        box.get("/other?size=3000")
        check(eventually(lambda: len(box.entries()) == 2))
        name, other = name_of(b"/there?size=3000"), name_of(b"/other?size=3000")
        good = box.redis("GET", name)
        entry = good[:-32]
        forged = {
            "without a MAC": entry,
            "with another entry's": entry + box.redis("GET", other)[-32:],
            "of another key": box.redis("GET", other),
            "signed for another name": entry + mac_of(other, entry),
            "signed by another key": entry + hmac.new(
                b"x" * 32, name + b"\0" + entry, hashlib.sha256).digest(),
            "signed without its name": entry + hmac.new(
                KEY, entry, hashlib.sha256).digest(),
            "a byte of the MAC changed": good[:-1] + bytes([good[-1] ^ 1]),
            "a byte of the body changed":
                good[:-40] + bytes([good[-40] ^ 1]) + good[-39:],
            "a MAC cut short": good[:-1],
            "nothing but a MAC": mac_of(name, b""),
            "nothing": b"",
        }
        version = 1
        for what, value in forged.items():
            check(value != good, what)
            box.redis("SET", name, value)
            answer = box.get("/there?size=3000")
            check(answer.cache == "MISS", what, answer)
            check(answer.fields["x-reason"] == "redis", what, answer.fields)
            check(is_page(answer.body, "/there", 3000) == version + 1, what)
            version += 1
            check(box.logged(rf"redis holds {len(value)} bytes for \"/there"
                             r"\S+\" that are not", 2), what)
            check(eventually(lambda: box.redis("GET", name) != value), what)
            answer = box.get("/there?size=3000")
            check(answer.cache == "HIT", what, answer)
            check(is_page(answer.body, "/there", 3000) == version, what)
        check(box.log_count("not signed by a key of \"redis_sign\"") >= 9)
        note(len(forged), "kinds of forged entries, each a miss")
        # What was signed and is not the newest is taken: it was ours.
        box.redis("SET", name, good)
        answer = box.get("/there?size=3000")
        check(is_page(answer.body, "/there", 3000) == 1, answer)


@scenario
def a_forged_entry_does_not_replace_the_copy_in_memory():
    with SignedBox("memory 8m;") as box:
        box.get("/o")
        name = name_of(b"/o?")
        # The feed is lost, and the copy to be confirmed.
        box.redis("ACL", "SETUSER", "default", "-xread")
        time.sleep(1.3 * SLACK)
        value = b"not an entry at all"
        box.redis("SET", name, value)
        for _ in range(5):
            answer = box.get("/o")
            check(answer.cache == "HIT" and answer.body == b"/o #1\n", answer)
            time.sleep(0.05)


@scenario
def words_of_strangers_take_entries_away_and_no_more():
    """What anybody may say in the feed, as fast as it goes."""
    pages = [(f"/page{i}", 500 + 977 * i) for i in range(20)]
    with SignedBox("memory 8m;", workers=2) as box:
        stranger = Redis(box.ports["redis"])
        kinds = ("stored", "removed", "released", "uncacheable", "nonsense")
        with Traffic(box, pages, clients=4, keep=True,
                     pause=0.002) as traffic:
            end = time.monotonic() + 2.5
            said = 0
            while time.monotonic() < end:
                path, size = pages[said % len(pages)]
                stranger("XADD", "cacheback:pages:feed", "*", "change",
                         kinds[said % len(kinds)], "for", 10 ** 15, "box",
                         "1f", "key", page_target(path, size))
                said += 1
            stranger("XADD", "cacheback:pages:feed", "*", "no", "fields")
            stranger("XADD", "cacheback:pages:feed", "*", "change", "removed",
                     "for", "-1", "box", "nobody", "key", "x" * 100000)
            box.redis("DEL", "cacheback:pages:feed")
            box.redis("SET", "cacheback:pages:feed", "no stream")
            time.sleep(0.5)
        note(said, "words of a stranger,", len(traffic.results), "requests:",
             traffic.statuses())
        traffic.check_all_well(least=100 / SLACK)
        box.redis("DEL", "cacheback:pages:feed")
        # Nothing is known as uncacheable now, for however long that was said.
        time.sleep(0.6)
        for path, size in pages:
            target = page_target(path, size)
            check(eventually(lambda: box.get(target).cache == "HIT"), path)


@scenario
def what_was_purged_can_be_put_back_as_readme_says():
    """And not under the name of another item, nor with another key."""
    with SignedBox() as box:
        client = box.client()
        name, other = name_of(b"/o?"), name_of(b"/other?")
        client.get("/o")
        client.get("/other")
        check(eventually(lambda: {name, other} <= set(box.entries())))
        old = box.redis("GET", name)
        check(client.get("/o", method="PURGE").code == 204)
        box.redis("SET", name, old)
        answer = client.get("/o")
        check(answer.cache == "HIT" and answer.body == b"/o #1\n", answer)
        box.redis("SET", other, old)
        check(client.get("/other").body == b"/other #2\n")
        # A new key ends it.
        with open(box.dir + "/next", "w", encoding="ascii") as out:
            out.write("the key after that, which is as long as it has to be")
        os.chmod(box.dir + "/next", 0o600)
        box.write_conf(box.http.replace("%(dir)s/key", "%(dir)s/next"))
        box.reload()
        check(box.get("/o").body == b"/o #2\n")


@scenario
def a_purge_that_no_machine_can_be_told_of_says_so():
    with SignedBox("memory 8m;") as box:
        client = box.client()
        client.get("/o")
        check(eventually(lambda: name_of(b"/o?") in box.entries()))
        # No number is left for a message.
        box.redis("XADD", "cacheback:pages:feed", f"{2**64 - 1}-{2**64 - 1}",
                  "change", "released", "box", "1f", "key", "x")
        check(client.get("/o", method="PURGE").code == 503)
        check(client.get("/o").body == b"/o #2\n")
        check(box.logged("answered with an error"))


@scenario
def the_key_changes_under_load():
    """First the new key is believed everywhere, then used, then the old one is
    forgotten: no client gets anything but its page."""
    pages = [(f"/page{i}", 500 + 977 * i) for i in range(20)]
    conf = CONF % {"memory": "memory off;"}
    with SignedBox(workers=2) as box:
        with open(box.dir + "/next", "w", encoding="ascii") as out:
            out.write("the key after that, which is as long as it has to be")
        os.chmod(box.dir + "/next", 0o600)
        with Traffic(box, pages, clients=4, pause=0.002) as traffic:
            for words in ("%(dir)s/key %(dir)s/next", "%(dir)s/next "
                          "%(dir)s/key", "%(dir)s/next"):
                time.sleep(0.4)
                box.write_conf(conf.replace("%(dir)s/key", words))
                box.reload()
            time.sleep(0.4)
        note(traffic.statuses())
        traffic.check_all_well(least=100 / SLACK)


main()
