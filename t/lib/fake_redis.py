#!/usr/bin/env python3
"""A Redis that misbehaves. Prints its port, serves until killed.

    fake_redis.py MODE [PORT]

MODE, for every command received:

    silent       reads, never answers
    slow:S       answers as if empty, after S seconds
    garbage      answers bytes that are no protocol
    truncated    begins a bulk reply, then closes
    stuck        begins a bulk reply, then says nothing more
    huge         announces a bulk of 9999999999 bytes
    huge_array   announces an array of 2000000000 elements
    stray        answers each command twice
    loading oom readonly wrongpass noperm noauth
                 the error of that name
    reset        closes the connection at the first command
    refuse       closes the connection as soon as it is there
    newer:S      takes S seconds for an entry, and tells who claims a lease of
                 an entry that is newer, yet is never there
    bytes        answers as if empty, one byte per segment
    empty        answers as if empty

MODE@entry does so only when an entry is asked for (GET of a key with braces),
MODE@NAME only for commands of that name; others are answered as if empty.
"""

import asyncio
import socket
import struct
import sys

ERRORS = {
    "loading": "LOADING Redis is loading the dataset in memory",
    "oom": "OOM command not allowed when used memory > 'maxmemory'.",
    "readonly": "READONLY You can't write against a read only replica.",
    "wrongpass": "WRONGPASS invalid username-password pair or user is"
                 " disabled.",
    "noperm": "NOPERM User default has no permissions",
    "noauth": "NOAUTH Authentication required.",
}

# Of the feed, which is never empty for long.
ONE_WORD = b"*1\r\n*2\r\n$3\r\n1-1\r\n*0\r\n"
# What a Redis with nothing else in it says.
EMPTY = {
    "PING": b"+PONG\r\n", "AUTH": b"+OK\r\n", "SELECT": b"+OK\r\n",
    "CLIENT": b"+OK\r\n", "SET": b"+OK\r\n", "GET": b"$-1\r\n",
    "XADD": b"$3\r\n1-1\r\n", "XREVRANGE": ONE_WORD, "XRANGE": ONE_WORD,
    "XREAD": b"*-1\r\n",
}


CLAIMED = b"$1\r\n+\r\n"
NO_MARKS = b"*2\r\n$1\r\n-\r\n$1\r\n1\r\n"      # of purged tags
# The start of an entry that was stored in 2100, for a claim's answer.
NEWER = b"+" + struct.pack("<8sHHHHIIq96x", b"cacheent", 1, 0, 200, 0, 0, 0,
                           4102444800000)


def when_empty(command):
    name = command[0].upper()
    if name == "EVAL":
        if "return redis.call('ZREVRANGE'" in command[1]:
            return NO_MARKS
        # A claim succeeds, as others do.
        return CLAIMED if "GETRANGE" in command[1] else b":1\r\n"
    return EMPTY.get(name, b":0\r\n")


async def read_command(reader):
    line = await reader.readuntil(b"\r\n")
    if not line.startswith(b"*"):
        return line.decode("latin-1").split()
    words = []
    for _ in range(int(line[1:])):
        length = int((await reader.readuntil(b"\r\n"))[1:])
        words.append((await reader.readexactly(length + 2))[:-2])
    return [w.decode("latin-1") for w in words]


def concerns(only, command):
    name = command[0].upper()
    if only == "entry":
        return name == "GET" and "{" in command[1]
    return name == only.upper()


async def answer(mode, command, writer):
    """Whether the connection stays open."""
    mode, _, only = mode.partition("@")
    if only and not concerns(only, command):
        mode = "empty"
    kind, _, argument = mode.partition(":")
    empty = when_empty(command)
    if command[0].upper() == "XREAD":   # nothing will come in its time
        await asyncio.sleep(int(command[command.index("BLOCK") + 1]) / 1000)
    if kind == "silent":
        return True
    if kind == "reset":
        writer.transport.abort()
        return False
    if kind in ERRORS:
        writer.write(b"-%s\r\n" % ERRORS[kind].encode())
    elif kind == "slow":
        await asyncio.sleep(float(argument or 1))
        writer.write(empty)
    elif kind == "newer":
        if concerns("entry", command):
            await asyncio.sleep(float(argument))
        writer.write(b"$%d\r\n%s\r\n" % (len(NEWER), NEWER)
                     if empty == CLAIMED else empty)
    elif kind == "garbage":
        writer.write(b"\x16\x03\x01 HTTP/1.1 400 Bad Request\r\n\r\n")
    elif kind == "truncated":
        writer.write(b"$1000\r\nnot all of it")
        await writer.drain()
        return False
    elif kind == "stuck":
        writer.write(b"$1000\r\nnot all of it")
    elif kind == "huge":
        writer.write(b"$9999999999\r\n")
    elif kind == "huge_array":
        writer.write(b"*2000000000\r\n")
    elif kind == "stray":
        writer.write(empty + empty)
    elif kind == "bytes":
        for byte in empty:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)
    else:
        writer.write(empty)
    await writer.drain()
    return True


async def main():
    mode = sys.argv[1]

    async def serve(reader, writer):
        writer.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while mode != "refuse":
                command = await read_command(reader)
                if not await answer(mode, command, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass                        # the peer went away
        finally:
            writer.close()

    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
