#!/usr/bin/env python3
"""Speaks FastCGI, SCGI, uwsgi or memcached for t/lib/origin.py.

    gateway.py fastcgi|scgi|uwsgi|memcached ORIGIN_PORT

Prints its port. Each request becomes an HTTP/1.0 request to the origin, whose
answer goes back as it comes: what origin.py can do, an application behind
these protocols can do, and its counts tell how often it was asked. Of
memcached only `get` is spoken; the key is the request's target."""

import asyncio
import struct
import sys

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
KEEP_CONNECTION = 1


async def ask_origin(params):
    """A reader of the origin's answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", ORIGIN)
    fields = "".join(
        f"{name[5:].replace('_', '-').title()}: {value}\r\n"
        for name, value in params.items() if name.startswith("HTTP_"))
    writer.write(f"{params['REQUEST_METHOD']} {params['REQUEST_URI']} "
                 f"HTTP/1.0\r\n{fields}\r\n".encode("latin-1"))
    return reader, writer


async def answer(params, send):
    """CGI's form of the origin's answer, in pieces, through send()."""
    reader, writer = await ask_origin(params)
    try:
        line = await reader.readuntil(b"\r\n")
        await send(b"Status: " + line.split(b" ", 1)[1])
        while piece := await reader.read(16384):
            await send(piece)
    finally:
        writer.close()


def fastcgi_params(data):
    params, at = {}, 0

    def length():
        nonlocal at
        size = data[at]
        at += 1
        if size & 0x80:
            size = struct.unpack_from(">I", data, at - 1)[0] & 0x7fffffff
            at += 3
        return size

    while at < len(data):
        of_name, of_value = length(), length()
        name = data[at:at + of_name]
        value = data[at + of_name:at + of_name + of_value]
        at += of_name + of_value
        params[name.decode()] = value.decode("latin-1")
    return params


def uwsgi_params(data):
    texts, at = [], 0
    while at < len(data):
        size = struct.unpack_from("<H", data, at)[0]
        texts.append(data[at + 2:at + 2 + size].decode("latin-1"))
        at += 2 + size
    return dict(zip(texts[0::2], texts[1::2]))


async def fastcgi(reader, writer):
    keep = True
    while keep:
        pairs = b""
        while True:
            _, kind, number, size, padding, _ = struct.unpack(
                ">BBHHBB", await reader.readexactly(8))
            data = await reader.readexactly(size)
            await reader.readexactly(padding)
            if kind == BEGIN:
                keep = bool(data[2] & KEEP_CONNECTION)
            elif kind == PARAMS:
                pairs += data
            elif kind == STDIN and not data:
                break

        async def send(piece):
            while piece:
                part, piece = piece[:65535], piece[65535:]
                writer.write(struct.pack(
                    ">BBHHBB", 1, STDOUT, number, len(part), 0, 0) + part)
            await writer.drain()

        await answer(fastcgi_params(pairs), send)
        writer.write(struct.pack(">BBHHBB", 1, STDOUT, number, 0, 0, 0)
                     + struct.pack(">BBHHBB", 1, END, number, 8, 0, 0)
                     + bytes(8))
        await writer.drain()


async def send_to(writer, piece):
    writer.write(piece)
    await writer.drain()


async def scgi(reader, writer):
    size = int((await reader.readuntil(b":"))[:-1])
    words = (await reader.readexactly(size)).decode("latin-1").split("\0")
    await reader.readexactly(1)
    await answer(dict(zip(words[0::2], words[1::2])),
                 lambda piece: send_to(writer, piece))


async def uwsgi(reader, writer):
    _, size, _ = struct.unpack("<BHB", await reader.readexactly(4))
    await answer(uwsgi_params(await reader.readexactly(size)),
                 lambda piece: send_to(writer, piece))


async def memcached(reader, writer):
    while line := await reader.readline():
        key = line.split()[1].decode()
        origin, to_origin = await ask_origin(
            {"REQUEST_METHOD": "GET", "REQUEST_URI": key})
        head, _, body = (await origin.read()).partition(b"\r\n\r\n")
        to_origin.close()
        if head.split()[1] == b"200":
            writer.write(f"VALUE {key} 0 {len(body)}\r\n".encode()
                         + body + b"\r\n")
        writer.write(b"END\r\n")
        await writer.drain()


async def main(protocol):
    async def serve(reader, writer):
        try:
            await protocol(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass                        # the peer went away: nothing to serve
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    ORIGIN = int(sys.argv[2])
    asyncio.run(main({"fastcgi": fastcgi, "scgi": scgi, "uwsgi": uwsgi,
                      "memcached": memcached}[sys.argv[1]]))
