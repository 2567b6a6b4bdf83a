# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Short sessions by the thousand, some at a time, and what each client heard."""

import selectors
import time
from collections import Counter, deque

AT_A_TIME = 50


class Visit:
    """One session to come: where to, from which address, what the client says."""

    def __init__(self, port, says, source="127.0.0.1"):
        self.port = port
        self.says = says
        self.source = source


class Crowd:
    """Carries out visits. What is heard is all bytes up to the end of the connection, an orderly
    one or not, counted by port."""

    def __init__(self, site, visits, limit):
        self.site = site
        self.coming = deque(visits)
        self.end = time.monotonic() + limit
        self.selector = selectors.DefaultSelector()
        self.heard = {}  # port: Counter of bytes
        while self.coming or self.selector.get_map():
            assert time.monotonic() < self.end, f"{len(self.coming)} clients and more are left"
            self.let_in()
            for key, _ in self.selector.select(1):
                self.listen(key.fileobj, key.data)
        self.selector.close()

    def let_in(self):
        while self.coming and len(self.selector.get_map()) < AT_A_TIME:
            visit = self.coming.popleft()
            sock = self.site.dial(visit.port, source=visit.source)
            self.site.clients.remove(sock)
            sock.setblocking(False)
            try:
                sock.sendall(visit.says)
            except ConnectionError:  # what it was told is read all the same
                pass
            self.selector.register(sock, selectors.EVENT_READ, (visit.port, bytearray()))

    def listen(self, sock, data):
        port, answer = data
        try:
            part = sock.recv(4096)
        except ConnectionResetError:
            part = b""
        answer += part
        if part:
            return
        self.selector.unregister(sock)
        sock.close()
        self.heard.setdefault(port, Counter())[bytes(answer)] += 1
