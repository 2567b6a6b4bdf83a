# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Clients that come at planned times, and stay for planned times once they are served."""

import heapq
import selectors
import time


class Visit:
    """One client: when it comes, to what port, how long its session lasts, and from where."""

    def __init__(self, at, port, seconds, source="127.0.0.1"):
        self.at = at
        self.port = port
        self.seconds = seconds
        self.source = source
        self.waited = None  # from the connect to the first answer; None: it was not served


def run_traffic(site, visits, limit):
    """Lets all of them come and go. Returns when the last one is gone."""
    coming = sorted(visits, key=lambda visit: visit.at)
    selector = selectors.DefaultSelector()
    leaving = []  # a heap of (time, number, socket)
    began = {}
    n, begin = 0, time.monotonic()
    while n < len(coming) or selector.get_map() or leaving:
        now = time.monotonic() - begin
        assert now < limit, f"{len(selector.get_map())} clients are still waiting after {now:.1f} s"
        while n < len(coming) and coming[n].at <= now:
            sock = site.dial(coming[n].port, source=coming[n].source)
            sock.sendall(b"pid\n")
            selector.register(sock, selectors.EVENT_READ, coming[n])
            began[sock] = time.monotonic()
            n += 1
        while leaving and leaving[0][0] <= now:
            heapq.heappop(leaving)[2].close()
        moments = [coming[n].at] if n < len(coming) else []
        moments += [leaving[0][0]] if leaving else []
        pause = min(moments) - (time.monotonic() - begin) if moments else 0.1
        for key, _ in selector.select(max(pause, 0)):
            sock, visit = key.fileobj, key.data
            selector.unregister(sock)
            if not sock.recv(100):
                sock.close()
                continue
            now = time.monotonic()
            visit.waited = now - began.pop(sock)
            heapq.heappush(leaving, (now - begin + visit.seconds, id(sock), sock))
