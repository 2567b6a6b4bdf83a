# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Mail: a service with tcp_smtp_server, its Maildir, and clients that keep account."""

import email
import itertools
import os
import smtplib
import socket
import threading
import time

BODY = "".join(f"line {n} of the message, which must arrive whole\n" for n in range(60))


class MailService:
    """The service SMTP of a site, started."""

    def __init__(self, site, parameters=(), **options):
        self.site = site
        self.port = site.free_port()
        self.maildir = site.prepare_maildir()
        parameters = ["DOMAIN=localhost", *parameters]
        if site.way == "hand":
            parameters.append(f"MAILDIR={self.maildir}")
        site.write_config(
            site.service(
                "SMTP", PORT=self.port, IMAGE=site.smtp_image(), PARAMETER=parameters, **options
            )
        )
        site.start()

    def files(self):
        """Every message that was delivered."""
        folder = os.path.join(self.maildir, "new")
        if not os.path.isdir(folder):
            return []
        return [os.path.join(folder, name) for name in os.listdir(folder)]

    def messages(self):
        found = []
        for path in self.files():
            with open(path, "rb") as file:
                found.append(email.message_from_binary_file(file))
        return found


class Client(smtplib.SMTP):
    """smtplib, with its socket in the network of the site."""

    def __init__(self, service):
        self.service = service
        super().__init__("127.0.0.1", service.port, local_hostname="client.example", timeout=30)

    def _get_socket(self, host, port, timeout):
        sock = self.service.site.open_socket(socket.AF_INET)
        sock.settimeout(timeout)
        sock.connect((host, port))
        return sock


class Load:
    """Many sessions at a time, each of a few messages, until it is told to finish."""

    def __init__(self, service, n_sessions, per_session=5):
        self.service = service
        self.per_session = per_session
        self.numbers = itertools.count()
        self.acknowledged = set()  # numbers of messages that got their 250
        self.n_broken = 0  # sessions
        self.is_over = False
        self.errors = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(n_sessions)]
        for thread in self.threads:
            thread.start()

    def work(self):
        try:
            while not self.is_over:
                self.session()
        except Exception as error:  # a thread's failure is the test's
            self.errors.append(error)
            self.is_over = True

    def session(self):
        try:
            with Client(self.service) as client:
                for _ in range(self.per_session):
                    with self.lock:
                        number = next(self.numbers)
                    text = f"Subject: {number}\n\n{BODY}"
                    assert not client.sendmail("sender@example.com", ["somebody@localhost"], text)
                    with self.lock:
                        self.acknowledged.add(number)
        except (smtplib.SMTPServerDisconnected, ConnectionError):
            with self.lock:
                self.n_broken += 1

    def finish(self, limit=60):
        """Lets the sessions come to their end."""
        self.is_over = True
        end = time.monotonic() + limit
        for thread in self.threads:
            thread.join(max(0, end - time.monotonic()))
        assert not any(thread.is_alive() for thread in self.threads), "a session hangs"
        if self.errors:
            raise self.errors[0]

    def check_delivery(self):
        """Each message with a 250 is there, once; what else is there was never acknowledged; and
        none is torn."""
        delivered = {}
        for message in self.service.messages():
            number = int(message["Subject"])
            delivered[number] = delivered.get(number, 0) + 1
            assert message.get_payload() == BODY, f"message {number} is torn"
        missing = self.acknowledged - delivered.keys()
        assert not missing, f"acknowledged and not there: {missing}"
        assert set(delivered.values()) <= {1}, "a message is there twice"
