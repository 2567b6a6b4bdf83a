# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""When every place is taken (dispatcherd(8))."""

import json
import time

from harness.burst import Burst
from harness.wait import holds_for, wait_until


def test_a_client_too_many_waits_and_is_served_when_one_ends(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=2, MIN_CONNS=2, MAX_CONNS=2)
    clients = site.connect_served(port, 4)
    fifth = site.connect(port)
    fifth.send("service")
    assert fifth.is_waiting()
    site.wait_for_log("TEST: is full: 4/4 connections")
    site.wait_for_status("full")
    clients[1].close()
    assert fifth.receive() == "TEST"


def test_says_how_many_waited_though_they_waited_for_a_moment(site):
    """They come and are served between two looks at the queue, which are a second apart."""
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=1)
    (served,) = site.connect_served(port)
    site.wait_for_log("TEST: is full: 1/1 connections")
    crowd = [site.connect(port) for _ in range(5)]
    served.close()
    for client in crowd:
        assert client.ask("service") == "TEST"
        client.close()
    line = site.wait_for_log(r"TEST: has room again after \d+ s; up to (\d+) clients? waited", 60)
    assert int(line.group(1)) == 5


def test_the_wait_in_the_queue_is_known_of_each_client(site):
    """Also of those that come when the queue has been found empty, as each of these does."""
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=1, HISTORICAL_TIME=600)
    waits = []  # at least and at most, whatever else the machine does
    (served,) = site.connect_served(port)
    for _ in range(3):
        came = time.monotonic()
        client = site.connect(port)
        connected = time.monotonic()
        client.send("service")
        assert client.is_waiting(0.5)
        freed = time.monotonic()
        served.close()
        assert client.receive() == "TEST"
        waits.append((freed - connected, time.monotonic() - came))
        served = client
    served.close()

    def ended():
        return json.loads(site.control("--json", "history").stdout)["connections"]

    wait_until(lambda: len(ended()) == 4, what="all have ended")
    by_arrival = sorted(ended(), key=lambda connection: connection["accepted_at"]["monotonic"])
    for connection, (least, most) in zip(by_arrival[1:], waits, strict=True):
        # The kernel counts in ticks, and a virtual machine may catch up with several.
        assert least - 0.1 < connection["queued_usec"] / 1e6 < most + 0.1


def test_a_client_that_gives_up_waiting_takes_no_place(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=1)
    (served,) = site.connect_served(port)
    site.connect(port).close()
    last = site.connect(port)
    last.send("service")
    served.close()
    assert last.receive() == "TEST"


def test_another_service_goes_on(site):
    full, other = site.free_port(), site.free_port()
    site.write_config(
        site.service("FULL", PORT=full, MAX_PROCS=1, MAX_CONNS=1) + site.service("OTHER", PORT=other)
    )
    site.start()
    site.connect_served(full)
    waiting = site.connect(full)
    waiting.send("pid")
    assert site.connect(other).ask("service") == "OTHER"
    assert waiting.is_waiting(0.1)


def test_500_clients_are_served_50_at_a_time_and_all_in_the_end(site):
    port = site.run_service(
        MIN_PROCS=1, MAX_PROCS=5, MIN_CONNS=3, MAX_CONNS=10, BACKLOG=1024, MAX_HANDOFFS=10
    )
    burst = Burst(site, port, 500)

    def fifty_are_served():
        burst.step()
        return len(burst.served) >= 50

    def no_more_are_served():
        burst.step(0)
        return len(burst.served) == 50

    wait_until(fifty_are_served, 20, lambda: f"50 served clients; there are {len(burst.served)}")
    holds_for(no_more_are_served, 0.5, "more than 50 clients are served")
    assert len(site.worker_pids("TEST")) == 5
    assert sorted(burst.pids.values()) == [10] * 5

    while burst.waiting:
        burst.release(10)
        n_left = len(burst.waiting)
        wait_until(
            lambda: burst.step() or len(burst.waiting) <= n_left - 10, 20, "ten more are served"
        )
        assert len(burst.served) <= 50
    burst.release()
    assert burst.n_done == 500
