# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A reload applies what has changed, refuses what is broken, and cuts no session (dispatcherd(8))."""

import socket

import pytest
from harness.stream import Stream
from harness.wait import holds_for, wait_until


def is_turned_away(site, port):
    """True if a client is neither served nor left to wait."""
    try:
        return site.connect(port).ask("service") is None
    except (BrokenPipeError, ConnectionResetError):
        return True


def states(site, service):
    return sorted(worker["state"] for worker in site.workers(service).values())


def wait_for_states(site, *wanted):
    wait_until(
        lambda: states(site, "TEST") == sorted(wanted),
        20,
        lambda: f"workers that are {sorted(wanted)}; they are {states(site, 'TEST')}",
        0.1,
    )


def test_higher_limits_count_at_once(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=1)
    (client,) = site.connect_served(port)
    waiting = site.connect(port)
    waiting.send("pid")
    assert waiting.is_waiting(0.2)
    site.reload(site.service("TEST", PORT=port, MIN_PROCS=3, MAX_PROCS=3, MAX_CONNS=1))
    assert int(waiting.receive(20)) != client.pid()
    site.wait_for_workers("TEST", 3)


def test_surplus_workers_drain_max_shutdown_at_a_time(site):
    port = site.run_service(MIN_PROCS=3, MAX_PROCS=3)
    clients = site.connect_served(port, 3)
    assert len({client.pid() for client in clients}) == 3
    site.reload(site.service("TEST", PORT=port, MIN_PROCS=1, MAX_PROCS=1, MAX_SHUTDOWN=1))
    wait_for_states(site, "ready", "ready", "draining")
    # dispatcherd knows it before the worker has read it.
    first = wait_until(
        lambda: next((client for client in clients if client.ask("draining") == "yes"), None)
    )
    holds_for(lambda: states(site, "TEST") == ["draining", "ready", "ready"], 0.5, "one drains", 0.1)
    assert first.ask("quit") == "bye"
    wait_for_states(site, "ready", "draining")
    for client in clients:
        if client is not first:
            assert client.ask("echo still here") == "still here"
            client.close()
    wait_for_states(site, "ready")


def test_new_parameters_reach_new_workers_and_old_sessions_finish(site):
    options = {"MIN_PROCS": 1, "MAX_PROCS": 3, "MIN_CONNS": 10, "BACKLOG": 256}
    port = site.run_service(PARAMETER="COLOUR=red", **options)
    (old,) = site.connect_served(port)
    old_pid = old.pid()
    with Stream(site, port, 2) as stream:
        site.reload(site.service("TEST", PORT=port, PARAMETER="COLOUR=blue", **options))
        wait_until(lambda: old.ask("draining") == "yes", 20, "the old worker drains")
        new = site.connect(port)
        assert new.ask("value COLOUR") == "blue"
        assert old.ask("value COLOUR") == "red"
    assert not stream.refused and not stream.broken
    assert old.ask("quit") == "bye"
    wait_until(lambda: old_pid not in site.worker_pids("TEST"), 20, "the old worker has ended")


def test_the_debug_mask_counts_at_once(site):
    port = site.run_service(MIN_PROCS=1)
    (worker,) = site.worker_pids("TEST")
    site.reload(site.service("TEST", PORT=port, MIN_PROCS=1, DEBUG=-1))
    site.connect(port).pid()
    site.wait_for_log(f"connection goes to worker {worker}")
    assert site.worker_pids("TEST") == {worker}


def test_the_same_again_changes_nothing(site):
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    workers = site.worker_pids("TEST")
    (client,) = site.connect_served(port)
    for _ in range(3):
        assert site.reload().returncode == 0
    assert client.ask("draining") == "no"
    assert site.worker_pids("TEST") == workers


def test_a_broken_file_is_refused_and_nothing_changes(site):
    port = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(port)
    result = site.reload(site.service("TEST", PORT=port, MIN_PROCS="many"), check=False)
    assert result.returncode == 1
    assert "cnf:3: error: MIN_PROCS=" in result.stderr
    site.wait_for_log("reload refused")
    assert client.ask("draining") == "no"
    assert site.connect(port).pid() == client.pid()


