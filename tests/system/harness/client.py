# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A client of the test worker: one command a line, one line as the answer."""

import socket


class Client:
    """Owns a connected socket."""

    def __init__(self, sock):
        self.sock = sock
        self.input = sock.makefile("rb")

    def send(self, command):
        self.sock.sendall(command.encode() + b"\n")

    def receive(self, limit=25.0):
        """The next line. None when the other side has closed or reset."""
        self.sock.settimeout(limit)
        try:
            line = self.input.readline()
        except ConnectionResetError:
            return None
        return line.decode().rstrip("\r\n") if line else None

    def ask(self, command, limit=25.0):
        self.send(command)
        return self.receive(limit)

    def pid(self, limit=25.0):
        """The worker that serves this connection. Returns only when it is served."""
        answer = self.ask("pid", limit)
        assert answer is not None, "closed without an answer"
        return int(answer)

    def is_waiting(self, duration=0.3):
        """True where nothing is heard for so long: neither an answer nor an end."""
        self.sock.settimeout(duration)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        return False

    def is_closed(self, limit=25.0):
        """True where the other side closes, or has closed, without another word."""
        return self.receive(limit) is None

    def close(self):
        self.input.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
