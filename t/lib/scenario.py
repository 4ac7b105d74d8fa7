"""Scenarios: tests that need a clock, a connection kept open, several workers
or processes that die. A file in t/scenario is a Python program with a .t name:

    #!/usr/bin/env python3
    import os, sys
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
    from scenario import Box, check, main, scenario

    @scenario
    def a_stale_answer_is_complete_at_once():
        with Box('''
            cacheback_store pages { memory 8m; }
            server {
                listen 127.0.0.1:%(port)s;
                location / {
                    cacheback pages 1s;
                    add_header X-Cache $cacheback_status;
                    proxy_pass http://127.0.0.1:%(origin)s;
                }
            }''', workers=2) as box:
            client = box.client()
            check(client.get("/o?delay=3").cache == "MISS")
            …

    main()

A Box starts nginx and what the configuration mentions: t/lib/origin.py
(%(origin)s), lua-nginx-module and lua_shim (_by_lua), a private Redis
(%(redis)s its port, %(redis_socket)s its path; %(proxy)s a way to it through a
network that may be bad), all on free ports. It stops them by process id, and
fails when the log has [alert], [crit] or [emerg], or a process is left. `prove`
runs the files, each prints TAP. Traffic of several clients at once is in
load.py.
"""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
MODULE = os.environ.get(
    "CACHEBACK_MODULE", ROOT + "/build/ngx_http_cacheback_module.so")
NGINX = os.environ.get("TEST_NGINX_BINARY") or "nginx"
BUILD = os.environ.get("CACHEBACK_BUILD", ROOT + "/build")
# Times are multiplied by this where tools make everything slow.
SLACK = float(os.environ.get("CACHEBACK_SLACK", "1"))

CONF = """
%(load)s
worker_processes %(workers)s;
daemon off;
pid nginx.pid;
error_log error.log %(log_level)s;
%(user)s
%(main)s
events { worker_connections %(connections)s; }
http {
    access_log access.log;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
%(http)s
}
"""


def lua_modules():
    """What this nginx has to load for Lua: paths, none where that is built in;
    None when it has no Lua."""
    built = subprocess.run([NGINX, "-V"], capture_output=True, text=True,
                           check=False).stderr
    if re.search(r"--add-module=\S*lua-nginx-module", built):
        return []
    found = re.search(r"--modules-path=(\S+)", built)
    paths = [f"{found[1]}/{name}.so" for name in
             ("ndk_http_module", "ngx_http_lua_module")] if found else []
    return paths if paths and all(map(os.path.exists, paths)) else None


def has_lua():
    return lua_modules() is not None


class Failed(Exception):
    pass


def note(*words):
    """A figure, for who reads the test's output."""
    print("#", *words, flush=True)


def milliseconds(seconds):
    """Median and worst of a list of times, as text."""
    return (f"median {statistics.median(seconds) * 1000:.2f} ms,"
            f" most {max(seconds) * 1000:.2f} ms of {len(seconds)}")


def check(holds, *saying):
    """Ends the scenario when `holds` is false, with the line that asked."""
    if not holds:
        frame = traceback.extract_stack(limit=2)[0]
        raise Failed(" ".join([f"line {frame.lineno}: {frame.line}"]
                              + [str(word) for word in saying]))


def eventually(question, seconds=3.0, step=0.01):
    """Waits until question() is true; returns its last answer."""
    end = time.monotonic() + seconds * SLACK
    while True:
        answer = question()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(step)


