# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Mail from many sessions at a time to a server behind dispatcherd, and somebody who kills meanwhile."""

import itertools
import socket
import threading
import time

from .client import Client

LIMIT = 60


class Attacker:
    """Kills dispatcherd and a worker in turn, or workers alone, each `every` seconds."""

    def __init__(self, site, service, every=1, victims=("daemon", "worker")):
        self.site = site
        self.service = service
        self.every = every
        self.n_kills = 0
        self.victims = itertools.cycle([getattr(self, name) for name in victims])
        self.next_at = time.monotonic() + every / 2

    def daemon(self):
        pid = self.site.daemon_pid()
        return {pid} if pid else set()

    def worker(self):
        return self.site.worker_pids(self.service)

    def attend(self):
        if time.monotonic() < self.next_at:
            return
        self.next_at += self.every
        for pid in list(next(self.victims)())[:1]:
            self.n_kills += self.site.run("kill", "-KILL", str(pid), check=False).returncode == 0


class SmtpLoad:
    """Sessions of one message each, many at a time. address(number) are the sender and the recipient
    of each message, by which it can be found again. What is not acknowledged is sent again. There are
    further messages for as long as more() says."""

    def __init__(self, site, port, n_sessions, n_messages, addresses, more=lambda: False):
        self.site = site
        self.port = port
        self.addresses = addresses
        self.numbers = itertools.takewhile(lambda n: n < n_messages or more(), itertools.count())
        self.lock = threading.Lock()
        self.acknowledged = set()
        self.n_not_greeted = 0  # sessions that were over before the server had them
        self.broken = []  # after the server's greeting
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(n_sessions)]
        for thread in self.threads:
            thread.start()

    def is_busy(self):
        return any(thread.is_alive() for thread in self.threads)

    def work(self):
        while True:
            with self.lock:
                number = next(self.numbers, None)
            if number is None:
                return
            while number not in self.acknowledged:
                self.session(number)

    def session(self, number):
        with self.site.open_socket(socket.AF_INET) as sock:
            sock.settimeout(LIMIT)
            try:
                sock.connect(("127.0.0.1", self.port))
                client = Client(sock)
                greeting = client.receive(LIMIT)
            except (ConnectionError, TimeoutError):
                greeting = None
            if greeting is None:
                with self.lock:
                    self.n_not_greeted += 1
                return
            try:
                self.converse(client, number)
            except (AssertionError, OSError) as error:
                self.broken.append(f"{number}: {error!r}")

    def converse(self, client, number):
        sender, recipient = self.addresses(number)
        for command, code in (
            ("HELO client.example", "250"),
            (f"MAIL FROM:<{sender}>", "250"),
            (f"RCPT TO:<{recipient}>", "250"),
            ("DATA", "354"),
            ("Subject: hello\r\n\r\nhello\r\n.", "250"),
            ("QUIT", "221"),
        ):
            answer = client.ask(command + "\r", LIMIT)
            assert answer and answer.startswith(code), f"{command}: {answer}"
            if command.endswith("."):
                self.acknowledged.add(number)
