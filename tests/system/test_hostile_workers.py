# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Workers that a client has taken over: they harm nothing but their own service.

hostile_worker.py makes whoever closes its client's socket last wait for 40 s, unless its sandbox
keeps it from doing so. So a greeting within some seconds, on however busy a machine, says that
nobody did. What is tried without the filter of the unit shows what dispatcherd does by itself.
"""

import pathlib
import re
import socket
import sys
import threading
import time

import pytest
from harness.wait import wait_until

PROGRAM = pathlib.Path(__file__).with_name("hostile_worker.py")
OLD_KERNEL = pathlib.Path(__file__).with_name("old_kernel.py")

# Half of what they linger.
LIMIT = 20

NO_FILTER = """\
[Service]
SystemCallFilter=
"""


def start_hostile(site, mode, start=None, **options):
    """A service with hostile workers, and another service. Returns their ports."""
    bad, good = site.free_port(), site.free_port()
    parameters = [f"MODE={mode}", *options.pop("PARAMETER", [])]
    site.write_config(
        site.service(
            "BAD",
            PORT=bad,
            IMAGE=site.program_for("BAD", PROGRAM),
            MIN_PROCS=1,
            MAX_PROCS=1,
            MAX_CONNS=1,
            PARAMETER=parameters,
            **options,
        )
        + site.service("GOOD", PORT=good, MIN_PROCS=1)
    )
    (start or site.start)()
    wait_until(lambda: site.services()["BAD"]["n_ready"] == 1, 30, "it is ready")
    return bad, good


def let_filter(site, is_on):
    """Sets or resets the filter of system calls; the rest of the sandbox stays."""
    text = "[Service]\nTimeoutStopSec=1\n" if is_on else NO_FILTER + "TimeoutStopSec=1\n"
    site.write_drop_in("dispatcherd-bad-worker@.service", text)


def dial_and_not_read(site, port):
    sock = site.open_socket(socket.AF_INET)
    site.clients.append(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.settimeout(LIMIT)
    sock.connect(("127.0.0.1", port))
    return sock


def check_others(site, good):
    began = time.monotonic()
    for _ in range(3):
        with site.connect(good) as client:
            assert client.ask("service", LIMIT) == "GOOD"
    if site.way == "systemd":
        assert site.systemctl("is-active", "dispatcherd").stdout.strip() == "active"
        assert site.container.run("journalctl", "--sync", timeout=LIMIT).returncode == 0
    assert time.monotonic() - began < LIMIT


def results(site):
    """What came of what was tried, by the call's name; the last time counts."""
    return dict(re.findall(r"hostile: (\w+): (\w+)", site.log_text()))


def attack(site, mode, n=3, start=None):
    bad, good = start_hostile(site, mode, start)
    for i in range(n):
        wait_until(lambda: site.services()["BAD"]["n_ready"] == 1, LIMIT, "it is ready")
        (pid,) = site.workers("BAD")
        dial_and_not_read(site, bad)

        def is_over():
            return site.count_log("hostile: over") > i or pid not in site.workers("BAD")

        # One that broke the protocol is given its time to go before it is killed.
        wait_until(is_over, 4 * LIMIT, "it has done what it does, or was killed for it", 0.1)
        check_others(site, good)
        # It may have ended by itself.
        site.run("kill", "-s", "KILL", str(pid), check=False)
        check_others(site, good)
        # The next client is for the next worker.
        wait_until(lambda: pid not in site.workers("BAD"), LIMIT, "its end is noticed")


AGAINST_DISPATCHERD = ["linger", "refuse", "back", "behind", "nested", "unread"]


@pytest.mark.parametrize("mode", AGAINST_DISPATCHERD)
def test_nobody_waits_even_without_the_filter(site, mode):
    if site.way == "systemd":
        let_filter(site, False)
    attack(site, mode)
    assert results(site)["linger"] == "done"


@pytest.mark.parametrize("mode", ["back", "behind", "nested"])
def test_nobody_waits_if_the_kernel_cannot_refuse_descriptors(site_by_hand, mode):
    site = site_by_hand

    def start():
        site.launch(sys.executable, str(OLD_KERNEL))
        site.wait_for_log("ready: 2 services")

    attack(site, mode, start=start)
    # It may be killed before it can say what came of it.
    assert results(site).get(mode, "done") == "done"


@pytest.mark.parametrize("mode", [*AGAINST_DISPATCHERD, "notify", "journal"])
def test_nobody_waits_with_the_filter(site_of_systemd, mode):
    site = site_of_systemd
    let_filter(site, True)
    attack(site, mode, n=1)
    assert results(site)["linger"] == "EPERM"


def test_nothing_reaches_the_network_of_the_host(site_of_systemd):
    site = site_of_systemd
    port, other = site.free_port(), site.free_port()
    came = []
    listener = site.open_socket(socket.AF_INET)
    site.clients.append(listener)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    listener.settimeout(1)

    def accept():
        while listener.fileno() >= 0:
            try:
                came.append(listener.accept()[1])
            except TimeoutError:
                continue
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    let_filter(site, True)
    bad, good = start_hostile(site, "net", PARAMETER=[f"PORT={port}", f"OTHER={other}"])
    client = site.dial(bad)
    site.wait_for_log("hostile: over")
    expected = {
        "free": "EPERM",
        "connect": "EPERM",
        "fastopen": "EISCONN",
        "bind": "EPERM",
        "listen": "EPERM",
        "accept4": "EPERM",
        "io_uring": "EPERM",
        "socket": "EAFNOSUPPORT",
    }
    assert {name: results(site).get(name) for name in expected} == expected
    assert site.refuses(other)
    assert not came
    client.close()
    check_others(site, good)


def test_a_service_that_lingers_is_reported_once(site_by_hand):
    site = site_by_hand
    attack(site, "linger", n=4)
    site.wait_for_log("BAD: a worker has set SO_LINGER on the socket of a client", LIMIT)
    assert site.count_log("has set SO_LINGER") == 1
