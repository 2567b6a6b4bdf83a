# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherd is killed, restarted, reloaded and stopped under load; the service goes on."""

import json
import os
import re

import pytest
from harness.soak import times
from harness.stream import Stream
from harness.wait import holds_for, wait_until


def answers(site):
    return site.control("status", check=False).returncode == 0


def wait_for_another_daemon(site, old):
    wait_until(lambda: site.daemon_pid() not in (0, old), 20, "another dispatcherd")
    wait_until(lambda: answers(site), 20, "it answers")


class Held:
    """Sessions that stay open, and the workers that have them."""

    def __init__(self, site, port, n):
        self.clients = {client: client.pid() for client in site.connect_served(port, n)}
        self.pids = set(self.clients.values())

    def check(self):
        for client, pid in self.clients.items():
            assert client.pid() == pid
            assert client.ask("echo still here") == "still here"


def run_pool(site, **options):
    """Two workers, and no reason to start a third."""
    options = {"MIN_PROCS": 2, "MAX_PROCS": 2, "MAX_CONNS": 30, "BACKLOG": 256} | options
    return site.run_service(**options)


def kill(site):
    old = site.daemon_pid()
    site.kill(old, "KILL")
    wait_for_another_daemon(site, old)


def restart(site):
    site.systemctl("restart", "dispatcherd.service")


def reload(site):
    site.systemctl("reload", "dispatcherd.service")


@pytest.mark.parametrize("interrupt", [kill, restart, reload])
def test_nothing_is_lost(site_of_systemd, interrupt):
    site = site_of_systemd
    port = run_pool(site)
    held = Held(site, port, 10)
    workers = site.worker_pids("TEST")
    n_times = times(4, 20)
    with Stream(site, port) as stream:
        for _ in range(n_times):
            before = site.statistics("TEST")["n_accepted"]
            n_served = stream.n_served
            interrupt(site)
            held.check()
            wait_until(lambda: stream.n_served >= n_served + 10, 20, "ten more sessions")
            assert site.statistics("TEST")["n_accepted"] >= before + 10 - len(stream.threads)
    assert not stream.broken
    # What a killed dispatcherd had accepted, and no worker had, is gone; it is next to nothing.
    assert len(stream.refused) <= (n_times if interrupt is kill else 0), stream.refused
    held.check()
    assert site.worker_pids("TEST") == workers == stream.pids | held.pids
    site.wait_for_status("TEST 2/2 workers, 10/")
    assert site.statistics("TEST")["n_broken"] == 0


def what_is_over(site):
    """Times by the monotonic clock alone: the other one is worked out anew each time."""

    def without_realtime(item):
        return {key: value for key, value in item.items() if key != "realtime"}

    text = site.control("--json", "history").stdout
    history = json.loads(text, object_hook=without_realtime)
    return history["connections"], history["workers"]


def counters(site):
    statistics = site.statistics("TEST")
    spans = {name: statistics[name] for name in ("duration", "wait", "backlog")}
    return spans | {key: n for key, n in statistics.items() if key.startswith("n_") or key == "rejected"}


@pytest.mark.parametrize("interrupt", [kill, restart])
def test_figures_and_history_go_on(site_of_systemd, interrupt):
    """What the next daemon lists was written down by the one before it."""
    site = site_of_systemd
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|127.0.0.7|*  $N500$ go$ away\n")
    port = run_pool(site, MIN_PROCS=1, MAX_PROCS=1, HISTORICAL_TIME=600)
    assert site.connect(port, source="127.0.0.7").receive() == "500 go away"
    ended, crashed = site.connect(port), site.connect(port)
    ids, pid = [ended.ask("id"), crashed.ask("id")], crashed.pid()
    assert ended.ask("quit") == "bye"
    wait_until(lambda: len(what_is_over(site)[0]) == 2, what="the end of a connection")
    crashed.send("crash")
    wait_until(lambda: len(what_is_over(site)[1]) == 1, what="the end of the worker")
    wait_until(lambda: len(what_is_over(site)[0]) == 3, what="the end of the connections")
    site.wait_for_workers("TEST", 1)
    before, over = counters(site), what_is_over(site)
    assert [before[key] for key in ("n_ended", "n_broken", "n_rejected")] == [1, 1, 1]
    assert {row["id"]: row["end"] for row in over[0] if row["id"] in ids} == dict(
        zip(ids, ["ended", "broken"])
    )
    assert [(row["pid"], row["held"]) for row in over[1]] == [(pid, ids[1:])]
    assert site.count_log("TEST: is full") == 0
    interrupt(site)
    wait_until(lambda: answers(site), 20, "it answers")
    assert what_is_over(site) == over
    assert counters(site) == before


