# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""How many workers there are, and when one is added (dispatcherd(8))."""

import pytest
from harness.burst import Burst
from harness.wait import holds_for, wait_until

pytestmark = pytest.mark.one_way


def test_starts_min_procs_workers_before_any_connection(site):
    site.run_service(MIN_PROCS=2, MAX_PROCS=4)
    assert len(site.worker_pids("TEST")) == 2


def test_min_procs_0_starts_a_worker_for_the_first_connection(site):
    port = site.run_service(MIN_PROCS=0)
    assert not site.worker_pids("TEST")
    client = site.connect(port)
    assert client.pid() in site.worker_pids("TEST")


def test_a_connection_waits_for_a_worker_that_starts_slowly(site):
    port = site.run_service(MIN_PROCS=0, PARAMETER="START_DELAY=700")
    client = site.connect(port)
    client.send("service")
    assert client.is_waiting(0.3)
    assert client.receive() == "TEST"


def test_adds_a_worker_when_all_are_busy_enough(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=3, MIN_CONNS=3, DEBUG="16%40")
    (first,) = site.worker_pids("TEST")
    clients = site.connect_served(port, 2)
    assert site.worker_pids("TEST") == {first}

    # The third makes the worker busy enough, and is still served by it.
    clients += site.connect_served(port)
    assert clients[2].pid() == first
    (second,) = site.wait_for_workers("TEST", 2) - {first}
    site.wait_for_log(f"worker {second} is ready")

    # 3 and 2: nothing is started.
    clients += site.connect_served(port, 2)
    assert [client.pid() for client in clients[3:]] == [second, second]
    holds_for(lambda: len(site.worker_pids("TEST")) == 2, 0.3, "a worker was added at 3 and 2")

    # 3 and 3.
    clients += site.connect_served(port)
    assert clients[5].pid() == second
    site.wait_for_workers("TEST", 3)


def test_fills_the_workers_when_no_more_may_be_added(site):
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2, MIN_CONNS=3, MAX_CONNS=10)
    workers = site.worker_pids("TEST")
    pids = [client.pid() for client in site.connect_served(port, 20)]
    assert site.worker_pids("TEST") == workers
    assert sorted(pids.count(pid) for pid in workers) == [10, 10]


def test_never_more_than_max_procs_in_a_burst(site):
    port = site.run_service(
        MIN_PROCS=1, MAX_PROCS=3, MIN_CONNS=1, MAX_CONNS=10, BACKLOG=1024, MAX_HANDOFFS=10
    )
    burst = Burst(site, port, 300)
    counts = []

    def pool_is_full():
        burst.step()
        counts.append(len(site.worker_pids("TEST")))
        return len(burst.served) == 30

    wait_until(pool_is_full, 20, "30 clients are served")
    burst.run(60, lambda: counts.append(len(site.worker_pids("TEST"))))
    assert burst.n_done == 300
    assert max(counts) == 3


def test_max_conns_1_gives_each_connection_a_worker_of_its_own(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=3, MAX_CONNS=1)
    pids = {client.pid() for client in site.connect_served(port, 3)}
    assert len(pids) == 3
