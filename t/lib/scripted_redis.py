"""A Redis, Sentinel or node of a Cluster in the test's own process, which says
what the scenario wants it to say, and remembers what it was asked."""

import socket
import ssl
import threading
import time

from fake_redis import when_empty
from scenario import free_port


def bulk(text):
    text = text.encode()
    return b"$%d\r\n%s\r\n" % (len(text), text)


class Scripted:
    """`answer(words)`: the bytes to send, None: what a Redis with nothing in
    it would. `certificate`: the path of one, with its key beside it: TLS."""

    def __init__(self, answer=None, certificate=None, up=True):
        self.answer = answer or (lambda words: None)
        self.asked = []                 # words, of all connections
        self.port = free_port()
        self.listener = None
        self.links = []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate,
                                         certificate[:-4] + "-key.pem")
        if up:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()

    def start(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,),
                         daemon=True).start()

    def stop(self):
        """As if killed."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for link in self.links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass                    # gone already
        self.links = []

    def count(self, *words):
        """How many commands began so."""
        words = list(words)
        return sum(command[:len(words)] == words for command in self.asked)

    def _accept(self, listener):
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,),
                             daemon=True).start()

    def _serve(self, link):
        try:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.links.append(link)
            if self.context:
                link = self.context.wrap_socket(link, server_side=True)
            stream = link.makefile("rb")
            while True:
                line = stream.readline()
                if not line.startswith(b"*"):
                    return
                words = []
                for _ in range(int(line[1:])):
                    size = int(stream.readline()[1:])
                    words.append(stream.read(size + 2)[:-2].decode("latin-1"))
                self.asked.append(words)
                reply = self.answer(words)
                if reply is None:
                    if words[0] == "XREAD" and "BLOCK" in words:
                        time.sleep(int(words[words.index("BLOCK") + 1]) / 1000)
                    reply = when_empty(words)
                    if words[0] == "EVAL" and words[3].endswith(":purges"):
                        # No tag was ever purged.
                        reply = b"*2\r\n" + bulk("-") + bulk("0")
                link.sendall(reply)
        except (OSError, ValueError):
            return                      # either side has gone