def free_port():
    """Outside the range of which the system takes ports for clients: a server
    that is stopped for a while finds it free again."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as s:
            with contextlib.suppress(OSError):
                s.bind(("127.0.0.1", port))
                return port


class Answer:
    def __init__(self, code, fields, body, took):
        self.code = code
        self.fields = fields            # names in lower case
        self.body = body
        self.took = took                # seconds, until the last byte

    @property
    def cache(self):
        return self.fields.get("x-cache")

    def __repr__(self):
        return (f"<{self.code} {self.cache} {self.took * 1000:.1f} ms "
                f"{self.body[:40]!r}>")


class Client:
    """One connection, kept open."""

    def __init__(self, port, timeout=15.0 * SLACK, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.host = f"127.0.0.1:{port}"

    def send(self, target, fields=None, method="GET", body=b""):
        lines = [f"{method} {target} HTTP/1.1"]
        fields = {"Host": self.host, **(fields or {})}
        if body:
            fields["Content-Length"] = str(len(body))
        lines += [f"{n}: {v}" for n, v in fields.items()]
        self.socket.sendall(
            ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)

    def receive(self, method="GET", started=None):
        started = time.monotonic() if started is None else started
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        code = int(head[0].split(" ")[1])
        fields = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            fields[name] = (fields[name] + ", " + value
                            if name in fields else value)
        if method == "HEAD" or code in (204, 304) or code < 200:
            body = b""
        elif fields.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                size = int(self._until(b"\r\n"), 16)
                body += self._exactly(size)
                self._exactly(2)
                if size == 0:
                    break
        elif "content-length" in fields:
            body = self._exactly(int(fields["content-length"]))
        else:
            body = self._rest()
        return Answer(code, fields, body, time.monotonic() - started)

    def get(self, target, fields=None, method="GET", body=b""):
        started = time.monotonic()
        self.send(target, fields, method, body)
        return self.receive(method, started)

    def closed_after(self, seconds):
        """The seconds until the server closes; None when it does not."""
        started = time.monotonic()
        self.socket.settimeout(seconds)
        try:
            if self.socket.recv(1) == b"":
                return time.monotonic() - started
        except TimeoutError:
            pass
        return None

    def close(self):
        self.socket.close()

    def reset(self):
        """Goes away with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        self.socket.close()

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.buffer += piece

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def _exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _rest(self):
        with contextlib.suppress(ConnectionError):
            while True:
                self._more()
        data, self.buffer = self.buffer, b""
        return data


