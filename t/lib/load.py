"""Traffic for scenarios: clients that ask one after the other, each in a thread
of its own, and compare every byte of what they get.

    with Traffic(box, pages, clients=8) as traffic:
        …                               # what happens meanwhile
    traffic.check_all_well()

And a steady rate of requests over many connections, for times: one thread, so
that clients do not wait for each other.

    steady = Steady(box, targets, rate=300, clients=100)
    steady.run(seconds=5)
    steady.took                         # of each request

A page is a target of t/lib/origin.py with `size=`: its body is "PATH #N " over
and over, N being the how-manieth answer of the origin it is. So a body says by
itself whether all of it belongs to its URL and to one version.
"""

import gc
import random
import re
import select
import socket
import sys
import threading
import time

from scenario import Client, check

# Clients share one interpreter: let none wait for long.
sys.setswitchinterval(0.0005)


def page_target(path, size, **query):
    """What to ask for, so that is_page() can judge the answer."""
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return f"{path}?size={size}{more}"


def page_body(path, number, size):
    word = f"{path} #{number} ".encode()
    return (word * (size // len(word) + 1))[:size]


def is_page(body, path, size):
    """The version of a page, from its body; 0 when any byte is wrong."""
    number = re.match(rb"[^ ]* #(\d+) ", body)
    if number is None or body != page_body(path, int(number[1]), size):
        return 0
    return int(number[1])


class Result:
    """What one request came to."""

    def __init__(self, target, started, answer=None, wrong=None):
        self.target = target
        self.started = started          # time.monotonic()
        self.took = time.monotonic() - started
        self.code = answer.code if answer else 0
        self.cache = answer.cache if answer else None
        self.wrong = wrong              # None, or what is wrong with it

    def __repr__(self):
        return f"{self.target[:80]}: {self.wrong} ({self.took * 1000:.0f} ms)"


class Crowd:
    """`count` clients that ask for the same at once."""

    def __init__(self, box, target, count, may_fail=False, fields=None):
        self.fields = fields
        self.answers = []
        self.failed = []
        self.may_fail = may_fail
        clients = [box.client() for _ in range(count)]
        self.threads = [threading.Thread(target=self._one, args=(c, target))
                        for c in clients]
        for thread in self.threads:
            thread.start()

    def _one(self, client, target):
        try:
            self.answers.append(client.get(target, self.fields))
        except Exception as error:
            self.failed.append(error)

    def join(self):
        for thread in self.threads:
            thread.join()

    def wait(self):
        self.join()
        check(self.may_fail or not self.failed, self.failed[:3])
        return self.answers

    def statuses(self):
        found = {}
        for answer in self.answers:
            found[answer.cache] = found.get(answer.cache, 0) + 1
        return found


class Traffic:
    """`pages` are paths with sizes: [("/p1", 1000), …]; or a function that is
    called with a random.Random and returns a target and a judge: judge(answer)
    says what is wrong, or None. Requests have a connection of their own,
    unless `keep` is set."""

    def __init__(self, box, pages, clients=8, keep=False, pause=0.0,
                 count=None, query=None):
        self.port = box.ports["port"]
        self.pages = pages
        self.query = query or {}
        self.keep = keep
        self.pause = pause
        self.left = count               # requests in total; None: until the end
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.results = []
        self.threads = [threading.Thread(target=self._run, args=(number,))
                        for number in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, value, trace):
        if self.left is None or kind:
            self.ended.set()
        for thread in self.threads:
            thread.join()

    def _another(self):
        if self.ended.is_set():
            return False
        if self.left is None:
            return True
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def _choose(self, chance):
        if callable(self.pages):
            return self.pages(chance)
        path, size = chance.choice(self.pages)

        def judge(answer):
            if answer.code != 200:
                return f"status {answer.code}"
            if not is_page(answer.body, path, size):
                return f"not its body: {answer.body[:60]!r}"
            return None
        return page_target(path, size, **self.query), judge

    def _run(self, number):
        chance = random.Random(number)
        client = None
        while self._another():
            target, judge = self._choose(chance)
            request = target if isinstance(target, tuple) else (target,)
            started = time.monotonic()
            fields = dict(request[1]) if len(request) > 1 else {}
            method = request[2] if len(request) > 2 else "GET"
            body = request[3] if len(request) > 3 else b""
            if not self.keep:
                fields["Connection"] = "close"
            used = client is not None
            try:
                try:
                    client = client or Client(self.port)
                    answer = client.get(request[0], fields, method, body)
                except ConnectionError:
                    # A server may close an idle connection at any time; when
                    # no byte of an answer came, one asks again (RFC 9112 9.3.1)
                    if not used or client.buffer:
                        raise
                    client.close()
                    client = Client(self.port)
                    answer = client.get(request[0], fields, method, body)
                result = Result(request[0], started, answer, judge(answer))
                over = (not self.keep
                        or answer.fields.get("connection") == "close")
            except (OSError, ValueError, IndexError) as error:
                result = Result(request[0], started, None, repr(error))
                over = True
            self.results.append(result)
            if over and client is not None:
                client.close()
                client = None
            if self.pause:
                time.sleep(self.pause)
        if client is not None:
            client.close()

    # --- afterwards ---

    def wrong(self):
        return [r for r in self.results if r.wrong]

    def check_all_well(self, least=1):
        wrong = self.wrong()
        check(not wrong, f"{len(wrong)} of {len(self.results)}:", wrong[:5])
        check(len(self.results) >= least, len(self.results), "requests only")

    def between(self, start, end):
        """Times of the requests that began so."""
        return [r.took for r in self.results if start <= r.started < end]

    def statuses(self):
        found = {}
        for result in self.results:
            found[result.cache] = found.get(result.cache, 0) + 1
        return ", ".join(f"{count} {status}" for status, count in sorted(
            found.items(), key=lambda pair: -pair[1]))


class Steady:
    """Asks `rate` times a second, whether or not answers have come, each time
    on the connection that is idle for longest; when none is, `late`. `requests`
    yields what to ask: (target, fields, what the judge is to know);
    `judge(known, answer)` says what is wrong with an answer, or None. An answer
    is (code, fields as bytes, body)."""

    def __init__(self, box, requests, judge, rate, clients=100):
        self.requests = requests
        self.judge = judge
        self.rate = rate
        self.host = f"127.0.0.1:{box.ports['port']}"
        self.epoll = select.epoll()
        self.idle = []
        self.busy = {}                  # descriptor: [socket, sent, known, data]
        self.took = []
        self.wrong = []
        self.late = 0
        for _ in range(clients):
            client = socket.create_connection(
                ("127.0.0.1", box.ports["port"]), 15)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.epoll.register(client, select.EPOLLIN)
            self.idle.append(client)

    def run(self, seconds=0.0, count=0, until=None):
        """Until `seconds` have passed, `count` requests are sent, or until()
        is true, which is asked now and then; and all are answered."""
        self.took = []
        first = len(self.wrong)
        # A collection of garbage would count as the server's time.
        gc.collect()
        gc.disable()
        started = time.monotonic()
        due = started
        asked = 0
        sent = 0
        while True:
            now = time.monotonic()
            over = ((seconds and now - started >= seconds)
                    or (count and sent >= count))
            if until and not over and now - asked > 0.2:
                over = until()
                asked = now
            if over and not self.busy:
                break
            while not over and due <= now and self.idle:
                self._send(*next(self.requests))
                sent += 1
                self.late += now - due > 0.05
                over = count and sent >= count
                due += 1 / self.rate
            wait = 0.05
            if not over and self.idle:
                wait = max(due - time.monotonic(), 0)
            for descriptor, _ in self.epoll.poll(wait):
                self._receive(descriptor)
        gc.enable()
        check(len(self.wrong) == first, len(self.wrong) - first, "of", sent,
              self.wrong[first:first + 3])

    def _send(self, target, fields, known):
        client = self.idle.pop(0)
        text = (f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\n{fields}\r\n"
                .encode("latin-1"))
        self.busy[client.fileno()] = [client, time.monotonic(), known, b""]
        client.send(text)

    def _receive(self, descriptor):
        connection = self.busy.get(descriptor)
        check(connection, "a connection was closed while idle")
        client, sent, known, before = connection
        piece = client.recv(262144)
        now = time.monotonic()
        check(piece, "a connection was closed while busy:", known)
        data = connection[3] = before + piece
        head, mark, body = data.partition(b"\r\n\r\n")
        if not mark:
            return
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if length is None or len(body) < int(length[1]):
            check(length, "no length in", head)
            return
        self.took.append(now - sent)
        del self.busy[descriptor]
        self.idle.append(client)
        code = int(head[9:12])
        wrong = self.judge(known, (code, head, body))
        if wrong:
            self.wrong.append(f"{known}: {wrong}")

    def close(self):
        for client in self.idle + [entry[0] for entry in self.busy.values()]:
            client.close()
        self.epoll.close()


def percentile(times, part):
    times = sorted(times)
    return times[min(int(len(times) * part), len(times) - 1)]


def spread(times):
    if not times:
        return "none"
    return (f"p50 {percentile(times, 0.5) * 1000:.1f} ms,"
            f" p99 {percentile(times, 0.99) * 1000:.1f} ms,"
            f" most {max(times) * 1000:.1f} ms of {len(times)}")
