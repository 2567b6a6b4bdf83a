"""A reload applies what has changed, refuses what is broken, and cuts no session (spec 50 to 55)."""

import pytest
from harness.stream import Stream
from harness.wait import holds_for, wait_until


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


def test_surplus_workers_drain_max_shutdown_at_a_time(site):  # question 54
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


def test_new_parameters_reach_new_workers_and_old_sessions_finish(site):  # question 50
    options = {"MIN_PROCS": 1, "MAX_PROCS": 3, "BACKLOG": 256}
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


def test_a_broken_file_is_refused_and_nothing_changes(site):  # question 53
    port = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(port)
    result = site.reload(site.service("TEST", PORT=port, MIN_PROCS="many"), check=False)
    assert result.returncode == 1
    assert "cnf:3: error: MIN_PROCS=" in result.stderr
    site.wait_for_log("the reload is refused")
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


def test_a_new_service_listens_at_once(site_by_hand):  # question 55
    site = site_by_hand
    port, new = site.free_port(), site.free_port()
    config = site.service("TEST", PORT=port)
    site.write_config(config)
    site.start()
    site.reload(config + site.service("NEW", PORT=new))
    assert site.connect(new).ask("service") == "NEW"


def test_a_new_service_needs_the_command_that_is_named(site_of_systemd):  # question 55
    site = site_of_systemd
    port, new = site.free_port(), site.free_port()
    config = site.service("TEST", PORT=port)
    site.write_config(config)
    site.start()
    (client,) = site.connect_served(port)
    said = site.reload(config + site.service("NEW", PORT=new)).stdout
    command = "systemctl daemon-reload && systemctl restart dispatcherd"
    assert command in said
    assert site.refuses(new)
    site.run("sh", "-c", command)
    assert site.connect(new).ask("service") == "NEW"
    assert client.ask("echo still here") == "still here"


def test_a_removed_service_drains_and_the_others_go_on(site):  # question 55
    port, gone = site.free_port(), site.free_port()
    config = site.service("TEST", PORT=port)
    site.write_config(config + site.service("GONE", PORT=gone))
    site.start()
    (kept,), (client,) = site.connect_served(port), site.connect_served(gone)
    said = site.reload(config).stdout
    if site.way == "systemd":
        assert "systemctl stop dispatcherd-gone.socket" in said
    else:
        assert site.refuses(gone)
    wait_until(lambda: client.ask("draining") == "yes", 20, "its worker drains")
    assert kept.ask("draining") == "no"
    assert client.ask("quit") == "bye"
    site.wait_for_workers("GONE", 0)
    wait_until(lambda: "GONE" not in site.services(), 20, "it is forgotten")
    assert kept.ask("echo still here") == "still here"


def test_another_port_is_bound(site_by_hand):
    site = site_by_hand
    old = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(old)
    new = site.free_port()
    site.reload(site.service("TEST", PORT=new, MIN_PROCS=1))
    assert site.connect(new).pid() == client.pid()
    assert site.refuses(old)
    assert client.ask("draining") == "no"


def test_stop_and_start_of_one_service_leave_the_others_alone(site):  # question 51
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