def test_systemctl_reload_fails_where_the_file_is_broken(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    assert site.systemctl("reload", "dispatcherd.service", check=False).returncode == 0
    site.write_config("nonsense\n")
    assert site.systemctl("reload", "dispatcherd.service", check=False).returncode != 0
    assert site.show("ActiveState") == "active"


def test_a_missing_image_is_refused(site):
    port = site.run_service(MIN_PROCS=1)
    result = site.reload(site.service("TEST", PORT=port, IMAGE="/no/such/program"), check=False)
    assert result.returncode == 1
    assert site.connect(port).ask("service") == "TEST"


def test_a_new_service_listens_at_once(site_by_hand):
    site = site_by_hand
    port, new = site.free_port(), site.free_port()
    config = site.service("TEST", PORT=port)
    site.write_config(config)
    site.start()
    site.reload(config + site.service("NEW", PORT=new))
    assert site.connect(new).ask("service") == "NEW"


def test_a_new_service_needs_the_command_that_is_named(site_of_systemd):
    site = site_of_systemd
    port, new = site.free_port(), site.free_port()
    config = site.service("TEST", PORT=port)
    site.write_config(config)
    site.start()
    (client,) = site.connect_served(port)
    said = site.reload(config + site.service("NEW", PORT=new)).stdout
    assert "to follow: dispatcherctl apply" in said
    assert site.refuses(new)
    site.control("apply")
    assert site.connect(new).ask("service") == "NEW"
    assert client.ask("echo still here") == "still here"


def test_a_removed_service_drains_and_the_others_go_on(site):
    port, gone = site.free_port(), site.free_port()
    config = site.service("TEST", PORT=port)
    site.write_config(config + site.service("GONE", PORT=gone))
    site.start()
    (kept,), (client,) = site.connect_served(port), site.connect_served(gone)
    said = site.reload(config).stdout
    if site.way == "systemd":
        assert "to follow: dispatcherctl apply" in said
        assert is_turned_away(site, gone)
    else:
        assert site.refuses(gone)
    wait_until(lambda: client.ask("draining") == "yes", 20, "its worker drains")
    assert kept.ask("draining") == "no"
    assert client.ask("quit") == "bye"
    site.wait_for_workers("GONE", 0)
    wait_until(lambda: "GONE" not in site.services(), 20, "it is forgotten")
    assert kept.ask("echo still here") == "still here"


OUT = {
    "disabled": lambda text: text + "ENABLE=0\n",
    "commented": lambda text: "".join(f"! {line}\n" for line in text.splitlines()),
    "port_0": lambda text: text.replace("PORT=", "PORT=0\n! PORT="),
}


@pytest.mark.parametrize("out", OUT.values(), ids=OUT.keys())
def test_a_service_that_comes_back_is_served_after_the_reload(site, out):
    port, other = site.free_port(), site.free_port()
    kept, text = site.service("KEPT", PORT=other), site.service("TEST", PORT=port)
    site.write_config(kept + text)
    site.start()
    (client,) = site.connect_served(port)
    site.reload(kept + out(text))
    assert site.refuses(port) if site.way == "hand" else is_turned_away(site, port)
    site.reload(kept + text)
    assert site.connect(port).ask("service") == "TEST"
    assert not site.status()["due"]
    assert client.ask("quit") == "bye"


def test_a_service_that_was_dropped_by_systemd_comes_back_by_the_command(site_of_systemd):
    site = site_of_systemd
    port, other = site.free_port(), site.free_port()
    kept, text = site.service("KEPT", PORT=other), site.service("TEST", PORT=port)
    site.write_config(kept + text)
    site.start()
    for config in (kept, kept + text):
        site.write_config(config)
        site.systemctl("daemon-reload")
        site.systemctl("restart", "dispatcherd")
        if config == kept:
            assert site.refuses(port)
            assert not site.systemctl("list-units", "--no-legend", "dispatcherd-test*.socket").stdout
    assert site.connect(port).ask("service") == "TEST"
    assert not site.status()["due"]


def test_a_service_whose_workers_cannot_be_started_lets_nobody_wait(site_of_systemd):
    site = site_of_systemd
    port, other = site.free_port(), site.free_port()
    kept, text = site.service("KEPT", PORT=other), site.service("TEST", PORT=port)
    site.write_config(kept + text)
    site.start()
    site.reload(kept)
    site.systemctl("daemon-reload")
    site.reload(kept + text)
    assert is_turned_away(site, port)
    site.run("sh", "-c", site.status()["due_command"])
    assert site.connect(port).ask("service") == "TEST"
    assert not site.status()["due"]


def test_a_kill_amid_a_change_of_ports_closes_none(site_of_systemd):
    site = site_of_systemd
    old, new = site.free_port(), site.free_port()
    site.write_config(site.service("TEST", PORT=old))
    site.start()
    site.reload(site.service("TEST", PORT=new))
    # systemd closes the old port here, and opens the new one never; the daemon has a copy.
    site.systemctl("daemon-reload")
    assert site.connect(old).ask("service") == "TEST"
    pid = site.daemon_pid()
    site.kill(pid, "KILL")
    wait_until(lambda: site.daemon_pid() not in (0, pid), 20, "a successor")
    wait_until(lambda: not site.refuses(new), 20, "the new port")
    assert site.connect(new).ask("service") == "TEST"
    assert not site.status()["due"]


DUE = {
    "port": lambda site: {"PORT": site.free_port()},
    "image": lambda site: {"IMAGE": site.walk_image(0)},
    "backlog": lambda site: {"BACKLOG": 77},
    "tls_port": lambda site: {"TLS_PORT": site.free_port()},
}


@pytest.mark.parametrize("change", DUE.values(), ids=DUE.keys())
def test_what_is_due_stands_in_status_until_it_is_done(site_of_systemd, change):
    site = site_of_systemd
    command = "dispatcherctl apply"
    options = {"PORT": site.free_port(), "MIN_PROCS": 1, "BACKLOG": 200}
    site.write_config(site.service("TEST", **options))
    site.start()
    assert not site.status()["due"]
    options |= change(site)
    assert command in site.reload(site.service("TEST", **options)).stdout
    assert site.status()["due_command"] == command
    assert f"to apply all that is due: {command}" in site.control("status").stdout
    site.wait_for_status(f"due: {command};")
    site.control("apply")
    wait_until(lambda: not site.status()["due"], 20, lambda: site.status()["due"])
    wait_until(lambda: "due:" not in site.status_text(), 20, "a STATUS without it")
    service = site.services()["TEST"]
    assert {item["queue"]["limit"] for item in service["listeners"]} == {options["BACKLOG"]}
    ports = {item["port"] for item in service["listeners"]}
    assert ports == {options["PORT"], options.get("TLS_PORT", options["PORT"])}


def test_a_broken_file_makes_nothing_due_that_does_harm(site):
    port = site.run_service()
    good = site.service("TEST", PORT=port)
    site.reload(good + "MAX_PROCS=many\n", check=False)
    if site.way == "systemd":
        # The generator leaves the service out, and systemd closes its socket; the daemon serves on.
        site.systemctl("daemon-reload")
    assert site.status()["due_command"] == "dispatcherctl reload"
    assert "has errors" in site.status()["due"][0]["text"]
    assert site.connect(port).ask("service") == "TEST"
    site.write_config(good)
    site.control("reload")
    for _ in range(2):
        command = site.status()["due_command"]
        if site.way == "systemd" and command:
            site.run("sh", "-c", command)
    assert not site.status()["due"]
    assert site.connect(port).ask("service") == "TEST"


def test_a_daemon_that_gets_no_socket_stays_and_says_so(site_of_systemd):
    site = site_of_systemd
    port = site.run_service()
    good = site.service("TEST", PORT=port)
    site.write_config(good + "MAX_PROCS=many\n")
    site.systemctl("daemon-reload")
    site.systemctl("restart", "dispatcherd")
    assert site.refuses(port)
    assert site.status()["due_command"] == "dispatcherctl reload"
    site.reload(good)
    site.run("sh", "-c", site.status()["due_command"])
    assert site.connect(port).ask("service") == "TEST"
    assert not site.status()["due"]


def test_a_file_that_was_changed_and_not_reloaded_is_due(site):
    port, other = site.free_port(), site.free_port()
    included = site.service("TEST", PORT=port)
    site.write_beside_config("included.cnf", included)
    site.write_config(site.service("OTHER", PORT=other) + "<included.cnf\n")
    site.start()
    assert not site.status()["due"]
    site.write_beside_config("included.cnf", included + "MAX_CONNS=7\n")
    wait_until(lambda: site.status()["due"], what="what is due")
    (due,) = site.status()["due"]
    assert due["command"] == "dispatcherctl reload"
    assert due["text"].endswith("included.cnf has changed since it was read")
    site.control("reload")
    assert due not in site.status()["due"]


def test_services_swap_their_ports(site_by_hand):
    site = site_by_hand
    one, two = site.free_port(), site.free_port()
    site.write_config(site.service("ONE", PORT=one) + site.service("TWO", PORT=two))
    site.start()
    site.reload(site.service("ONE", PORT=two) + site.service("TWO", PORT=one))
    assert site.connect(one).ask("service") == "TWO"
    assert site.connect(two).ask("service") == "ONE"


def test_a_port_that_cannot_be_bound_is_due_until_it_can(site_by_hand):
    site = site_by_hand
    port = site.run_service()
    taken = site.free_port()
    holder = site.open_socket(socket.AF_INET)
    holder.bind(("0.0.0.0", taken))
    holder.listen()
    said = site.reload(site.service("TEST", PORT=f"{port},{taken}")).stdout
    assert "cannot listen on all of its ports" in said
    (due,) = site.status()["due"]
    assert due["text"] == f"TEST does not listen at 0.0.0.0:{taken}"
    assert due["command"] == "dispatcherctl reload"
    holder.close()
    site.reload()
    assert not site.status()["due"]
    assert site.connect(taken).ask("service") == "TEST"


def test_a_reload_opens_no_port_of_a_stopped_service(site_by_hand):
    site = site_by_hand
    port = site.run_service()
    site.control("stop", "TEST")
    site.reload()
    assert site.refuses(port)
    site.control("start", "TEST")
    assert site.connect(port).ask("service") == "TEST"


def test_another_backlog_counts_at_once(site):
    port = site.run_service(BACKLOG=200)
    site.reload(site.service("TEST", PORT=port, BACKLOG=77))
    limits = {item["queue"]["limit"] for item in site.services()["TEST"]["listeners"]}
    assert limits == {77}


def test_another_port_is_bound(site_by_hand):
    site = site_by_hand
    old = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(old)
    new = site.free_port()
    site.reload(site.service("TEST", PORT=new, MIN_PROCS=1))
    assert site.connect(new).pid() == client.pid()
    assert site.refuses(old)
    assert client.ask("draining") == "no"


def test_stop_and_start_of_one_service_leave_the_others_alone(site):
    port, other = site.free_port(), site.free_port()
    site.write_config(site.service("TEST", PORT=port) + site.service("OTHER", PORT=other))
    site.start()
    (client,), (kept,) = site.connect_served(port), site.connect_served(other)
    site.control("stop", "TEST")
    wait_until(lambda: client.ask("draining") == "yes", 20, "its worker drains")
    if site.way == "systemd":
        waiting = site.connect(port)
        waiting.send("service")
        assert waiting.is_waiting()
    else:
        assert site.refuses(port)
    assert site.connect(other).pid() == kept.pid()
    assert client.ask("quit") == "bye"
    site.wait_for_workers("TEST", 0)
    site.control("start", "TEST")
    if site.way == "systemd":
        assert waiting.receive(20) == "TEST"
    assert site.connect(port).ask("service") == "TEST"
    assert kept.ask("draining") == "no"


@pytest.mark.parametrize("room", [0, 1], ids=["without_room", "with_room"])
def test_restart_of_one_service_recycles_its_workers(site, room):
    port, other = site.free_port(), site.free_port()
    site.write_config(
        site.service("TEST", PORT=port, MIN_PROCS=2, MAX_PROCS=2 + room, BACKLOG=256)
        + site.service("OTHER", PORT=other)
    )
    site.start()
    (kept,) = site.connect_served(other)
    old = site.worker_pids("TEST")
    with Stream(site, port, 2) as stream:
        site.control("restart", "TEST")
        wait_until(
            lambda: len(site.worker_pids("TEST")) >= 2 and not site.worker_pids("TEST") & old,
            20,
            lambda: f"others than {old}; there are {site.worker_pids('TEST')}",
            0.1,
        )
    assert not stream.refused and not stream.broken
    assert kept.ask("draining") == "no"
