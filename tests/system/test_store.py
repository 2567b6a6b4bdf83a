# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What systemd keeps for the next daemon has an end: that is known before it is reached."""

import re

import pytest
from harness.wait import wait_until

UNIT = "dispatcherd.service"


@pytest.fixture
def site(site_of_systemd):
    return site_of_systemd


def free_ports(site, n):
    ports = set()
    while len(ports) < n:
        ports.add(site.free_port())
    return ports


def many_workers(site, n_services, max_procs, max_conns=1):
    """The text of a configuration, whose services need not all be started."""
    return "".join(
        site.service(
            f"S{i}",
            PORT=port,
            MIN_PROCS=0,
            MAX_PROCS=max_procs,
            MAX_CONNS=max_conns,
            MIN_CONNS=1,
            BACKLOG=64,
        )
        for i, port in enumerate(free_ports(site, n_services))
    )


def check(site):
    result = site.run("dispatcherd", "--check", check=False)
    return result.returncode, result.stdout


def n_stored(site):
    return int(site.show("NFileDescriptorStore"))


def test_check_refuses_more_workers_than_the_store_takes(site):
    site.write_config(many_workers(site, 3, 1024))
    site.start()
    assert check(site) == (0, "")
    site.write_config(many_workers(site, 5, 1024))
    site.systemctl("daemon-reload")
    status, said = check(site)
    assert status == 1
    assert ":4: error: 5120 workers may run at once" in said
    assert "FileDescriptorStoreMax=" in said


def test_the_start_and_a_reload_warn_of_more_threads_than_there_may_be(site_by_hand):
    site = site_by_hand
    few, many = many_workers(site, 2, 10), many_workers(site, 90, 1024, max_conns=50)
    site.write_config(many)
    site.start()
    said = r"4700160 threads .MAX_PROCS times MAX_CONNS; S0: 1024 times 50., but the sysctl kernel\.[a-z_-]+max allows \d+"
    site.wait_for_log(said)
    result = site.run(f"{site.builddir}/dispatcherd", "--check", "--config", site.config, check=False)
    assert result.returncode == 0
    assert re.search(r":\d+: warning: the workers of all services may have " + said, result.stdout)
    assert re.search(said, site.reload(many).stdout)
    assert "threads" not in site.reload(few).stdout


def test_check_warns_of_fewer_tasks_than_a_worker_needs(site):
    site.write_config(site.service("S", PORT=site.free_port(), MIN_PROCS=0, MAX_PROCS=1, MAX_CONNS=50, BACKLOG=64))
    site.start()
    assert check(site) == (0, "")
    site.write_drop_in("dispatcherd-s-worker@.service", "[Service]\nTasksMax=20\n")
    site.systemctl("daemon-reload")
    status, said = check(site)
    assert status == 0
    assert "warning: a worker of S needs 51 threads for MAX_CONNS=50, but TasksMax= of its unit is 20" in said


def test_the_start_and_a_reload_say_it_and_a_drop_in_mends_it(site):
    text = many_workers(site, 5, 1024)
    site.write_config(text)
    site.start()
    site.wait_for_log("5120 workers may run at once .*FileDescriptorStoreMax=5194")
    assert "5120 workers may run at once" in site.reload(text).stdout
    site.write_drop_in(UNIT, "[Service]\nFileDescriptorStoreMax=5194\n")
    site.systemctl("daemon-reload")
    assert check(site) == (0, "")
    site.systemctl("restart", UNIT)
    assert "5120 workers" not in site.reload(text).stdout


def test_a_worker_that_is_not_kept_is_named_and_the_others_are_taken_over(site):
    # The daemon's own five, and three workers.
    site.write_drop_in(UNIT, "[Service]\nFileDescriptorStoreMax=8\n")
    port = site.run_service(MIN_PROCS=5, MAX_PROCS=5, MAX_CONNS=2)
    site.wait_for_log(r"no room for the channel of worker \d+: 8 descriptors, FileDescriptorStoreMax=8;")
    wait_until(lambda: n_stored(site) == 8, 20, lambda: n_stored(site))
    before = site.worker_pids("TEST")
    site.kill(site.daemon_pid(), "KILL")
    site.wait_for_log("taking over 3 workers")
    wait_until(lambda: len(site.worker_pids("TEST") - before) == 2, 30, "two new workers")
    assert len(site.worker_pids("TEST") & before) == 3
    assert site.connect(port).ask("service") == "TEST"


def test_there_is_room_again_when_a_worker_has_gone(site):
    site.write_drop_in(UNIT, "[Service]\nFileDescriptorStoreMax=6\n")
    site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    site.wait_for_log(r"no room for the channel of worker \d+: ")
    log = site.log_text()
    (kept,) = [pid for pid in site.worker_pids("TEST") if f"channel of worker {pid}:" not in log]
    site.kill(kept, "KILL")
    wait_until(lambda: len(site.worker_pids("TEST") - {kept}) == 2, 20, "another worker")
    wait_until(lambda: n_stored(site) == 6, 30, lambda: n_stored(site))
    site.kill(site.daemon_pid(), "KILL")
    site.wait_for_log("taking over 1 worker$")