def test_clients_that_come_while_it_is_down_are_served_by_the_next_one(site_of_systemd):
    site = site_of_systemd
    site.write_drop_in("dispatcherd.service", "[Service]\nRestartSec=1\n")
    port = run_pool(site)
    old = site.daemon_pid()
    site.kill(old, "KILL")
    wait_until(lambda: site.daemon_pid() == 0, what="systemd has seen the end")
    clients = [site.connect(port) for _ in range(20)]
    for client in clients:
        client.send("service")
    assert [client.receive(20) for client in clients] == ["TEST"] * 20
    assert site.daemon_pid() != old


def test_kills_in_quick_succession_touch_neither_socket_nor_worker(site_of_systemd):
    site = site_of_systemd
    port = run_pool(site)
    held = Held(site, port, 4)
    workers = site.worker_pids("TEST")
    loop = (
        'until [ "$(systemctl show -P NRestarts dispatcherd.service)" -ge "$0" ]; do'
        " systemctl kill -s KILL --kill-whom=main dispatcherd.service || :; sleep 0.1; done"
    )
    site.run("timeout", "120", "sh", "-c", loop, str(times(3, 30)))
    wait_until(lambda: answers(site), 20, "dispatcherd answers")
    assert site.show("ActiveState", "dispatcherd-test.socket") == "active"
    held.check()
    assert site.worker_pids("TEST") == workers
    assert site.connect(port).pid() in workers
    assert site.count_log("Failed with result 'start-limit-hit'") == 0


def test_a_worker_answers_a_daemon_that_is_dead_by_then(site_of_systemd):
    """The second daemon dies after it has asked the worker, and the third one gets both answers."""
    site = site_of_systemd
    port = run_pool(site, MIN_PROCS=1, MAX_PROCS=1, DEBUG="16%400")
    held = Held(site, port, 3)
    (worker,) = workers = site.worker_pids("TEST")
    site.kill(worker, "STOP")
    for n in (1, 2):
        site.kill(site.daemon_pid(), "KILL")
        wait_until(lambda n=n: site.count_log("is sent ADOPT") == n, 20, "the worker is asked")
    site.kill(worker, "CONT")
    wait_until(lambda: site.count_log("sends READY") == 3, what="it has answered twice")
    site.wait_for_status("TEST 1/1 workers, 3/")
    held.check()
    client = site.connect(port)
    assert site.worker_pids("TEST") == workers == {client.pid()}
    assert client.ask("quit") == "bye"
    for client in held.clients:
        assert client.ask("quit") == "bye"
    wait_until(lambda: site.statistics("TEST")["n_ended"] == 4, what="the ends of four sessions")
    assert site.statistics("TEST")["n_broken"] == 0


def test_a_broken_configuration_leaves_the_last_good_one_in_force(site_of_systemd):
    site = site_of_systemd
    port = run_pool(site)
    held = Held(site, port, 2)
    workers = site.worker_pids("TEST")
    site.write_config(site.service("TEST", PORT="twenty-five"))
    site.systemctl("restart", "dispatcherd.service")
    site.wait_for_status("dispatcher.cnf is broken, the last good one is in use")
    site.wait_for_log("cnf:2: error: PORT=")
    site.wait_for_log("using the last good one")
    held.check()
    kill(site)
    site.wait_for_status("dispatcher.cnf is broken")
    assert site.connect(port).pid() in workers

    assert site.reload(check=False).returncode == 1
    assert "broken" in site.status_text()
    site.reload(site.service("TEST", PORT=port, MIN_PROCS=2, MAX_PROCS=2, MAX_CONNS=30))
    site.wait_for_status("(^|; )TEST 2/2 workers")
    held.check()
    assert site.worker_pids("TEST") == workers


def test_a_broken_configuration_without_workers_ends_with_78(site_of_systemd):
    site = site_of_systemd
    run_pool(site)
    site.stop()
    site.write_config("nonsense\n")
    assert site.start_fails() == 78


