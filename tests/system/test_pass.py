# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcher-pass(8) with the programs of its manual page: connections that others serve."""

import os
import signal

import pytest
from harness.wait import holds_for, wait_until

# A second is what dispatcher-pass(8) promises; a busy machine may need more.
EXACT = 10


class Servers:
    """The program behind the workers."""

    def __init__(self, site, builddir, name):
        self.site = site
        self.path = os.path.join(site.folder, "server")
        program = f"{builddir}/tests/workers/{name}"
        self.command = ["python3", program] if name.endswith(".py") else [program]
        self.process = None

    def start(self):
        self.process = self.site.spawn(*self.command, self.path)
        wait_until(lambda: os.path.exists(self.path), what="the program listens")

    def stop(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.path)


@pytest.fixture
def servers(site_by_hand, builddir):
    servers = Servers(site_by_hand, builddir, "byte_server.py")
    servers.start()
    return servers


def run(site, builddir, servers, *parameters, **options):
    site.environment["LD_LIBRARY_PATH"] = f"{builddir}/.libs"
    port = site.run_service(
        IMAGE=site.program_for("TEST", f"{builddir}/.libs/pass"),
        PARAMETER=[f"TO={servers.path}", "FORMAT=byte", *parameters],
        **options,
    )
    wait_until(lambda: site.services()["TEST"]["n_ready"] > 0, 20, "a worker is ready")
    return port


def served(site, port):
    client = site.connect(port)
    assert client.ask("are you there?") == "are you there?"
    return client


def passed_on(site, port, number):
    """A client whose session is in other hands, as the daemon knows, as the sessions before it are.

    The program answers its client before the worker has told the daemon: until then the session
    takes a place in the worker, and three of them are a reason for a second worker.
    """
    client = served(site, port)
    wait_until(
        lambda: states_of_connections(site) == ["passed-on"] * number, what="the daemon knows"
    )
    return client


def states_of_connections(site):
    return [item["state"] for item in site.list_of("connections")]


def n_active(site):
    return site.services()["TEST"]["active"]["value"]


def test_the_program_in_c_is_given_connections(site_by_hand, builddir):
    site = site_by_hand
    servers = Servers(site, builddir, "byte_server")
    servers.start()
    port = run(site, builddir, servers)
    for _ in range(3):
        assert site.connect(port).receive() == "hello from C"
    wait_until(lambda: site.statistics("TEST")["n_ended"] == 3, EXACT, "they are over")


def test_places_hold_for_sessions_that_others_serve(site_by_hand, builddir, servers):
    site = site_by_hand
    port = run(site, builddir, servers, MIN_PROCS=1, MAX_PROCS=2, MIN_CONNS=3, MAX_CONNS=3)
    clients = [passed_on(site, port, number) for number in range(1, 7)]
    late = site.connect(port)
    late.send("too late?")
    assert late.is_waiting(), "a seventh has no place"
    assert len(site.workers("TEST")) == 1, "one worker is enough to pass them on"
    workers = {item["worker_pid"] for item in site.list_of("connections")}
    assert workers == set(site.workers("TEST"))
    clients[0].close()
    assert late.receive() == "too late?"
    statistics = site.statistics("TEST")
    assert statistics["n_ended"] == 1 and statistics["n_broken"] == 0


def test_a_session_outlives_its_worker(site_by_hand, builddir, servers):
    site = site_by_hand
    port = run(site, builddir, servers, MIN_PROCS=1)
    client = passed_on(site, port, 1)
    (worker,) = site.workers("TEST")
    site.kill(worker, "KILL")
    wait_until(
        lambda: set(site.workers("TEST")) not in ({worker}, set()), 20, "another worker is there"
    )
    assert client.ask("still?") == "still?"
    holds_for(lambda: n_active(site) == 1, 0.5, "it counts")
    client.close()
    wait_until(lambda: n_active(site) == 0, EXACT, "until it ends")
    assert site.statistics("TEST")["n_broken"] == 0


def test_a_worker_drains_without_its_sessions(site_by_hand, builddir, servers):
    site = site_by_hand
    port = run(site, builddir, servers, MIN_PROCS=1, MAX_LIFE_CONNS=1)
    client = passed_on(site, port, 1)
    first = site.list_of("connections")[0]["worker_pid"]
    wait_until(lambda: first not in site.workers("TEST"), 20, "it is gone")
    assert client.ask("still?") == "still?"
    assert n_active(site) == 1


