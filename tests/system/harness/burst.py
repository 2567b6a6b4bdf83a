# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Many clients at once, without a thread for each."""

import resource
import selectors
import time

import pytest


def need_descriptors(n):
    """Raises this process' limit of open files for so many sockets, or skips the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = n + 256
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} open files; the limit is {hard}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Burst:
    """Clients that connect together and ask who serves them.

    The service's BACKLOG must hold all of them.
    """

    def __init__(self, site, port, n):
        self.selector = selectors.DefaultSelector()
        self.waiting = set()
        self.served = []
        self.n_done = 0
        self.pids = {}  # of the worker: how many clients it has served
        for _ in range(n):
            sock = site.dial(port)
            sock.sendall(b"pid\n")
            self.selector.register(sock, selectors.EVENT_READ)
            self.waiting.add(sock)

    def step(self, limit=0.05):
        """Takes the answers that are there, or come in this time."""
        for key, _ in self.selector.select(limit):
            sock = key.fileobj
            answer = sock.recv(100)
            assert answer.endswith(b"\n"), f"a client was closed, and not served: {answer!r}"
            self.selector.unregister(sock)
            self.waiting.remove(sock)
            self.served.append(sock)
            pid = int(answer)
            self.pids[pid] = self.pids.get(pid, 0) + 1

    def release(self, n=None):
        """Closes n of the clients that are served, the longest served first; all by default."""
        leaving, self.served[:] = self.served[:n], self.served[n:] if n is not None else []
        for sock in leaving:
            sock.close()
        self.n_done += len(leaving)

    def run(self, limit, after_step):
        """Until every client has been served and has left; after_step() looks at what goes on."""
        end = time.monotonic() + limit
        while self.waiting or self.served:
            assert time.monotonic() < end, f"{len(self.waiting)} clients are still waiting"
            self.step()
            after_step()
            self.release()
