# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What breaks, and what does not break with it."""

import contextlib
import random
import re
import time

import pytest
from harness.soak import times
from harness.stream import Stream
from harness.wait import holds_for, wait_until


def test_a_killed_worker_is_replaced_and_breaks_its_own_sessions_alone(site):
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    one, two = site.connect_served(port, 2)
    killed, kept = one.pid(), two.pid()
    assert killed != kept
    site.kill(killed, "KILL")
    assert one.is_closed()
    assert two.pid() == kept
    wait_until(
        lambda: len(site.worker_pids("TEST") - {killed}) == 2, what="the worker is replaced"
    )
    assert two.ask("echo still here") == "still here"
    site.wait_for_log(f"TEST: worker {killed} ")
    site.wait_for_status("2/2 workers")


def test_workers_killed_ten_times_a_second_break_their_own_sessions_alone(site):
    """Every session that a client lost was one that a worker had taken, and then was killed."""
    port = site.run_service(MIN_PROCS=4, MAX_PROCS=8, MAX_CONNS=30, BACKLOG=256)
    killed = set()
    with Stream(site, port, n_threads=8) as stream:
        for _ in range(times(30, 600)):
            time.sleep(0.1)  # the rate of the killing, not a wait for something
            pid = random.choice(sorted(site.worker_pids("TEST") or {0}))
            if pid:
                with contextlib.suppress(ProcessLookupError, AssertionError):
                    site.kill(pid, "KILL")
                    killed.add(pid)
        n_served = stream.n_served
        wait_until(lambda: stream.n_served >= n_served + 20, 30, "sessions go on")
    lost = stream.broken + stream.refused
    assert {pid for _, pid, _ in stream.broken} <= killed
    wait_until(
        lambda: site.statistics("TEST")["n_broken"] >= len(lost), 30, f"each of {len(lost)} is broken"
    )
    assert stream.n_served > len(lost), f"{stream.n_served} served, {len(lost)} lost"


@pytest.mark.parametrize("command", ["exit", "crash"])
def test_a_worker_that_ends_amid_sessions_is_replaced(site, command):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=2)
    (client,) = site.connect_served(port)
    old = client.pid()
    client.send(command)
    assert client.is_closed()
    assert site.connect(port).pid() != old


@pytest.mark.parametrize("image", ["/bin/false", "/no/such/program"])
def test_an_image_that_cannot_run_is_said_and_harms_no_other_service(site, image):
    bad, good = site.free_port(), site.free_port()
    site.write_config(
        site.service("BAD", PORT=bad, MIN_PROCS=1, IMAGE=image) + site.service("GOOD", PORT=good)
    )
    site.start()
    started = time.monotonic()
    assert site.connect(good).ask("service") == "GOOD"
    site.wait_for_status("BAD cannot start a worker.*; GOOD 1/")
    site.wait_for_log("BAD: cannot start a worker: .*")

    # A client waits in the backlog; tries come at 0, 1, 3, 7 s.
    client = site.connect(bad)
    client.send("pid")
    assert client.is_waiting(1.5)
    n_tries = len(re.findall("BAD: cannot start a worker", site.log_text()))
    assert n_tries <= 2 + (time.monotonic() - started), "starts without a pause"


def test_a_worker_that_fails_to_start_is_tried_again_with_a_delay(site):
    site.run_service(MIN_PROCS=1, PARAMETER="FAIL=1")
    site.wait_for_log("told to fail by its PARAMETER")
    wait_until(
        lambda: len(re.findall("cannot start a worker", site.log_text())) >= 2, 10, "a second try"
    )
    holds_for(
        lambda: len(re.findall("cannot start a worker", site.log_text())) <= 3, 1, "no third yet"
    )


def test_workers_of_a_killed_dispatcherd_finish_their_sessions(site_by_hand):
    site = site_by_hand
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    clients = site.connect_served(port, 2)
    site.kill(site.daemon_pid(), "KILL")
    site.daemon.wait()
    wait_until(lambda: clients[0].ask("draining") == "yes", what="the worker drains")
    assert clients[1].ask("echo still here") == "still here"
    assert clients[0].ask("quit") == "bye"
    site.wait_for_workers("TEST", 1)
    clients[1].close()
    site.wait_for_workers("TEST", 0)


def test_a_killed_dispatcherd_is_back_and_no_session_breaks(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(port)
    old = site.daemon_pid()
    site.kill(old, "KILL")
    assert site.connect(port).ask("service") == "TEST"
    assert site.daemon_pid() not in (0, old)
    assert client.ask("echo still here") == "still here"


def test_many_kills_close_neither_service_nor_socket(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    for _ in range(10):
        pid = wait_until(site.daemon_pid)
        site.kill(pid, "KILL")
        wait_until(lambda: site.daemon_pid() != pid, what="systemd has seen the end")
    assert site.connect(port).ask("service") == "TEST"
