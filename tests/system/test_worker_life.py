# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""How long a worker lives (dispatcherd(8))."""

import json
import signal
import time

import pytest

from harness.stream import Stream
from harness.wait import holds_for, wait_until


def drains(client):
    return client.ask("draining") == "yes"


def pid_of_next(site, port):
    """The worker that serves the next session, which ends at once."""
    with site.connect(port) as client:
        return client.pid()


def only_draining(clients):
    """The one client whose worker drains, or None."""
    draining = [client for client in clients if drains(client)]
    return draining[0] if len(draining) == 1 else None


def test_idle_workers_above_the_minimum_go(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=3, MIN_CONNS=1, MAX_IDLE_TIME=2)
    clients = site.connect_served(port)
    wait_until(lambda: site.services()["TEST"]["n_ready"] == 2, 20, "a second worker")
    clients += site.connect_served(port)
    wait_until(lambda: site.services()["TEST"]["n_ready"] == 3, 20, "a third worker")
    for client in clients:
        client.close()
    began = time.monotonic()
    (last,) = site.wait_for_workers("TEST", 1)
    assert time.monotonic() - began >= 1.5
    holds_for(
        lambda: site.worker_pids("TEST") == {last},
        0.5,
        lambda: f"{last} stays alone; {site.worker_pids('TEST')}\n{site.log_text()}",
    )


def test_idle_workers_of_the_minimum_stay(site_by_hand):
    site = site_by_hand
    site.run_service(MIN_PROCS=3, MAX_PROCS=3, MAX_IDLE_TIME=1)
    workers = site.worker_pids("TEST")
    holds_for(lambda: site.worker_pids("TEST") == workers, 2.5, "they stay")


def test_a_worker_that_is_used_up_drains_behind_a_new_one(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=2, MAX_LIFE_CONNS=2)
    clients = site.connect_served(port, 2)
    (old,) = {client.pid() for client in clients}
    wait_until(lambda: drains(clients[0]), 20, "it drains")
    (new,) = site.worker_pids("TEST") - {old}
    assert site.connect(port).pid() == new
    for client in clients:
        assert client.ask("echo still here") == "still here"
        assert client.ask("quit") == "bye"
    wait_until(lambda: old not in site.worker_pids("TEST"), 20, "it has ended")


def test_a_worker_that_is_too_old_drains_and_its_session_goes_on(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=2, MAX_LIFE_TIME=2)
    (client,) = site.connect_served(port)
    old = client.pid()
    wait_until(lambda: drains(client), 20, "it drains")
    assert site.connect(port).pid() != old
    assert client.ask("sleep 0.3") == "slept"
    assert client.ask("quit") == "bye"
    wait_until(lambda: old not in site.worker_pids("TEST"), 20, "it has ended")


def test_no_more_than_max_shutdown_drain(site_by_hand):
    site = site_by_hand
    port = site.run_service(MIN_PROCS=3, MAX_PROCS=5, MAX_SHUTDOWN=1, MAX_LIFE_TIME=3)
    clients = site.connect_served(port, 3)
    assert len({client.pid() for client in clients}) == 3
    first = wait_until(lambda: only_draining(clients), 20, "one drains")
    holds_for(lambda: only_draining(clients) is first, 1.5, "a second one drains", 0.1)
    assert first.ask("quit") == "bye"
    clients.remove(first)
    wait_until(lambda: only_draining(clients), 20, "the next one drains")


def test_the_only_worker_serves_on_and_is_replaced_when_idle(site_by_hand):
    site = site_by_hand
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, MAX_LIFE_TIME=1)
    (client,) = site.connect_served(port)
    old = client.pid()
    holds_for(lambda: pid_of_next(site, port) == old, 2, "it serves on", 0.1)
    assert not drains(client)
    client.close()
    counts = []

    def is_replaced():
        workers = site.worker_pids("TEST")
        counts.append(len(workers))
        return workers and old not in workers

    with Stream(site, port, 1, pause=0.05) as stream:
        wait_until(is_replaced, 20, "another worker")
        n_served = stream.n_served
        wait_until(lambda: stream.n_served >= n_served + 3, 20, "it serves")
    assert max(counts) == 1, "two processes"
    assert not stream.refused and not stream.broken


DEATHS = {"KILL": "died of signal (9|KILL)", "ABRT": "died of signal (6|ABRT)"}


@pytest.mark.parametrize("signal_name", DEATHS)
def test_the_cause_of_a_death_is_told(site, signal_name):
    port = site.run_service(MIN_PROCS=1, HISTORICAL_TIME=600)
    (client,) = site.connect_served(port)
    pid = client.pid()
    site.kill(pid, signal_name)
    site.wait_for_log(rf"TEST: worker {pid} {DEATHS[signal_name]}.*; 1 session was lost")
    assert site.count_log(f"TEST: worker {pid} ") == 1
    number = getattr(signal, f"SIG{signal_name}")
    assert how_it_ended(site, pid) == {"exit_status": None, "signal": number}
    site.wait_for_workers("TEST", 1)


def test_the_exit_status_of_a_worker_is_told(site):
    port = site.run_service(MIN_PROCS=1, HISTORICAL_TIME=600)
    (client,) = site.connect_served(port)
    pid = client.pid()
    client.send("exit 3")
    site.wait_for_log(rf"TEST: worker {pid} exited with status 3; 1 session was lost")
    assert how_it_ended(site, pid) == {"exit_status": 3, "signal": None}


def test_a_worker_that_hangs_is_ended_by_its_watchdog_and_that_is_told(site_of_systemd):
    site = site_of_systemd
    site.write_drop_in(
        "dispatcherd-test-worker@.service", "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n"
    )
    port = site.run_service(MIN_PROCS=1, HISTORICAL_TIME=600)
    (client,) = site.connect_served(port)
    pid, connection = client.pid(), client.ask("id")
    site.kill(pid, "STOP")
    site.wait_for_log(rf"TEST: worker {pid} was killed because it did not feed its watchdog", 20)
    (worker,) = json.loads(site.control("--json", "history").stdout)["workers"]
    assert worker["held"] == [connection]
    assert "WatchdogSec=" in worker["cause"]
    site.wait_for_workers("TEST", 1)


def how_it_ended(site, pid):
    (worker,) = json.loads(site.control("--json", "history").stdout)["workers"]
    assert worker["pid"] == pid
    return {name: worker[name] for name in ("exit_status", "signal")}
