# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A listening socket that somebody shuts down: "ss -K", or shutdown(2) of a process that shares it."""

import ctypes
import os
import socket

from harness.wait import holds_for, wait_until
from test_alerts import alerts

PIDFD_GETFD = 438  # pidfd_getfd(2), the same number on every architecture

libc = ctypes.CDLL(None, use_errno=True)


def sockets_of(pid):
    """A duplicate of each socket of a process."""
    process = os.pidfd_open(pid)
    for name in os.listdir(f"/proc/{pid}/fd"):
        fd = libc.syscall(PIDFD_GETFD, process, int(name), 0)
        if fd < 0:
            continue  # closed meanwhile
        try:
            yield socket.socket(fileno=fd)
        except OSError:
            os.close(fd)
    os.close(process)


def shut_down_listeners(pid, port, families):
    n = 0
    for sock in sockets_of(pid):
        with sock:
            # Not the copies of accepted connections, which have the port too.
            listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and sock.family in families and sock.getsockname()[1] == port:
                sock.shutdown(socket.SHUT_RDWR)
                n += 1
    assert n >= 1


def processor_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")")[1].split()
    return int(fields[11]) + int(fields[12])


def test_it_is_reported_once_costs_nothing_and_a_reload_binds_it_again(site_by_hand):
    site = site_by_hand
    port = site.run_service(MIN_PROCS=1)
    client = site.connect_served(port)[0]
    shut_down_listeners(site.daemon_pid(), port, (socket.AF_INET, socket.AF_INET6))
    site.wait_for_log(r"TEST: the socket at .* no longer listens \(Invalid argument\)")
    site.wait_for_status("TEST cannot be reached; .*no socket")
    assert alerts(site)["unreachable"]["text"] == "TEST has no socket: nobody can reach it"
    assert site.services()["TEST"]["accept"] == "no socket"
    ticks = processor_ticks(site.daemon_pid())
    holds_for(lambda: client.ask("service") == "TEST", 1.0, interval=0.1)
    assert processor_ticks(site.daemon_pid()) - ticks < os.sysconf("SC_CLK_TCK") / 2
    n_lines = site.count_log(r"no longer listens \(")
    site.reload()
    assert site.connect(port).ask("service") == "TEST"
    site.wait_for_log("TEST: can be reached again after")
    assert "unreachable" not in alerts(site)
    assert site.count_log(r"no longer listens \(") == n_lines <= 2


def test_one_of_two_is_missed_and_the_other_serves(site_by_hand):
    site = site_by_hand
    port = site.run_service()
    site.write_config(site.service("TEST", PORT=f"{port},{site.free_port()}"))
    site.reload()
    shut_down_listeners(site.daemon_pid(), port, (socket.AF_INET,))
    site.wait_for_log(f"TEST: no longer listens at 0.0.0.0:{port}")
    wait_until(lambda: site.refuses(port), what="a refusal")
    assert "unreachable" in alerts(site)
    assert site.services()["TEST"]["accept"] == "accepting"
