# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Clients that do nothing, by the hundred: others are served all the same."""

import pathlib
import select
import time

import pytest
from harness.wait import holds_for, wait_until

# As many as nobody's 500 places of the delivered configuration take.
N_SILENT = 560
GREETED_WITHIN = 8.0  # seconds, for a client from elsewhere; greetings take a thousandth of that

DELIVERED = pathlib.Path(__file__).parents[2] / "units/dispatcher.cnf"


def run_delivered(site, **changes):
    """The delivered configuration, with another port, and other values if they are given."""
    port = site.free_port()
    maildir = site.prepare_maildir()
    lines = [
        line
        for line in DELIVERED.read_text().splitlines()
        if not line.startswith("!") and line.split("=")[0] not in (*changes, "PORT", "IMAGE")
    ]
    section = lines.index("[SERVICE=SMTP]")
    lines[section:section] = [f"{name}={value}" for name, value in changes.items()]
    lines += [f"PORT={port}", f"IMAGE={site.smtp_image()}"]
    if site.way == "hand":
        lines.append(f"PARAMETER=MAILDIR={maildir}")
    site.write_config("\n".join(lines) + "\n")
    site.start()
    return port


class Silent:
    """Connections that never say anything but what they are told to say at first."""

    def __init__(self, site, port, sources):
        self.sockets = [site.dial(port, source=source) for source in sources]

    def n_closed(self):
        """How many have read an end. What is sent to them is read."""
        n = 0
        for sock in self.sockets:
            while select.select([sock], [], [], 0)[0]:
                try:
                    if not sock.recv(4096):
                        n += 1
                        break
                except ConnectionResetError:
                    n += 1
                    break
        return n


def read_greeting(site, port, source):
    """The greeting, and how long it took."""
    began = time.monotonic()
    sock = site.dial(port, source=source)
    line = sock.makefile("rb").readline().decode()
    return line, time.monotonic() - began


def taken(site):
    return site.services()["SMTP"]["active"]["value"]


@pytest.mark.parametrize(
    "sources, limit",
    [
        (["127.0.5.1"] * N_SILENT, 50),
        ([f"127.0.5.{1 + i % 250}" for i in range(N_SILENT)], 100),
    ],
    ids=["one address", "one network"],
)
def test_silent_clients_leave_room_for_others(site, sources, limit):
    port = run_delivered(site)
    silent = Silent(site, port, sources)
    line, duration = read_greeting(site, port, "127.0.6.1")
    assert line.startswith("220 ") and duration < GREETED_WITHIN
    # The others have been turned away, with a text if the port says which protocol it is.
    wait_until(lambda: silent.n_closed() == N_SILENT - limit, 60, silent.n_closed)
    assert taken(site) == limit + 1
    assert site.services()["SMTP"]["stressed_since"] is None


def begin_message(sock):
    """Sends an envelope, and not a word of the message. False if the connection was refused."""
    replies = sock.makefile("rb")
    try:
        if not replies.readline().startswith(b"220 "):
            return False
    except ConnectionResetError:
        return False
    sock.sendall(b"EHLO x\r\n")
    while not replies.readline().startswith(b"250 "):
        pass
    sock.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@localhost>\r\nDATA\r\n")
    while not replies.readline().startswith(b"354 "):
        pass
    sock.sendall(b"Subject: slow")
    return True


def test_slow_data_leaves_room_for_others(site):
    port = run_delivered(site)
    silent = Silent(site, port, [f"127.0.5.{1 + i % 250}" for i in range(120)])
    assert sum(begin_message(sock) for sock in silent.sockets) == 100
    line, duration = read_greeting(site, port, "127.0.6.1")
    assert line.startswith("220 ") and duration < GREETED_WITHIN


def from_everywhere(n):
    """A network has no more than three of them."""
    return [f"127.1.{i % 200}.{1 + i // 200}" for i in range(n)]


def test_under_stress_silent_clients_are_sent_away(site):
    """No limit helps against many networks: a few seconds do."""
    port = run_delivered(site, MAX_PROCS=2, MAX_CONNS=20, MIN_CONNS=20)
    few = Silent(site, port, from_everywhere(20))
    wait_until(lambda: taken(site) == 20, 30, lambda: taken(site))
    assert site.services()["SMTP"]["stressed_since"] is None
    rest = Silent(site, port, from_everywhere(20))
    site.wait_for_log(r"SMTP: is under stress: (3\d|40) of 40 places are taken")
    assert site.services()["SMTP"]["stressed_since"]
    # Those that were there before are sent away, too, though they began to wait in calm.
    wait_until(lambda: few.n_closed() == 20 and rest.n_closed() == 20, 60, few.n_closed)
    line, _ = read_greeting(site, port, "127.0.6.1")
    assert line.startswith("220 ")
    site.wait_for_log("SMTP: stress is over", 60)
    assert site.services()["SMTP"]["stressed_since"] is None


def test_stress_survives_the_daemon(site_of_systemd):
    site = site_of_systemd
    port = run_delivered(site, MAX_PROCS=1, MIN_PROCS=1, MAX_CONNS=5, MIN_CONNS=5)
    first = Silent(site, port, from_everywhere(5))
    site.wait_for_log("SMTP: is under stress: ")
    site.kill(site.daemon_pid(), "KILL")
    site.wait_for_log("taking over 1 worker")
    wait_until(lambda: first.n_closed() == 5, 60, first.n_closed)
    site.wait_for_log("SMTP: stress is over", 60)
    second = Silent(site, port, from_everywhere(2))
    wait_until(lambda: taken(site) == 2, 30, lambda: taken(site))
    # Longer than a client may be silent under stress.
    holds_for(lambda: second.n_closed() == 0, 13)
