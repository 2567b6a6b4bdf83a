# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Which worker gets a connection (dispatcherd(8)), and what a slow one delays."""

import pytest

pytestmark = pytest.mark.one_way


def test_takes_the_worker_with_fewest_connections(site):
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    pids = [client.pid() for client in site.connect_served(port, 3)]
    (free,) = [pid for pid in pids if pids.count(pid) == 1]
    assert site.connect(port).pid() == free


def test_takes_the_worker_with_fewest_in_its_life_among_equals(site):
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2, MAX_CONNS=10)
    site.connect_served(port, 4)
    busy = site.connect_served(port)[0]
    used = busy.pid()
    busy.close()
    site.wait_for_status("4/20 connections")
    assert site.connect(port).pid() != used


def test_spreads_evenly(site):
    port = site.run_service(MIN_PROCS=4, MAX_PROCS=4)
    pids = [client.pid() for client in site.connect_served(port, 20)]
    assert sorted(pids.count(pid) for pid in set(pids)) == [5, 5, 5, 5]


def test_an_unacknowledged_hand_off_delays_its_own_service_alone(site):
    slow, fast = site.free_port(), site.free_port()
    site.write_config(
        site.service("SLOW", PORT=slow, MAX_HANDOFFS=1, MAX_PROCS=1)
        + site.service("FAST", PORT=fast)
    )
    site.start()
    (worker,) = site.worker_pids("SLOW")
    site.pause(worker)
    clients = [site.connect(slow) for _ in range(3)]
    for client in clients:
        client.send("service")
    assert site.connect(fast).ask("service") == "FAST"
    assert all(client.is_waiting(0.1) for client in clients)
    site.kill(worker, "CONT")
    assert [client.receive() for client in clients] == ["SLOW"] * 3


def test_a_connection_that_was_not_acknowledged_goes_to_another_worker(site):
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    workers = site.worker_pids("TEST")
    first = site.connect(port).pid()
    (second,) = workers - {first}
    site.pause(second)
    client = site.connect(port)  # belongs to the second, which has fewer
    client.send("pid")
    assert client.is_waiting()
    site.kill(second, "KILL")
    assert int(client.receive()) not in (0, second)
