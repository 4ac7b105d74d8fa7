#!/usr/bin/env python3
"""Shows the module at work: nginx, a Redis and a slow origin, all private.

    util/demo.py          the story with real requests, then exits: 0 if it held
    util/demo.py run      keeps running on port 8080 (PORT=…) until Ctrl-C

`make demo` and `make run` call this. MODULE names the module, NGINX the binary.
Everything lives in a temporary folder and is stopped by process id.
"""

import http.client
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LUA_LIB = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../lua_shim/lib")
RENDERING = 1.5         # seconds the origin takes for a page
LIFETIME = 2            # seconds an item is fresh

CONF = """
{load_lua}
load_module {module};
worker_processes 2;
daemon off;
pid nginx.pid;
error_log error.log notice;
events {{ }}

http {{
    access_log            access.log;
    client_body_temp_path temp;
    proxy_temp_path       temp;
    fastcgi_temp_path     temp;
    uwsgi_temp_path       temp;
    scgi_temp_path        temp;
    {lua_job}

    cacheback_store pages {{
        memory  64m;
        redis   redis://127.0.0.1:{redis}/0;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            cacheback   pages {lifetime}s;
            add_header  X-Cache $cacheback_status always;
            proxy_pass  http://127.0.0.1:{origin};
        }}
        {lua_location}
    }}
}}
"""

# The same for a Lua function, where nginx has lua-nginx-module.
LUA_JOB = """
    lua_package_path "%(lib)s/?.lua;;";
    init_by_lua_block {
        job = require("resty.cacheback").new("pages", "demo", {
            lifetime = %(lifetime)s,
            fetch = function(uri)
                ngx.sleep(%(rendering)s)
                return "computed for " .. uri .. " at "
                    .. ngx.localtime():sub(12) .. "\\n"
            end,
        })
    }
"""
LUA_LOCATION = """
        location /lua/ {
            content_by_lua_block {
                local value, err, status = job:get(ngx.var.uri)
                ngx.header["X-Cache"] = status
                ngx.print(value or err)
            }
        }
"""


class SlowOrigin(http.server.BaseHTTPRequestHandler):
    """Renders a page, slowly, and numbers what it renders."""
    protocol_version = "HTTP/1.1"
    rendered = 0

    def do_GET(self):
        time.sleep(RENDERING)
        SlowOrigin.rendered += 1
        page = (f"page {SlowOrigin.rendered}, rendered at "
                f"{time.strftime('%H:%M:%S')}\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass                            # the terminal is for the story


def lua_modules(nginx):
    """Paths of what lua-nginx-module needs; empty where there is none."""
    built = subprocess.run([nginx, "-V"], capture_output=True, text=True,
                           check=False).stderr
    found = re.search(r"--modules-path=(\S+)", built)
    paths = [f"{found[1]}/{name}.so" for name in
             ("ndk_http_module", "ngx_http_lua_module")] if found else []
    return paths if all(map(os.path.exists, paths)) else []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


class Demo:
    def __init__(self, port):
        self.port = port
        self.redis_port = free_port()
        self.dir = tempfile.mkdtemp(prefix="cacheback-demo-")
        os.chmod(self.dir, 0o755)       # workers are another user than root
        self.children = {}
        self.origin = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), SlowOrigin)
        self.origin.daemon_threads = True

    def start(self):
        threading.Thread(target=self.origin.serve_forever,
                         daemon=True).start()
        self.child("redis-server", "redis-server", "--port",
                   str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
                   "--dir", self.dir)
        self.wait_for("redis-server", self.redis_port)
        conf = os.path.join(self.dir, "nginx.conf")
        nginx = os.environ.get("NGINX") or "nginx"
        modules = lua_modules(nginx)
        self.has_lua = bool(modules)
        lua_job = LUA_JOB % {"lifetime": LIFETIME, "rendering": RENDERING,
                             "lib": LUA_LIB}
        with open(conf, "w", encoding="ascii") as out:
            out.write(CONF.format(
                load_lua="".join(f"load_module {m};\n" for m in modules),
                lua_job=lua_job if modules else "",
                lua_location=LUA_LOCATION if modules else "",
                module=os.environ["MODULE"], redis=self.redis_port,
                port=self.port, lifetime=LIFETIME,
                origin=self.origin.server_address[1]))
        self.child("nginx", nginx, "-p",
                   self.dir + "/", "-c", conf, "-e",
                   os.path.join(self.dir, "error.log"))
        self.wait_for("nginx", self.port)

    def child(self, name, *command):
        with open(os.path.join(self.dir, name + ".out"), "wb") as out:
            # A group of its own: Ctrl-C reaches us first.
            self.children[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True)

    def wait_for(self, name, port):
        child = self.children[name]
        for _ in range(500):
            if child.poll() is not None:
                break
            if listens(port):
                return
            time.sleep(0.01)
        for log in (name + ".out", "error.log"):
            path = os.path.join(self.dir, log)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as text:
                    sys.stderr.write(text.read())
        raise SystemExit(f"demo: {name} did not start")

    def stop(self, name):
        child = self.children.pop(name)
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def close(self):
        for name in list(self.children):
            self.stop(name)
        shutil.rmtree(self.dir, ignore_errors=True)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=10)
        started = time.monotonic()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        took = time.monotonic() - started
        connection.close()
        return answer.status, answer.getheader("X-Cache"), took, body


