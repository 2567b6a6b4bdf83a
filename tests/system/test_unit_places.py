# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Workers that do not go: a place is free when all of its unit is gone, and that is seen to."""

import contextlib
import pathlib
import re
import socket
import time

import pytest

from harness.wait import wait_until

KILL_SOCKET = "/run/dispatcherd-worker/.kill"

# systemd-analyze security. The helper is root, which alone counts 0.4.
MAX_EXPOSURE = 1.5

PROGRAM = pathlib.Path(__file__).with_name("bad_worker.py")


def let_stop_quickly(site, service):
    """They ignore the SIGTERM of a stop, too, and systemd waits for 90 seconds."""
    if site.way == "systemd":
        site.write_drop_in(f"dispatcherd-{service}-worker@.service", "[Service]\nTimeoutStopSec=1\n")


def n_units(site, service):
    """Units of workers that are there, in whatever state."""
    pattern = f"dispatcherd-{service}-worker@*.service"
    states = "--state=active,activating,deactivating,reloading"
    text = site.systemctl("list-units", "--no-legend", "--plain", states, pattern).stdout
    return len(text.splitlines())


def test_units_whose_greeter_has_gone_still_count(site_of_systemd):
    site = site_of_systemd
    let_stop_quickly(site, "fork")
    site.write_config(
        site.service(
            "FORK",
            PORT=site.free_port(),
            IMAGE=site.program_for("FORK", PROGRAM),
            MIN_PROCS=1,
            MAX_PROCS=2,
        )
    )
    site.start()
    most = 0
    end = time.monotonic() + 20
    while time.monotonic() < end:
        most = max(most, n_units(site, "fork"))
        assert most <= 2, "more units than MAX_PROCS"
        time.sleep(0.1)
    assert most == 2
    # They are ended, and then others may be started.
    site.wait_for_log("FORK: worker .* has exited, but its unit is still active")
    site.wait_for_log("dispatcherd-fork-worker@0-.*: Main process exited, code=killed", 30)


def test_a_worker_that_does_not_go_is_ended_and_succeeded(site):
    port = site.free_port()
    let_stop_quickly(site, "bad")
    site.write_config(
        site.service(
            "BAD",
            PORT=port,
            IMAGE=site.program_for("BAD", PROGRAM),
            MIN_PROCS=1,
            MAX_PROCS=1,
            PARAMETER="MODE=stubborn",
        )
    )
    site.start()
    wait_until(lambda: site.services()["BAD"]["n_ready"] == 1, 20, "it is ready")
    (stubborn,) = site.workers("BAD")
    site.control("restart", "BAD")
    wait_until(lambda: site.workers("BAD").get(stubborn, {}).get("state") == "draining", 20)
    site.wait_for_log(f"BAD: worker {stubborn} drains, has no sessions, and does not exit", 60)
    wait_until(lambda: stubborn not in site.worker_pids("BAD"), 20, "it is killed")
    wait_until(lambda: site.services()["BAD"]["n_ready"] == 1, 20, "a successor")
    if site.way == "hand":
        # The successor would hold up the stop, too: the second SIGTERM cuts it.
        site.begin_stop()
        site.wait_for_log("stopping; ")
        site.begin_stop()
        site.wait_stopped()


def ask_to_kill(site, text):
    """As the daemon does, or somebody who has taken it over."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect(site.container.path(KILL_SOCKET))
        sock.sendall(text)


def worker_units(site, service):
    text = site.systemctl("list-units", "--no-legend", "--plain", f"dispatcherd-{service}-worker@*").stdout
    return [line.split()[0] for line in text.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        b"dispatcherd.service\n",
        b"dispatcherd-test-worker@.service\n",
        b"dispatcherd-test-worker@*.service\n",
        b"dispatcherd-test-worker@1.service dispatcherd.service\n",
        b"dispatcherd-test-worker@1.service\ndispatcherd.service\n",
        b"dispatcherd-test-worker@1.service.socket\n",
        b"--all\n",
        b"$(reboot)\n",
        b"dispatcherd-stranger-worker@1.service\n",
        b"dispatcherd-" + b"x" * 300 + b"-worker@1.service\n",
        b"\n",
        b"",
        b"\0\xff\n",
    ],
)
def test_nothing_but_a_worker_is_killed(site_of_systemd, text):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1, MAX_PROCS=1)
    wait_until(lambda: site.services()["TEST"]["n_ready"] == 1, 20, "it is ready")
    stranger = "dispatcherd-stranger-worker@1.service"
    site.run("systemd-run", f"--unit={stranger}", "--collect", "sleep", "600")
    before = site.daemon_pid(), site.worker_pids("TEST"), site.show("MainPID", stranger)
    ask_to_kill(site, text)
    site.wait_for_log("asked to kill what is .*; nothing is killed")
    assert (site.daemon_pid(), site.worker_pids("TEST"), site.show("MainPID", stranger)) == before
    site.systemctl("stop", stranger)


def test_a_worker_is_killed_while_others_are_silent(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1, MAX_PROCS=1)
    wait_until(lambda: site.services()["TEST"]["n_ready"] == 1, 20, "it is ready")
    (unit,) = worker_units(site, "test")
    silent = []
    for _ in range(40):
        silent.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        silent[-1].connect(site.container.path(KILL_SOCKET))

    def killed():
        with contextlib.suppress(ConnectionError):
            ask_to_kill(site, f"{unit}\n".encode())
        return unit not in worker_units(site, "test")

    wait_until(killed, 40, "a place of the helper is free, and the worker is killed")
    for sock in silent:
        sock.close()


def test_only_the_daemon_reaches_the_helper(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    owner = site.show("User")
    assert site.run("stat", "-c", "%U %a", KILL_SOCKET).stdout.split() == [owner, "600"]
    folder = KILL_SOCKET.rpartition("/")[0]
    assert site.run("stat", "-c", "%U %a", folder).stdout.split() == ["root", "755"]


def test_exposure_of_the_helper_is_low(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    text = site.run("systemd-analyze", "security", "--no-pager", "dispatcherd-kill@1.service").stdout
    exposure = float(re.search(r"exposure level for .*: ([\d.]+)", text).group(1))
    assert exposure <= MAX_EXPOSURE, text
