# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Start, readiness, status, watchdog, stop (dispatcherd(8))."""

import os
import re
import signal
import time

from harness.hand import is_sanitized
from harness.wait import holds_for, wait_until


def test_is_ready_when_min_procs_workers_are(site):
    site.write_config(
        site.service("TEST", PORT=site.free_port(), MIN_PROCS=2, PARAMETER="START_DELAY=700")
    )
    began = time.monotonic()
    site.start()
    assert time.monotonic() - began >= 0.7
    assert site.status_text().startswith("TEST 2/")
    site.wait_for_log("ready: 1 service, 2 workers")


def test_status_is_there_before_all_are_ready(site_by_hand, tmp_path):
    site = site_by_hand
    port = site.free_port()
    gate = tmp_path / "gate"
    slow = tmp_path / "slow.sh"
    slow.write_text(
        f"#!/bin/sh\nuntil [ -e {gate} ]; do sleep 0.1; done\n"
        f"exec {site.builddir}/tests/system/test_worker\n"
    )
    slow.chmod(0o755)
    site.write_config(
        site.service("QUICK", PORT=port, MIN_PROCS=1, MAX_PROCS=2, MAX_CONNS=5)
        + site.service(
            "SLOW", PORT=site.free_port(), MIN_PROCS=1, IMAGE=site.program_for("SLOW", str(slow))
        )
    )
    site.launch()
    site.wait_for_status("^starting; QUICK [01]/2 workers")
    wait_until(lambda: not site.refuses(port), what="QUICK listens")
    assert site.connect(port).ask("service") == "QUICK"
    site.wait_for_status("^starting; QUICK 1/2 workers, [12]/10 connections; SLOW 1/")
    assert site.manager.last("READY") is None
    gate.touch()
    site.wait_for_status("^QUICK 1/2 workers, ")
    wait_until(lambda: site.manager.last("READY") == "1", what="READY=1")


def test_status_follows_the_pools(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=2, MIN_CONNS=2, MAX_CONNS=5)
    site.wait_for_status("TEST 1/2 workers, 0/10 connections")
    clients = site.connect_served(port, 3)
    site.wait_for_status("TEST 2/2 workers, 3/10 connections")
    for client in clients:
        client.close()
    site.wait_for_status("TEST 2/2 workers, 0/10 connections")


def test_status_is_in_systemctl_status(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1, MAX_PROCS=2, MAX_CONNS=5)
    text = site.systemctl("status", "--no-pager", "dispatcherd.service").stdout
    assert 'Status: "TEST 1/2 workers, 0/10 connections"' in text
    assert "Active: active (running)" in text


def test_stop_lets_sessions_finish(site):
    port = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(port)
    site.begin_stop()
    wait_until(lambda: client.ask("draining") == "yes", what="the worker drains")
    assert client.ask("sleep 0.3") == "slept"
    assert site.daemon_pid() != 0
    assert client.ask("quit") == "bye"
    assert site.wait_stopped() == 0
    assert not site.worker_pids("TEST")


def test_stop_without_sessions_leaves_nothing(site):
    port = site.run_service(MIN_PROCS=3, MAX_PROCS=3)
    assert site.stop() == 0
    assert site.daemon_pid() == 0
    assert not site.worker_pids("TEST")
    assert site.refuses(port)
    site.wait_for_log("stopped$")


