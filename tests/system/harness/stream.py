# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A steady stream of short sessions, and what became of each."""

import socket
import threading
import time

from .client import Client


class Stream:
    """Threads that open one short session after the other, until stop().

    A session is said hello to by its worker, says something, and leaves.
    """

    LIMIT = 30.0  # for an answer: it waits for a new dispatcherd, on a machine that does other things

    def __init__(self, site, port, n_threads=4, pause=0.005):
        self.site = site
        self.port = port
        self.pause = pause
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.n_served = 0
        self.n_started = 0
        self.refused = []  # could not connect, or was reset or closed before a worker had it
        self.broken = []  # a worker had it
        self.pids = set()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(n_threads)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while not self.is_over.wait(self.pause):
            self.session()

    def session(self):
        pid = None
        client = None
        with self.lock:
            self.n_started += 1
        try:
            sock = self.site.open_socket(socket.AF_INET)
            client = Client(sock)
            sock.settimeout(self.LIMIT)
            sock.connect(("127.0.0.1", self.port))
            pid = client.pid(self.LIMIT)
            assert client.ask("echo a word", self.LIMIT) == "a word", "no echo"
            assert client.ask("quit", self.LIMIT) == "bye", "no bye"
            with self.lock:
                self.n_served += 1
                self.pids.add(pid)
        except (OSError, AssertionError) as error:
            with self.lock:
                (self.broken if pid else self.refused).append((time.monotonic(), pid, repr(error)))
        finally:
            if client:
                client.close()

    def stop(self):
        """Waits for the sessions that are open."""
        self.is_over.set()
        for thread in self.threads:
            thread.join(2 * self.LIMIT)
            assert not thread.is_alive(), "a session hangs"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
