# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A dispatcherd for one worker: plays its part of dispatcher-worker(7), and sees what a test wants to see."""

import array
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import time

from dispatcher_worker import _messages as messages

LIMIT = 120  # seconds, for whatever is waited for
TLS = 14
_FLAG_TLS = 1

# The number that a worker's channel gets must not be in use here by then.
if not os.path.exists("/proc/self/fd/3"):
    os.dup2(os.open("/dev/null", os.O_RDONLY), 3)


def wait_until(condition, what):
    end = time.monotonic() + LIMIT
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {LIMIT} s: {what}"
        time.sleep(0.02)
    return found


class Dispatcherd:
    """With a worker, the script of the text `program`; or, if `is_forked`, one that the fork server runs."""

    def __init__(self, program, *, is_forked=False, environment=None, max_connections=8, knows_tls=True):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = self._folder.name
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(LIMIT)
        self.seen = []  # types of the messages that have come
        self._clients = []
        script = os.path.join(self.folder, "worker.py")
        with open(script, "w") as file:
            file.write(textwrap.dedent(program))
        self._log = open(os.path.join(self.folder, "log"), "w+b")
        self._log_stat = os.fstat(self._log.fileno())
        way = ["-m", "dispatcher_worker.forkserver"] if is_forked else []
        self.process = subprocess.Popen(
            [sys.executable, *way, script],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            pass_fds=(3,),
            preexec_fn=lambda: os.dup2(theirs.fileno(), 3),
            env=os.environ | {"FOLDER": self.folder} | (environment or {}),
        )
        theirs.close()
        assert self.receive()[0] == messages.HELLO
        welcome = {"VERSION": 1, "SERVICE": "TEST", "SLOT": 0, "MAX_CONNS": max_connections, "DEBUG": 0}
        welcome |= {"DRAIN_LIMIT": 60, "HOST_NAME": "test.example", "ALERT": 1}
        if knows_tls:
            welcome["TLS"] = 1
        self.send(messages.strings(messages.WELCOME, [(name, str(text)) for name, text in welcome.items()]))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.log_text(), file=sys.stderr)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        for client in self._clients:
            client.close()
        self.channel.close()
        self._log.close()
        self._folder.cleanup()

    def log_text(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()

    def wait_log(self, pattern):
        return wait_until(lambda: re.search(pattern, self.log_text()), pattern)

    def send(self, packet, fds=()):
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.channel.sendmsg([packet], control)

    def receive(self):
        """One message: its type, its value and its body; type 0 at the end of the channel."""
        packet = self.channel.recv(messages.MESSAGE_BYTES_MAX)
        if not packet:
            return 0, 0, b""
        kind, value = struct.unpack_from("=II", packet)
        self.seen.append(kind)
        return kind, value, packet[8:]

    def wait_for(self, kind):
        """Reads up to a message of the type, and returns its body."""
        while True:
            found, _, body = self.receive()
            assert found, f"the channel has ended, without a message of type {kind}"
            if found == kind:
                return body

    def texts(self, kind):
        """The strings of the next message of the type."""
        return dict(pair.split("=", 1) for pair in self.wait_for(kind).decode().split("\0")[:-1])

    def offer(self, is_tls=False):
        """Hands a connection over. Returns its client."""
        client, server = socket.socketpair()
        client.settimeout(LIMIT)
        self._clients.append(client)
        nobody = struct.pack("=HHI16s", 1, 0, 0, b"")
        record = struct.pack("=QQ24s24sIHH", len(self._clients), 0, nobody, nobody, _FLAG_TLS if is_tls else 0, 0, 0)
        with server:
            self.send(struct.pack("=II", messages.CONNECTION, 1) + record, [server.fileno()])
        return client

    def connect(self, is_tls=False):
        client = self.offer(is_tls)
        self.wait_for(messages.ACKNOWLEDGE)
        return client

    def drain(self, kind=messages.DRAIN, seconds=60):
        self.send(messages.value(kind, seconds))

    def wait_exit(self):
        return self.process.wait(LIMIT)


def echoes(client, text=b"hello"):
    client.sendall(text)
    found = b""
    while len(found) < len(text):
        data = client.recv(4096)
        if not data:
            return False
        found += data
    return found == text


def read_line(client):
    found = b""
    while not found.endswith(b"\n") and (data := client.recv(1)):
        found += data
    return found


def read_to_end(client):
    found = b""
    while data := client.recv(65536):
        found += data
    return found