def test_stopping_the_service_alone_drains_and_a_connection_starts_it_again(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(port)
    site.systemctl("stop", "--no-block", "dispatcherd.service")
    wait_until(lambda: client.ask("draining") == "yes", what="the worker drains")
    client.close()
    wait_until(lambda: site.show("ActiveState") == "inactive", what="dispatcherd has stopped")
    site.wait_for_workers("TEST", 0)
    assert site.connect(port).ask("service") == "TEST"
    assert site.show("ActiveState") == "active"


def test_a_restart_leaves_workers_and_sessions_alone(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    clients = site.connect_served(port, 3)
    pids = [client.pid() for client in clients]
    old = site.daemon_pid()
    site.systemctl("restart", "dispatcherd.service")
    assert site.daemon_pid() not in (0, old)
    assert [client.pid() for client in clients] == pids
    assert [client.ask("draining") for client in clients] == ["no"] * 3
    assert site.connect(port).pid() in pids
    assert site.worker_pids("TEST") == set(pids)


def test_a_changed_port_follows_one_command_and_no_session_breaks(site_of_systemd):
    site = site_of_systemd
    old, new = site.free_port(), site.free_port()
    site.run_service(PORT=old)
    (client,) = site.connect_served(old)
    pid = client.pid()
    site.write_config(site.service("TEST", PORT=new))
    site.systemctl("daemon-reload")
    # In this order: systemd opens no socket while its service runs.
    site.systemctl("restart", "dispatcherd.service", "dispatcherd-test.socket")
    assert client.pid() == pid
    assert site.connect(new).ask("local") == f"127.0.0.1 {new}"
    assert site.refuses(old)


def test_starting_the_service_opens_the_sockets(site_of_systemd):
    site = site_of_systemd
    port = site.run_service()
    site.stop()
    assert site.refuses(port)
    site.systemctl("start", "dispatcherd.service")
    assert site.connect(port).ask("service") == "TEST"


def test_a_broken_configuration_is_named_by_line_and_ends_with_78(site):
    site.write_config(site.service("TEST", PORT="twenty-five"))
    assert site.start_fails() == 78
    site.wait_for_log(rf"{re.escape(site.config)}:2: error: PORT=")


def test_a_broken_configuration_does_not_spin_while_a_client_waits(site_of_systemd):
    site = site_of_systemd
    port = site.run_service()
    site.systemctl("stop", "dispatcherd.service")
    site.write_config("nonsense\n")
    site.connect(port)
    site.wait_for_log("cnf:1: error: ")
    holds_for(lambda: site.log_text().count("cnf:1: error: ") <= 2, 1.5, "it tries all the time")
    # The client is still there when the file is mended.
    site.write_config(site.service("TEST", PORT=port))
    wait_until(lambda: site.show("ActiveState") == "active", 20, "dispatcherd is back")


def test_feeds_the_watchdog(site_by_hand):
    site = site_by_hand
    site.environment["WATCHDOG_USEC"] = "300000"
    site.run_service()
    wait_until(lambda: site.manager.lines.count("WATCHDOG=1") >= 3, what="three WATCHDOG=1")


def test_a_dispatcherd_that_hangs_is_replaced_by_the_watchdog(site_of_systemd):
    site = site_of_systemd
    site.write_drop_in("dispatcherd.service", "[Service]\nWatchdogSec=8\n")
    port = site.run_service()
    pid = site.daemon_pid()
    holds_for(lambda: site.daemon_pid() == pid, 9, "it is fed", 0.2)
    site.pause(pid)
    wait_until(lambda: site.daemon_pid() not in (0, pid), 20, "another dispatcherd", 0.2)
    assert site.connect(port).ask("service") == "TEST"


def test_says_what_it_does_to_the_service_manager(site_by_hand):
    site = site_by_hand
    site.run_service()
    assert site.stop() == 0
    lines = site.manager.lines
    assert lines.count("READY=1") == 1
    assert lines.index("READY=1") < lines.index("STOPPING=1")


def reads(pid, path):
    """True while the process has the file open."""
    try:
        return path in {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    except OSError:
        return False


def test_a_signal_that_comes_before_it_is_ready_is_kept(site_by_hand):
    site = site_by_hand
    path = os.path.join(site.folder, "mappings")
    # Long to read, so that there is time; but not as long as the limit for that.
    n = 10000 if is_sanitized(site.builddir) else 100000
    site.write_mappings("PORT_ACCESS\n\n" + "  TCP|*|*|192.0.2.1|*  $N\n" * n + "  *  $Y\n")
    site.write_config(site.service("TEST", PORT=site.free_port(), MIN_PROCS=1))
    site.launch()
    wait_until(lambda: reads(site.daemon.pid, path), 20, "reads the mappings", interval=0)
    site.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: site.manager.last("READY") == "1" or site.daemon.poll(), 60, "READY=1")
    site.wait_for_log("reloaded ", 60)
    site.begin_stop()
    assert site.wait_stopped() == 0


def ignores_sighup(pid):
    with open(f"/proc/{pid}/status") as file:
        ignored = re.search(r"^SigIgn:\s+(\w+)", file.read(), re.MULTILINE)[1]
    return int(ignored, 16) >> (signal.SIGHUP - 1) & 1


def test_a_signal_while_the_program_is_loaded_is_kept_if_it_was_ignored_before(site_by_hand):
    site = site_by_hand
    site.write_config(site.service("TEST", PORT=site.free_port(), MIN_PROCS=0))
    # As dispatcherd(8) advises. Without it, one of the first signals ends the process.
    site.launch("sh", "-c", "trap '' HUP; exec \"$@\"", "sh")
    wait_until(lambda: ignores_sighup(site.daemon.pid), 20, "the shell's trap", interval=0)

    def is_ready():
        site.daemon.send_signal(signal.SIGHUP)
        return site.manager.last("READY") == "1" or site.daemon.poll() is not None

    wait_until(is_ready, 60, "READY=1", interval=0)
    assert site.daemon.poll() is None, f"dispatcherd ended with {site.daemon.poll()}"
    site.wait_for_log("reloaded ")
    assert site.stop() == 0


def test_a_start_that_takes_long_asks_the_service_manager_for_time(site_by_hand):
    site = site_by_hand
    site.run_service(MIN_PROCS=2)
    lines = site.manager.lines
    wait_until(lambda: "READY=1" in lines, what="the start")
    assert "EXTEND_TIMEOUT_USEC=30000000" in lines[: lines.index("READY=1")]
