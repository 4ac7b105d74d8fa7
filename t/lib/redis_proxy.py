#!/usr/bin/env python3
"""Stands between nginx and a Redis that is well, and is the bad network.
Prints its port, serves until killed.

    redis_proxy.py REDIS_PORT

Who connects and says "MODE …" instead of a command changes what happens from
then on, and is answered when that is so; where it is to happen once, when it
has:

    pass          nothing
    hole NAME     links of that name (CLIENT SETNAME), or "all": no byte gets
                  through in either direction, and no end of a connection
    garbage       in place of each reply
    halves        half of each reply, and the end of the link
    delay S       replies take S seconds longer
    hold WORD     commands from one with this in it on are kept back, on the link
                  where it comes, until something else is to happen
    bytes         replies arrive one byte per segment, to the first 2,000 bytes
    cut N         once: N bytes of the next reply to a GET that is longer, then
                  the link is reset
    reset         once: the next command reaches Redis, its answer nobody
"""

import asyncio
import re
import socket
import sys

mode = ["pass"]
once = asyncio.Event()              # what was to happen once has happened


class Link:
    def __init__(self, client, server):
        self.client = client            # where answers go
        self.server = server
        self.name = ""
        self.asked = b""                # the last piece of commands

    def in_hole(self):
        return mode[0] == "hole" and mode[1] in (self.name, "all")

    def abort(self):
        mode[:] = ["pass"]
        once.set()
        self.client.transport.abort()
        self.server.transport.abort()

    async def commands(self, reader, data):
        while data:
            named = re.search(rb"SETNAME\r\n\$\d+\r\n([a-z-]+)", data)
            if named:
                self.name = named[1].decode()
            while mode[0] == "hold" and mode[1].encode() in data:
                await asyncio.sleep(0.001)
            if not self.in_hole():
                self.asked = data
                self.server.write(data)
                await self.server.drain()
                if mode[0] == "reset" and not named:
                    self.abort()
                    return
            data = await reader.read(1 << 20)
        if not self.in_hole():
            self.server.close()

    async def answers(self, reader):
        while data := await reader.read(1 << 20):
            if self.in_hole():
                continue
            if mode[0] == "delay":
                await asyncio.sleep(float(mode[1]))
            if (mode[0] == "cut" and len(data) > int(mode[1])
                    and b"\r\nGET\r\n" in self.asked
                    and b"SETNAME" not in self.asked):
                self.client.write(data[:int(mode[1])])
                self.abort()
                return
            if mode[0] == "garbage":
                data = b"\x16\x03\x01 HTTP/1.1 400 Bad Request\r\n\r\n"
            if mode[0] == "halves":
                self.client.write(data[:len(data) // 2])
                await self.client.drain()
                break
            if mode[0] == "bytes":
                for at in range(min(len(data), 2000)):
                    self.client.write(data[at:at + 1])
                    await self.client.drain()
                    await asyncio.sleep(0)
                data = data[2000:]
            self.client.write(data)
            await self.client.drain()
        if not self.in_hole():
            self.client.close()


async def change(words, writer):
    mode[:] = words
    once.clear()
    if mode[0] in ("cut", "reset"):
        await once.wait()
    writer.write(b"done\n")
    await writer.drain()


async def serve(reader, writer):
    server = None
    try:
        first = await reader.read(1 << 20)
        if first.startswith(b"MODE "):
            await change(first.decode().split()[1:], writer)
            return
        from_server, server = await asyncio.open_connection(
            "127.0.0.1", int(sys.argv[1]))
        for peer in (writer, server):
            peer.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(writer, server)
        await asyncio.gather(link.commands(reader, first),
                             link.answers(from_server))
    except OSError:
        pass                            # one of both is gone
    finally:
        writer.close()
        if server:
            server.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
