# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Workers that break the protocol: what is said, who serves instead, and that nothing leaks.

bad_worker.py does one thing wrong in slot 0; in slot 1 the same program is a good one.
"""

import pathlib
import time

import pytest
from harness.soak import soak_only
from harness.wait import holds_for, wait_until

PROGRAM = pathlib.Path(__file__).with_name("bad_worker.py")


def start_bad(site, mode, name="BAD", **options):
    """A service with a bad worker and a good one, and another service. Returns their ports."""
    bad, good = site.free_port(), site.free_port()
    options = {"MIN_PROCS": 2, "MAX_PROCS": 2, "MAX_CONNS": 5, "PARAMETER": f"MODE={mode}"} | options
    site.write_config(
        site.service(name, PORT=bad, IMAGE=site.program_for(name, PROGRAM), **options)
        + site.service("GOOD", PORT=good, MIN_PROCS=1)
    )
    site.start()
    return bad, good


def n_descriptors(site):
    return len(site.run("ls", f"/proc/{site.daemon_pid()}/fd").stdout.split())


def pid_in_slot(site, service, slot):
    for pid, worker in site.workers(service).items():
        if worker["slot"] == slot and worker["state"] == "ready":
            return pid
    return None


# mode: what is said once for each worker that does it
AT_A_CONNECTION = {
    "die": "died|exited",
    "close": "has lost its channel and does not exit|died|exited",
    "stranger": "has reported a connection that it does not have",
    "end-early": "has reported a connection that it does not have",
    "unknown": "has sent an invalid message",
    "ours": "has sent a message that only dispatcherd sends",
    "garbage": "has sent an invalid message",
    "oversized": "has sent an invalid message",
    "empty": "has sent an invalid message",
    "descriptors": "has sent an invalid message",
}


IN_THE_RING = {
    "ring-stranger": "has reported a connection that it does not have",
    "ring-end-early": "has reported a connection that it does not have",
    "ring-tail": "has written more to its ring than there is room for",
    "ring-tail-back": "has written more to its ring than there is room for",
    "ring-type": "has written an invalid entry to its ring",
    "ring-drain-twice": "has written DRAINING twice",
    "ring-message": "has a ring, and does not use it",
}


@pytest.mark.parametrize("mode", IN_THE_RING)
def test_a_fault_in_the_ring(site, mode):
    check_a_fault_at_a_connection(site, mode, IN_THE_RING[mode], name="RING")


@pytest.mark.parametrize("mode", AT_A_CONNECTION)
def test_a_fault_at_a_connection(site, mode):
    if mode == "close" and site.way == "systemd":
        pytest.skip("its unit's watchdog ends it after 30 s")
    check_a_fault_at_a_connection(site, mode, AT_A_CONNECTION[mode])


def check_a_fault_at_a_connection(site, mode, said, name="BAD"):
    bad, good = start_bad(site, mode, name)
    first = pid_in_slot(site, name, 0)
    before = n_descriptors(site)
    kept = site.connect_served(good)[0]
    client = site.connect(bad)
    other = client.pid(20)
    assert other == pid_in_slot(site, name, 1)
    # Its first connection: so it was never of use.
    line = rf"{name}: (worker|cannot start a worker: .*, process) {first},? ({said})"
    site.wait_for_log(line)
    wait_until(lambda: pid_in_slot(site, name, 0) not in (None, first), 20, "it is replaced")
    assert site.count_log(line) == 1
    assert client.pid() == other
    assert kept.ask("echo still here") == "still here"
    client.close()
    wait_until(lambda: n_descriptors(site) <= before, 10, lambda: f"{n_descriptors(site)} <= {before}")


@pytest.mark.parametrize(
    "name,mode", [("BAD", "acknowledge-twice"), ("BAD", "end-twice"), ("RING", "ring-end-twice")]
)
def test_the_same_connection_twice(site, name, mode):
    bad, _ = start_bad(site, mode, name)
    first = pid_in_slot(site, name, 0)
    assert site.connect(bad).is_closed()  # that one was its own
    site.wait_for_log(rf"{name}: worker {first} has reported a connection that it does not have")
    wait_until(lambda: pid_in_slot(site, name, 0) not in (None, first), 20, "it is replaced")
    assert site.count_log(rf"{name}: worker {first} ") == 1


AT_THE_START = {
    "die-early": "exited",
    "ready-0": "has sent READY out of order or with an invalid number",
    "ready-too-many": "has sent READY out of order or with an invalid number",
    "ready-twice": "has sent READY out of order or with an invalid number",
    "hello-twice": "has sent HELLO twice",
}


@pytest.mark.parametrize("mode", AT_THE_START)
def test_a_fault_at_the_start(site, mode):
    bad, good = start_bad(site, mode)
    began = time.monotonic()
    line = rf"BAD: cannot start a worker: .*({AT_THE_START[mode]})"
    site.wait_for_log(line)
    assert site.connect(bad).pid() == pid_in_slot(site, "BAD", 1)
    assert site.connect(good).ask("service") == "GOOD"

    def n_failed():
        return site.statistics("BAD")["n_failed_starts"]

    wait_until(lambda: n_failed() >= 2, 10, "a second try")
    before = n_descriptors(site)
    wait_until(lambda: n_failed() >= 3, 10, "a third try")
    # Another worker serves: tries come a second apart, and are told once a minute.
    assert n_failed() <= 2 + (time.monotonic() - began), "starts without a pause"
    assert site.count_log(line) <= 2, "the same thing is told again and again"
    wait_until(lambda: n_descriptors(site) <= before, 10, "nothing leaks")


def test_a_version_that_nobody_speaks(site):
    _, good = start_bad(site, "good", name="VERSION")
    line = "VERSION: cannot start a worker: .*speaks none of the versions of the protocol"
    site.wait_for_log(line)
    assert site.connect(good).ask("service") == "GOOD"
    holds_for(lambda: site.count_log(line) <= 4, 1, "it spins", 0.2)


def test_a_worker_that_refuses_each_connection_is_asked_with_a_pause(site):
    bad, good = start_bad(site, "refuse", DEBUG=-1)
    client = site.connect(bad)
    assert client.pid() == pid_in_slot(site, "BAD", 1)
    assert site.connect(good).ask("service") == "GOOD"
    site.wait_for_log("sends REFUSE")
    refusals = site.count_log("sends REFUSE")
    assert 1 <= refusals <= 20, "it spins"


def test_when_all_refuse_a_connection_waits_and_nothing_spins(site):
    bad, good = start_bad(site, "refuse", MIN_PROCS=1, MAX_PROCS=1, DEBUG=-1)
    client = site.connect(bad)  # says nothing: so it counts as gone when it closes
    assert client.is_waiting(1)
    assert site.connect(good).ask("service") == "GOOD"
    assert 1 <= site.count_log("sends REFUSE") <= 60, "it spins"
    assert site.count_log("has refused a connection") == 1


def test_a_worker_that_floods_its_channel_delays_no_other(site):
    bad, good = site.free_port(), site.free_port()
    site.write_config(
        site.service("GOOD", PORT=good, MIN_PROCS=1)
        + site.service(
            "BAD",
            PORT=bad,
            IMAGE=site.program_for("BAD", PROGRAM),
            MIN_PROCS=1,
            MAX_PROCS=2,
            PARAMETER="MODE=flood",
        )
    )
    site.start()
    end = time.monotonic() + 3
    n_served, slowest = 0, 0
    while time.monotonic() < end:
        began = time.monotonic()
        with site.connect(good) as client:
            assert client.ask("service") == "GOOD"
        slowest = max(slowest, time.monotonic() - began)
        n_served += 1
    assert n_served > 10 and slowest < 5, f"{n_served} served, the slowest in {slowest:.2f} s"
    assert site.count_log("BAD: ") < 20


@pytest.mark.parametrize("name,mode", [("BAD", "silent"), ("RING", "ring-silent")])
def test_a_worker_that_never_acknowledges_is_given_up(site_by_hand, name, mode):
    site = site_by_hand
    bad, good = start_bad(site, mode, name)
    first = pid_in_slot(site, name, 0)
    client = site.connect(bad)
    client.send("pid")
    assert site.connect(good).ask("service") == "GOOD"
    assert client.is_waiting(1)
    assert int(client.receive(20)) == pid_in_slot(site, name, 1)
    site.wait_for_log(f"{name}: worker {first} has not acknowledged a connection for ")
    wait_until(lambda: pid_in_slot(site, name, 0) not in (None, first), 20, "it is replaced")


@soak_only
def test_a_worker_that_hangs_at_its_start_is_given_up(site):
    bad, good = start_bad(site, "hang", MAX_PROCS=1, MIN_PROCS=0)
    client = site.connect(bad)
    client.send("pid")
    assert site.connect(good).ask("service") == "GOOD"
    # Its unit has the same limit.
    causes = "was not ready within 30 s|was killed after a time limit of its unit|exited|died of signal"
    site.wait_for_log(f"BAD: cannot start a worker: .*({causes})", 40)
    assert client.is_waiting(0.1)