def test_a_worker_whose_service_is_gone_finishes_its_sessions(site_of_systemd):
    site = site_of_systemd
    port, gone = site.free_port(), site.free_port()
    config = site.service("TEST", PORT=port)
    site.write_config(config + site.service("GONE", PORT=gone))
    site.start()
    held = Held(site, gone, 2)
    site.write_config(config)
    site.systemctl("daemon-reload")
    site.systemctl("restart", "dispatcherd.service")
    site.wait_for_log(r"not taking over the worker in slot \d+ of service \S+: its service no longer exists")
    (client, other) = held.clients
    wait_until(lambda: client.ask("draining") == "yes", what="the worker drains")
    held.check()
    assert site.connect(port).ask("service") == "TEST"
    client.close()
    assert other.ask("quit") == "bye"
    site.wait_for_workers("GONE", 0)
    # systemd keeps a socket whose unit is gone until it is told.


def test_workers_of_a_replaced_program_are_recycled_and_their_sessions_go_on(site_of_systemd):
    site = site_of_systemd
    program = os.path.join(site.container.builddir, "tests/system/test_worker")
    image = site.program_for("TEST", program)
    port = run_pool(site, MAX_PROCS=4, MAX_SHUTDOWN=2, IMAGE=image)
    held = Held(site, port, 2)
    old = site.worker_pids("TEST")
    assert held.pids == old
    site.program_for("TEST", program)  # another file in its place
    with Stream(site, port) as stream:
        site.systemctl("restart", "dispatcherd.service")
        wait_until(
            lambda: {pid for pid, w in site.workers("TEST").items() if w["state"] == "draining"}
            == old,
            20,
            lambda: f"{old} drain; there are {site.workers('TEST')}",
        )
        stream.pids.clear()
        n_served = stream.n_served
        wait_until(lambda: stream.n_served >= n_served + 20, 20, "twenty more sessions")
    assert not stream.refused and not stream.broken
    held.check()
    for client in held.clients:
        assert client.ask("quit") == "bye"
    new = site.wait_for_workers("TEST", 2)
    assert not new & old


@pytest.mark.parametrize("crashes", [False, True], ids=["", "with_a_crash_amid"])
def test_another_port_by_the_command_that_is_named(site_of_systemd, crashes):
    site = site_of_systemd
    old, new = site.free_port(), site.free_port()
    run_pool(site, PORT=old)
    held = Held(site, old, 2)
    site.write_config(site.service("TEST", PORT=new, MIN_PROCS=2, MAX_PROCS=2, MAX_CONNS=30))
    assert "to follow: dispatcherctl apply" in site.reload().stdout
    site.systemctl("daemon-reload")
    if crashes:
        kill(site)
    site.control("apply")
    assert site.connect(new).pid() in held.pids
    assert site.refuses(old)
    held.check()


def test_sockets_restart_under_load_by_the_command_that_is_named(site_of_systemd):
    """A client in the queue is reset, one that comes meanwhile is refused, and nothing else is
    lost."""
    site = site_of_systemd
    port = run_pool(site)
    held = Held(site, port, 2)
    with Stream(site, port) as stream:
        for _ in range(3):
            n_served = stream.n_served
            wait_until(lambda n=n_served: stream.n_served >= n + 20, 20, "twenty more sessions")
            site.systemctl("restart", "dispatcherd.service", "dispatcherd-test.socket")
        n_served = stream.n_served
        wait_until(lambda: stream.n_served >= n_served + 20, 20, "twenty more sessions")
    held.check()
    assert not stream.broken
    assert all(re.search("Refused|Reset|closed", error) for _, _, error in stream.refused)


def test_stop_drains_and_stop_of_the_slice_leaves_nothing(site_of_systemd):
    site = site_of_systemd
    port = run_pool(site)
    held = Held(site, port, 2)
    site.systemctl("stop", "--no-block", "dispatcherd.service")
    for client in held.clients:
        wait_until(lambda: client.ask("draining") == "yes", what="the worker drains")
    held.check()
    site.systemctl("stop", "--no-block", "dispatcherd.slice")
    holds_for(lambda: held.check() is None, 0.3, "sessions go on")
    for client in held.clients:
        assert client.ask("quit") == "bye"
    site.wait_stopped()
    assert not site.processes("")
    wait_until(
        lambda: not site.systemctl("list-units", "--no-legend", "dispatcherd*").stdout.strip(),
        10,
        lambda: site.systemctl("list-units", "dispatcherd*").stdout,
    )