def tell(demo, path):
    """MISS, HIT, STALE, HIT for one page. Says whether all held."""
    good = True
    bodies = []

    def step(what, status, at_least, below):
        nonlocal good
        code, got, took, body = demo.get(path)
        held = (code == 200 and got and got.upper() == status
                and at_least <= took < below)
        good = good and held
        bodies.append(body)
        print(f"  GET {path:6} {got or '-':8} {took * 1000:7.1f} ms   "
              f"{body.strip():32} {what}{'' if held else '   <- WRONG'}")

    step("rendered while one waits", "MISS", RENDERING, 5)
    step("from the cache", "HIT", 0, 0.5)
    print(f"  … {LIFETIME} s later the item is stale")
    time.sleep(LIFETIME + 0.2)
    step("at once, renewed in the background", "STALE", 0, 0.5)
    print("  … it has been rendered meanwhile")
    time.sleep(RENDERING + 0.2)
    step("the new page, and nobody waited", "HIT", 0, 0.5)

    if not bodies[0] == bodies[1] == bodies[2] != bodies[3]:
        print("  the pages are not those expected   <- WRONG")
        good = False
    return good


def story(demo):
    print(f"An origin that takes {RENDERING} s for a page; items are fresh for "
          f"{LIFETIME} s.\n\nWith memory and Redis:")
    good = tell(demo, "/one")
    if demo.has_lua:
        print("\nA slow Lua function (resty.cacheback):")
        good = tell(demo, "/lua/") and good
    demo.stop("redis-server")
    print("\nRedis is stopped:")
    good = tell(demo, "/two") and good
    print("\nIt held." if good else "\nIt did not hold.")
    return 0 if good else 1


def keep_running(demo):
    url = f"http://127.0.0.1:{demo.port}/"
    print(f"""nginx with cacheback: {url}
The origin behind it takes {RENDERING} s for a page; items are fresh for {LIFETIME} s.

  curl -i {url}any/path        X-Cache: MISS, then HIT, after {LIFETIME} s STALE
  curl -i {url}lua/path        the same for a Lua function
  redis-cli -p {demo.redis_port} keys '*'              what Redis holds
  redis-cli -p {demo.redis_port} shutdown              and the site goes on
  {demo.dir}/nginx.conf     the configuration; error.log beside it

Ctrl-C stops everything.""", flush=True)
    nginx = demo.children["nginx"]
    nginx.wait()
    print("demo: nginx has ended", file=sys.stderr)
    return 1


def main():
    run = sys.argv[1:] == ["run"]
    port = int(os.environ.get("PORT") or 8080) if run else free_port()
    if listens(port):
        raise SystemExit(f"demo: port {port} is in use; try PORT=…")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demo = Demo(port)
    try:
        demo.start()
        return keep_running(demo) if run else story(demo)
    except KeyboardInterrupt:
        print("\nstopping")
        return 0
    finally:
        demo.close()


if __name__ == "__main__":
    sys.exit(main())