def test_a_stop_waits_for_sessions_that_others_serve(site_by_hand, builddir, servers):
    site = site_by_hand
    port = run(site, builddir, servers)
    client = passed_on(site, port, 1)
    site.begin_stop()
    site.wait_for_log("stopping; 1 connection may continue")
    holds_for(site.daemon_pid, 0.5, "it waits")
    assert client.ask("still?") == "still?"
    client.close()
    assert site.wait_stopped() == 0


def test_connections_wait_for_a_program_that_is_away(site_by_hand, builddir, servers):
    site = site_by_hand
    port = run(site, builddir, servers, MIN_PROCS=1)
    servers.stop()
    clients = [site.connect(port) for _ in range(3)]
    for client in clients:
        client.send("anybody?")
    wait_until(lambda: site.services()["TEST"]["waiting"]["value"] == 3, what="they wait")
    # Not while one of them is on offer.
    wait_until(
        lambda: (site.services()["TEST"]["waits_for"] or "").startswith("the server behind the workers"),
        what="that is what they wait for",
    )
    # One that was started before the first answer of the only worker may be there.
    n_workers = len(site.workers("TEST"))
    holds_for(lambda: len(site.workers("TEST")) <= n_workers, 0.5, "no other worker is tried")
    site.wait_for_log("server behind the workers is full or down; check whether that server is running")
    servers.start()
    for client in clients:
        assert client.receive() == "anybody?"
    site.wait_for_log("takes connections again after")


def test_connections_in_the_queue_of_a_program_that_ends_are_sent_again(
    site_by_hand, builddir, servers
):
    site = site_by_hand
    port = run(site, builddir, servers)
    served(site, port).close()
    servers.process.send_signal(signal.SIGSTOP)
    client = site.connect(port)
    client.send("anybody?")
    wait_until(
        lambda: [item["state"] for item in site.list_of("connections")].count("active") == 1,
        what="it lies in the queue",
    )
    servers.stop()
    servers.start()
    assert client.receive() == "anybody?"


def test_connections_that_came_back_outlive_the_worker(site_by_hand, builddir, servers):
    site = site_by_hand
    n = 80  # more than the program has in its queue
    port = run(site, builddir, servers, MIN_PROCS=1, MAX_CONNS=50, BACKLOG=n)
    servers.process.send_signal(signal.SIGSTOP)
    clients = [site.connect(port) for _ in range(n)]
    for client in clients:
        client.send("anybody?")

    def n_in(*states):
        return sum(item["state"] in states for item in site.list_of("connections"))

    wait_until(lambda: n_in("active") > 0 and n_in("waiting") > 0, what="they wait on both sides")
    servers.stop()
    # One of them may be on offer again at any moment.
    wait_until(lambda: n_in("waiting", "hand-off") == n, what="those in its queue have come back")
    for worker in site.workers("TEST"):
        site.kill(worker, "KILL")
        wait_until(lambda worker=worker: worker not in site.workers("TEST"), 20, "it is gone")
    servers.start()
    for client in clients:
        assert client.receive() == "anybody?"
    wait_until(lambda: n_in("passed-on") == n, what="each has its place")
    statistics = site.statistics("TEST")
    assert statistics["n_broken"] == 0 and statistics["n_ended"] == 0


@pytest.mark.parametrize("how", ["away", "stuck"])
def test_what_cannot_be_placed_is_sent_away(site_by_hand, builddir, servers, how):
    site = site_by_hand
    port = run(site, builddir, servers, "TIMEOUT=1")
    if how == "away":
        servers.stop()
    else:
        servers.process.send_signal(signal.SIGSTOP)
    client = site.connect(port)
    assert client.is_closed()
    site.wait_for_log(r"sent away after 1 s: \S+ has not taken the connection")
    wait_until(lambda: site.statistics("TEST")["n_ended"] == 1, EXACT, "it is counted")
    assert site.statistics("TEST")["n_sent_away"] == 1


def test_check_knows_its_parameters(site_by_hand, builddir):
    program = f"{builddir}/.libs/pass"
    site_by_hand.environment["LD_LIBRARY_PATH"] = f"{builddir}/.libs"
    result = site_by_hand.run(
        "env",
        f"LD_LIBRARY_PATH={builddir}/.libs",
        program,
        "--check-parameters",
        "PROXY_PROTOCOL",
        "--",
        "TO=server",
        "FORMAT=morse",
        "TIMEOUT=0",
        check=False,
    )
    for i, name in enumerate(("TO", "FORMAT", "TIMEOUT")):
        assert f"{i} error: {name}=" in result.stdout.replace("PARAMETER=", "")
