"""A name server for scenarios, on 127.0.0.1 by UDP. Knows names with addresses
of IPv4, all of which may change; others do not exist (RFC 1035)."""

import socket
import struct
import threading


class NameServer:
    """`names`: {"cache.example": ["127.0.0.1", ...]}; `ttl` in seconds."""

    def __init__(self, names, ttl=1):
        self.names = names
        self.ttl = ttl
        self.asked = 0
        self.silent = False
        self.silent_for = set()         # names
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.socket.close()

    def _run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(512)
                answer = self._answer(query)
                if answer and not self.silent:
                    self.socket.sendto(answer, client)
            except OSError:
                return

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        kind, = struct.unpack(">H", query[at + 1:at + 3])
        self.asked += 1
        name = ".".join(labels).lower()
        if name in self.silent_for:
            return None
        found = self.names.get(name, []) if kind == 1 else []
        code = 0 if name in self.names else 3
        answer = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1,
                                         len(found), 0, 0) + question
        for address in found:
            answer += (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, self.ttl, 4)
                       + socket.inet_aton(address))
        return answer