class Redis:
    """As much of a Redis client as scenarios need."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5 * SLACK)
        self.file = self.socket.makefile("rb")

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self._reply()

    def _reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        check(kind == b"+", "redis answered", line)
        return rest

    def close(self):
        self.file.close()
        self.socket.close()


class Box:
    """nginx with what it needs, for the length of a `with`. `fakes` are names
    and modes of t/lib/fake_redis.py; %(NAME)s is the port. One that stands
    `beside` another uses that one's origin and Redis."""

    def __init__(self, http, workers=1, main="", log_level="info",
                 connections=512, expect_log=(), fakes=None, beside=None):
        self.http = http
        self.workers = workers
        self.main = main
        self.log_level = log_level
        self.connections = connections
        self.expect_log = expect_log    # regexes of lines that may be there
        self.fakes = fakes or {}
        self.children = {}
        self.ports = {"port": free_port()}
        if beside:
            self.ports = dict(beside.ports, **self.ports)

    def __enter__(self):
        os.makedirs(BUILD + "/t", exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix="box-", dir=BUILD + "/t")
        os.chmod(self.dir, 0o755)
        try:
            if "%(origin)s" in self.http and "origin" not in self.ports:
                self.ports["origin"] = self.speaking("origin.py")
            self.ports["closed"] = free_port()
            self.ports["dir"] = self.dir
            if (re.search(r"%\((redis|proxy)", self.http)
                    and "redis" not in self.ports):
                self.ports["redis"] = free_port()
                self.ports["redis_socket"] = self.short_path("redis.sock")
                self.start_redis()
            if "%(proxy)s" in self.http:
                self.ports["proxy"] = self.speaking(
                    "redis_proxy.py", str(self.ports["redis"]))
            for name, mode in self.fakes.items():
                self.ports[name] = self.speaking("fake_redis.py", mode)
            self.write_conf()
            self.start_nginx()
        except BaseException:
            self.stop_children()
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.stop_children()
        left = self.left_behind()
        complaints = ["the log has: " + line for line in self.alerts()]
        if left:
            complaints.append("still running: " + ", ".join(left))
        if not kind and not complaints:
            os.environ.get("CACHEBACK_KEEP") or shutil.rmtree(
                self.dir, ignore_errors=True)
            return
        for line in self.log().splitlines()[-30:]:
            print("# log:", line[:300], file=sys.stderr)
        print("# kept:", self.dir, file=sys.stderr, flush=True)
        if not kind:
            raise Failed(*complaints[:1])

    # --- processes ---

    def short_path(self, name):
        """A socket path longer than 107 bytes cannot be bound."""
        path = f"{self.dir}/{name}"
        if len(path) < 100:
            return path
        self.far = tempfile.TemporaryDirectory(prefix="cacheback-")
        return f"{self.far.name}/{name}"

    def left_behind(self):
        """Processes that still have this box as their directory, with what
        they are called."""
        left = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/cwd") == os.path.realpath(
                        self.dir):
                    with open(f"/proc/{pid}/cmdline", "rb") as line:
                        command = line.read().replace(b"\0", b" ").decode()
                    if command:         # a zombie has none
                        left.append(f"{pid} {command}")
        return left

    def spawn(self, name, *command, env=None, **options):
        self.children[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, cwd=self.dir, env=env,
            start_new_session=True, **options)
        return self.children[name]

    def speaking(self, program, *words):
        """A server of t/lib that prints its port first."""
        name = " ".join((program,) + words)
        child = self.spawn(name, sys.executable,
                           f"{ROOT}/t/lib/{program}", *words,
                           stdout=subprocess.PIPE)
        return int(child.stdout.readline())

    def start_redis(self, *options):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.ports["redis_socket"])
        with open(self.dir + "/redis.out", "ab") as out:
            self.spawn("redis", "redis-server", "--port",
                       str(self.ports["redis"]), "--bind", "127.0.0.1",
                       "--unixsocket", self.ports["redis_socket"],
                       "--save", "", "--appendonly", "no", "--dir", self.dir,
                       *options,
                       stdout=out, stderr=out)
        check(eventually(lambda: self.listens(self.ports["redis"])),
              "redis-server did not start")

    def network(self, *mode):
        """What happens between nginx and Redis, see redis_proxy.py."""
        # What is to happen once waits for the next look-up: a link that ended
        # again and again rests for up to 5 s before that.
        with socket.create_connection(("127.0.0.1", self.ports["proxy"]),
                                      30 * SLACK) as control:
            control.sendall(b"MODE " + " ".join(map(str, mode)).encode())
            return control.recv(16) == b"done\n"

    def write_conf(self, http=None):
        load = "" if os.environ.get("CACHEBACK_STATIC") else \
            f"load_module {MODULE};"
        if http is not None:
            self.http = http
        lua_path = ""
        if "_by_lua" in self.http and "lua_module" not in self.main:
            load = "".join(f"load_module {path};\n"
                           for path in lua_modules()) + load
            lua_path = f'lua_package_path "{ROOT}/lua_shim/lib/?.lua;;";\n'
        user = "user root;" if os.geteuid() == 0 else ""
        with open(self.dir + "/nginx.conf", "w", encoding="utf-8") as out:
            out.write(CONF % {
                "load": load, "workers": self.workers, "main": self.main,
                "log_level": self.log_level, "user": user,
                "connections": self.connections,
                "http": lua_path + self.http % self.ports})

    def start_nginx(self):
        env = dict(os.environ)
        if env.get("TEST_NGINX_LD_PRELOAD"):
            env["LD_PRELOAD"] = env["TEST_NGINX_LD_PRELOAD"]
        if "_by_lua" in self.http and env.get("ASAN_OPTIONS"):
            # LuaJIT and the exact unwinder wait for each other in libgcc.
            env["ASAN_OPTIONS"] = env["ASAN_OPTIONS"].replace(
                "fast_unwind_on_malloc=0", "fast_unwind_on_malloc=1")
        with open(self.dir + "/nginx.out", "ab") as out:
            nginx = self.spawn("nginx", NGINX, "-p", self.dir + "/", "-c",
                               self.dir + "/nginx.conf", "-e",
                               self.dir + "/error.log", env=env, stdout=out,
                               stderr=out)
        eventually(lambda: len(self.live_workers()) == self.workers
                   or nginx.poll() is not None, 10)
        check(nginx.poll() is None, "nginx did not start:", self.log()[-500:])

    def listens(self, port):
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return True
        except OSError:
            return False

    def signal(self, name, number):
        self.children[name].send_signal(number)

    def kill(self, name):
        child = self.children.pop(name)
        child.kill()
        child.wait()

    def reload(self):
        """HUP; returns when new workers have taken over, and no old one
        accepts clients any more."""
        before = set(self.worker_pids())
        self.signal("nginx", signal.SIGHUP)
        check(eventually(
            lambda: len(set(self.worker_pids()) - before) == self.workers
            and not before & set(self.live_workers()), 10), "no new workers")

    def worker_pids(self):
        """Workers that were started, as the log tells."""
        return [int(pid) for pid in re.findall(
            r"start worker process (\d+)", self.log())]

    def redis(self, *words):
        client = Redis(self.ports["redis"])
        try:
            return client(*words)
        finally:
            client.close()

    def entries(self):
        """Keys of entries in Redis; there are others beside them."""
        return [key for key in self.redis("KEYS", "*") if key.endswith(b"}")]

    def live_workers(self):
        """Workers that run now and are not on their way out."""
        live = []
        for pid in self.worker_pids():
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as line:
                    command = line.read()
                # Numbers are used again: it must be ours.
                if (b"nginx" in command and b"shutting down" not in command
                        and os.readlink(f"/proc/{pid}/cwd")
                        == os.path.realpath(self.dir)):
                    live.append(pid)
        return live

    def stop_children(self):
        for name in ["nginx"] + list(self.children):
            child = self.children.pop(name, None)
            if child is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGCONT)
                child.send_signal(signal.SIGQUIT if name == "nginx"
                                  else signal.SIGTERM)
            try:
                child.wait(10 * SLACK)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout:
                child.stdout.close()

    # --- what happened ---

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.dir + "/error.log", encoding="utf-8",
                      errors="replace") as log:
                return log.read()
        return ""

    def log_count(self, regex):
        return len(re.findall(regex, self.log()))

    def logged(self, regex, seconds=3.0):
        """Whether such a line is there, at last."""
        return eventually(lambda: self.log_count(regex), seconds)

    def alerts(self):
        return [line for line in self.log().splitlines()
                if re.search(r"\[(alert|crit|emerg)\]", line)
                and not any(re.search(e, line) for e in self.expect_log)]

    def client(self, **options):
        return Client(self.ports["port"], **options)

    def get(self, target, fields=None, method="GET"):
        """One request on a connection of its own."""
        client = self.client()
        try:
            return client.get(
                target, {"Connection": "close", **(fields or {})}, method)
        finally:
            client.close()

    def _ask_origin(self, what):
        client = Client(self.ports["origin"])
        try:
            return client.get("/_/" + what).body.decode()
        finally:
            client.close()

    def origin_count(self, path):
        return int(self._ask_origin(f"count?path={path}"))

    def origin_counts(self):
        """The same for each path."""
        return json.loads(self._ask_origin("counts"))

    def origin_running(self):
        """How many requests the origin is answering, and the most so far."""
        return [int(n) for n in self._ask_origin("running").split()]

    def origin_answered(self, path, count, seconds=5):
        """Waits until the origin has answered so often; the count so far."""
        return int(self._ask_origin(
            f"wait?path={path}&count={count}&timeout={seconds * SLACK}"))

    def origin_fields(self, path):
        return self._ask_origin(f"fields?path={path}")


_scenarios = []


def scenario(function):
    _scenarios.append(function)
    return function


def main(needs_lua=False):
    """Runs the scenarios of the file, or those named on the command line."""
    if needs_lua and not has_lua():
        print("1..0 # SKIP this nginx has no ngx_http_lua_module")
        return
    if not os.path.exists("/proc/self"):
        print("1..0 # SKIP they watch processes through /proc, not there")
        return
    chosen = [s for s in _scenarios
              if not sys.argv[1:] or s.__name__ in sys.argv[1:]]
    print(f"1..{len(chosen)}", flush=True)
    failures = 0
    for number, function in enumerate(chosen, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failures += 1
            print(f"not ok {number} - {name}", flush=True)
            text = (str(error) if isinstance(error, Failed)
                    else traceback.format_exc())
            for line in text.splitlines():
                print(f"# {line}", file=sys.stderr, flush=True)
    sys.exit(1 if failures else 0)
