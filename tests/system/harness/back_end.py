# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A server behind proxy(8) that does what a test says, and the service in front of it."""

import socket
import struct

from .wait import wait_until

LIMIT = 20.0
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

# What a worker needs to reach a back end by TCP, as proxy(8) has it.
DROP_IN = """\
[Service]
PrivateNetwork=no
RestrictAddressFamilies=AF_INET AF_INET6
IPAddressAllow=localhost
SystemCallFilter=connect setsockopt
"""


def receive(sock, n):
    """Exactly n bytes."""
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        assert more, f"closed after {len(data)} of {n} bytes"
        data += more
    return data


def is_reset(sock):
    """Waits for the end. True if it is a reset."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


UNIQUE_ID, AUTHORITY, SSL, SSL_VERSION, SSL_CN, SSL_CIPHER = 0x05, 0x02, 0x20, 0x21, 0x22, 0x23


def read_values(data):
    """Those of a header of version 2, by their types."""
    values = {}
    while data:
        kind, length = struct.unpack("!BH", data[:3])
        assert len(data) >= 3 + length and kind not in values
        values[kind] = data[3 : 3 + length]
        data = data[3 + length :]
    return values


class Header:
    """One of PROXY version 2, read from a socket."""

    def __init__(self, sock):
        assert receive(sock, 12) == SIGNATURE
        self.command, family, length = struct.unpack("!BBH", receive(sock, 4))
        rest = receive(sock, length)
        if family == 0x11:
            peer, local, peer_port, local_port = struct.unpack("!4s4sHH", rest[:12])
            self.peer = (socket.inet_ntop(socket.AF_INET, peer), peer_port)
            self.local = (socket.inet_ntop(socket.AF_INET, local), local_port)
            values = read_values(rest[12:])
            self.id = values.pop(UNIQUE_ID).decode()
            self.server_name = values.pop(AUTHORITY, b"").decode()
            self.tls = values.pop(SSL, None)
            assert not values
        else:
            assert (family, rest) == (0, b"")
            self.peer = self.local = self.id = None


class BackEnd:
    """Listens at a port of loopback, and accepts when it is told to."""

    def __init__(self, site, port=0, backlog=128):
        self.site = site
        self.listener = site.open_socket(socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(backlog)
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        self.name = f"127.0.0.1:{self.port}"
        site.clients.append(self)

    def accept_raw(self):
        sock, _ = self.listener.accept()
        sock.settimeout(LIMIT)
        self.site.clients.append(sock)
        return sock

    def accept(self):
        """The next connection of a client, and its header. Looks whether somebody is there are
        passed over."""
        while True:
            sock = self.accept_raw()
            header = Header(sock)
            if header.command == 0x21:
                return sock, header
            assert header.command == 0x20
            sock.close()

    def close(self):
        self.listener.close()


class ProxyService:
    """A service TEST of the site, started, whose workers pass everything on."""

    def __init__(self, site, *names, parameters=(), **options):
        self.site = site
        if site.way == "systemd":
            site.write_drop_in("dispatcherd-test-worker@.service", DROP_IN)
        options.setdefault("MIN_PROCS", 1)
        options.setdefault("MAX_PROCS", 1)
        self.port = site.run_service(
            IMAGE=site.delivered_image("proxy", "TEST"),
            PARAMETER=[f"BACKEND={name}" for name in names] + list(parameters),
            **options,
        )

    def dial(self):
        return self.site.dial(self.port)

    def worker(self):
        (pid,) = self.site.wait_for_workers("TEST", 1)
        return pid

    def descriptors(self):
        """What the worker has open."""
        lines = self.site.run("ls", "-l", f"/proc/{self.worker()}/fd").stdout.splitlines()
        return [line.split(" -> ", 1)[1] for line in lines if " -> " in line]

    def n_active(self):
        return self.site.services()["TEST"]["active"]["value"]

    def wait_active(self, n):
        wait_until(lambda: self.n_active() == n, LIMIT, lambda: f"{n}, not {self.n_active()}")
