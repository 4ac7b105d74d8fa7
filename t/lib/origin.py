#!/usr/bin/env python3
"""A programmable origin for tests. Prints its port, serves until killed.

Every path is a page; its query says what is answered:

    status=500            status code (default 200)
    body=TEXT             body; default "PATH #N\\n", N counting requests of PATH
    size=BYTES            a body of so many bytes, different for each N
    delay=S               seconds before the head of the response
    drip=S                the body in four pieces, S seconds apart
    stall=S               seconds between head and body
    cc=VALUE              Cache-Control; max_age=N is short for max-age=N
    etag=TAG              ETag: "TAG", answers If-None-Match with 304
    modified=SECONDS      Last-Modified, in Unix time; answers If-Modified-Since
    h=Name:VALUE          any response field, may be repeated
    date=S expires=S changed=S
                          Date, Expires, Last-Modified: S seconds from now
    form=rfc850|asctime   the form of Expires
    mark=1                " for M" in the body, M being the request's cookie
                          `mark`, where it sent one
    sets=K                each Kth answer does so, and sets that cookie again
    type=TYPE             Content-Type (default text/plain)
    chunked=1  close=1    framing: chunked, or until the connection closes
    gzip=1                the body compressed, with Content-Encoding
    truncate=1            closes in the middle of the body
    reset=1               closes without an answer
    garbage=1             answers what is not HTTP

`A|B|C` as a value: A for the first request of the path, B for the second, C
from the third on. So `/o?status=200|500` breaks after the first answer.

    /_/count?path=P           how many requests of P have come
    /_/counts                 the same for all paths, as JSON
    /_/wait?path=P&count=N    the same, once N have been answered (at most
                              `timeout` seconds, default 3)
    /_/fields?path=P          the last request of P: its line and its fields
    /_/running                how many are being answered now, and the most
    /_/sleep?s=S              answers after S seconds
    /_/reset                  forgets all counts
"""

import asyncio
import email.utils
import gzip
import json
import re
import sys
import time
import urllib.parse


