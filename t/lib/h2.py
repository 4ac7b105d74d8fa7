"""As little of HTTP/2 as it takes to see when a stream ends: prior knowledge,
no TLS, requests one after the other, response fields not decoded."""

import socket
import struct
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = (
    0, 1, 3, 4, 6, 7, 8)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
STATUS_200 = 0x88                       # RFC 7541, Appendix A, index 8


class H2Answer:
    def __init__(self):
        self.ok = False                 # :status 200
        self.body = b""
        self.took = None                # seconds until the stream was ended


class H2Client:
    def __init__(self, port, timeout=15.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.authority = f"127.0.0.1:{port}".encode()
        self.stream = -1
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                            + self._frame(SETTINGS, 0, 0, b""))

    @staticmethod
    def _frame(kind, flags, stream, payload):
        return (struct.pack(">I", len(payload))[1:]
                + struct.pack(">BBI", kind, flags, stream) + payload)

    @staticmethod
    def _text(text):
        assert len(text) < 127, "one byte holds the length"
        return bytes([len(text)]) + text

    def get(self, target):
        """Waits for the end of the stream."""
        self.stream += 2
        block = (b"\x82\x86"            # :method GET, :scheme http
                 + b"\x04" + self._text(target.encode())        # :path
                 + b"\x01" + self._text(self.authority))
        started = time.monotonic()
        self.socket.sendall(self._frame(
            HEADERS, END_STREAM | END_HEADERS, self.stream, block))
        answer = H2Answer()
        while True:
            head = self.file.read(9)
            if len(head) < 9:
                raise ConnectionError("the server closed the connection")
            size, kind, flags, stream = struct.unpack(
                ">IBBI", b"\0" + head)
            payload = self.file.read(size)
            if kind == SETTINGS and not flags & ACK:
                self.socket.sendall(self._frame(SETTINGS, ACK, 0, b""))
            if kind == PING and not flags & ACK:
                self.socket.sendall(self._frame(PING, ACK, 0, payload))
            if kind == GOAWAY or (kind == RST_STREAM and stream == self.stream):
                raise ConnectionError(f"stream or connection reset {payload!r}")
            if stream != self.stream:
                continue
            if kind == HEADERS:
                # nginx begins with a change of its table's size, or with this.
                answer.ok = STATUS_200 in payload[:4]
            if kind == DATA:
                answer.body += payload
                update = struct.pack(">I", max(size, 1))
                self.socket.sendall(
                    self._frame(WINDOW_UPDATE, 0, 0, update))
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                answer.took = time.monotonic() - started
                return answer

    def close(self):
        self.file.close()
        self.socket.close()