class Origin:
    def __init__(self):
        self.server = None
        self.reset()

    def reset(self):
        self.round = object()   # what is still being answered counts no more
        self.asked = {}
        self.answered = {}
        self.last = {}
        self.running = 0
        self.most = 0

    async def listen(self, port=0):
        self.server = await asyncio.start_server(
            self.serve, "127.0.0.1", port, backlog=1024)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError, TimeoutError):
            pass                        # the peer went away: nothing to serve
        finally:
            writer.close()

    async def one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.rstrip("\r\n").split("\r\n")
        method, target, version = line.split(" ", 2)
        fields = [f.split(":", 1) for f in fields]
        fields = [(n.strip(), v.strip()) for n, v in fields]
        known = {n.lower(): v for n, v in fields}
        body = await reader.readexactly(int(known.get("content-length", 0)))
        path, _, query = target.partition("?")
        args = urllib.parse.parse_qs(query, keep_blank_values=True)
        keep = (version == "HTTP/1.1"
                and known.get("connection", "").lower() != "close")

        if path.startswith("/_/"):
            text = await self.control(path[3:], args)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                         b"Cache-Control: no-store\r\n\r\n%s"
                         % (len(text), text))
            await writer.drain()
            return keep

        number = self.asked[path] = self.asked.get(path, 0) + 1
        self.last[path] = "".join(
            [line + "\n"] + [f"{n}: {v}\n" for n, v in fields]
            + (["\n", body.decode("latin-1"), "\n"] if body else []))
        self.running += 1
        self.most = max(self.most, self.running)
        asked_in = self.round
        try:
            return await self.page(writer, method, path, number, args,
                                   known) and keep
        finally:
            if asked_in is self.round:
                self.running -= 1
                self.answered[path] = self.answered.get(path, 0) + 1

    async def page(self, writer, method, path, number, args, fields):
        def arg(name, default=None):
            if name not in args:
                return default
            values = args[name][0].split("|")
            return values[min(number, len(values)) - 1]

        await asyncio.sleep(float(arg("delay", 0)))
        if arg("reset") == "1":
            writer.transport.abort()
            return False
        if arg("garbage") == "1":
            writer.write(b"\x00\x01 this is not HTTP\r\n\r\n")
            await writer.drain()
            return False

        status = int(arg("status", 200))
        size = arg("size")
        if size is not None:
            word = f"{path} #{number} ".encode()
            body = (word * (int(size) // len(word) + 1))[:int(size)]
        else:
            body = arg("body", f"{path} #{number}\n").encode()

        head = [("Content-Type", arg("type", "text/plain"))]
        mark = re.search(r"\bmark=([^;]+)", fields.get("cookie", ""))
        sets = "sets" in args and number % int(arg("sets")) == 0
        if mark and (arg("mark") == "1" or sets):
            body = body.rstrip(b"\n") + f" for {mark[1]}\n".encode()
        if sets:
            head.append(("Set-Cookie", "mark=" + (mark[1] if mark else "new")))
        if arg("cc") is not None:
            head.append(("Cache-Control", arg("cc")))
        if arg("max_age") is not None:
            head.append(("Cache-Control", "max-age=" + arg("max_age")))
        if arg("etag") is not None:
            tag = '"%s"' % arg("etag")
            head.append(("ETag", tag))
            if tag in fields.get("if-none-match", ""):
                status = 304
        if arg("modified") is not None:
            date = email.utils.formatdate(int(arg("modified")), usegmt=True)
            head.append(("Last-Modified", date))
            if fields.get("if-modified-since") == date:
                status = 304
        for name, field in (("date", "Date"), ("expires", "Expires"),
                            ("changed", "Last-Modified")):
            if arg(name) is not None:
                form = arg("form") if name == "expires" else None
                head.append((field, http_date(int(arg(name)), form)))
        for field in args.get("h", []):
            name, _, value = field.partition(":")
            values = value.split("|")
            head.append((name, values[min(number, len(values)) - 1].strip()))
        if arg("gzip") == "1":
            body = gzip.compress(body, mtime=0)
            head.append(("Content-Encoding", "gzip"))

        bodiless = status in (204, 304) or method == "HEAD"
        chunked = arg("chunked") == "1"
        until_close = arg("close") == "1"
        if chunked:
            head.append(("Transfer-Encoding", "chunked"))
        elif until_close:
            head.append(("Connection", "close"))
        elif status not in (204, 304):
            head.append(("Content-Length", str(len(body))))
        writer.write((f"HTTP/1.1 {status} Answer\r\n" + "".join(
            f"{n}: {v}\r\n" for n, v in head) + "\r\n").encode("latin-1"))
        await writer.drain()
        if bodiless:
            return not until_close
        await asyncio.sleep(float(arg("stall", 0)))

        pieces = 4 if arg("drip") else 1
        step = max(1, -(-len(body) // pieces))
        sent = 0
        for start in range(0, len(body), step):
            if start:
                await asyncio.sleep(float(arg("drip")))
            piece = body[start:start + step]
            if arg("truncate") == "1":
                piece = piece[:len(piece) // 2]
            if chunked:
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            if arg("truncate") == "1":
                return False
        if chunked:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return not until_close

    async def control(self, what, args):
        path = args.get("path", ["/"])[0]
        if what == "count":
            return b"%d\n" % self.asked.get(path, 0)
        if what == "counts":
            return json.dumps(self.asked).encode()
        if what == "wait":
            count = int(args["count"][0])
            left = float(args.get("timeout", ["3"])[0])
            while self.answered.get(path, 0) < count and left > 0:
                await asyncio.sleep(0.01)
                left -= 0.01
            return b"%d\n" % self.asked.get(path, 0)
        if what == "fields":
            return self.last.get(path, "").encode("latin-1")
        if what == "running":
            return b"%d %d\n" % (self.running, self.most)
        if what == "sleep":
            await asyncio.sleep(float(args["s"][0]))
            return b"slept\n"
        if what == "reset":
            self.reset()
            return b"reset\n"
        return b"unknown\n"


FORMS = {None: "%a, %d %b %Y %H:%M:%S GMT",
         "rfc850": "%A, %d-%b-%y %H:%M:%S GMT",
         "asctime": "%a %b %e %H:%M:%S %Y"}


def http_date(offset, form):
    return time.strftime(FORMS[form], time.gmtime(time.time() + offset))


async def main():
    origin = Origin()
    port = await origin.listen(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(port, flush=True)
    await origin.server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
