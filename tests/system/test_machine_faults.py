# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What the machine does to dispatcherd and its workers, and how they recover by themselves."""

import contextlib
import os
import re

import pytest
from harness.burst import Burst
from harness.wait import holds_for, wait_until


def serve_all(site, port, n, limit=60):
    """n clients at once, all served in the end."""
    burst = Burst(site, port, n)
    burst.run(limit, lambda: None)
    assert burst.n_done == n


def has_controller(site, name):
    """True where the container may limit memory ("memory") or tasks ("pids")."""
    probe = ["systemd-run", "--quiet", "--wait", "--pipe", "-p", "TasksMax=3", "-p", "MemoryMax=64M"]
    text = site.run(*probe, "cat", "/proc/self/cgroup").stdout
    if re.search(rf"^\d+:([a-z,]+,)?{name}(,[a-z,]+)?:/.*run-", text, re.MULTILINE):
        return True
    path = re.search(r"^0::(/.*)$", text, re.MULTILINE)
    controllers = site.run("cat", "/sys/fs/cgroup/cgroup.controllers", check=False).stdout
    return bool(path) and name in controllers


def test_few_descriptors(site_of_systemd):
    site = site_of_systemd
    site.write_drop_in("dispatcherd.service", "[Service]\nLimitNOFILE=64\n")
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=4, MAX_CONNS=60, MAX_HANDOFFS=60, BACKLOG=512)
    pid = site.daemon_pid()
    # Nobody acknowledges, so that the daemon's own copies add up.
    workers = site.worker_pids("TEST")
    for worker in workers:
        site.pause(worker)
    burst = Burst(site, port, 200)
    site.wait_for_log("cannot accept a connection: Too many open files")
    for worker in workers:
        site.kill(worker, "CONT")
    burst.run(60, lambda: None)
    serve_all(site, port, 200)
    # What else had no descriptor for a moment has a line of its own.
    assert site.count_log("cannot accept a connection: Too many open files") == 1
    assert site.daemon_pid() == pid


def test_few_tasks_for_a_worker(site_of_systemd):
    site = site_of_systemd
    # Without the controller, a limit of the workers' user, all its processes together.
    limit = "TasksMax" if has_controller(site, "pids") else "LimitNPROC"
    site.write_drop_in("dispatcherd-test-worker@.service", f"[Service]\n{limit}=12\n")
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=2, MAX_CONNS=40, BACKLOG=256)
    site.wait_for_log(r"TEST: worker \d+ serves only \d+ connections? at a time, not MAX_CONNS=40: ")
    serve_all(site, port, 100)


def test_few_tasks_for_the_daemon(site_of_systemd):
    site = site_of_systemd
    site.write_drop_in("dispatcherd.service", "[Service]\nTasksMax=12\n")
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=20, MIN_CONNS=1, MAX_CONNS=1, BACKLOG=256)
    serve_all(site, port, 50)


def test_a_worker_over_its_memory_limit_takes_nothing_with_it(site_of_systemd):
    site = site_of_systemd
    if not has_controller(site, "memory"):
        pytest.skip("no limit of memory in this container")
    site.write_drop_in(
        "dispatcherd-test-worker@.service", "[Service]\nMemoryMax=64M\nMemorySwapMax=0\n"
    )
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2)
    daemon = site.daemon_pid()
    eater, other = site.connect_served(port, 2)
    eaten, kept = eater.pid(), other.pid()
    assert eaten != kept
    eater.send("eat 200")
    assert eater.is_closed(30)
    assert other.ask("echo still here") == "still here"
    wait_until(lambda: len(site.worker_pids("TEST") - {eaten}) == 2, 20, "it is replaced")
    assert kept in site.worker_pids("TEST")
    assert site.daemon_pid() == daemon
    site.wait_for_log(f"TEST: worker {eaten} ")


def test_serves_on_while_journald_hangs(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1, MAX_CONNS=50, BACKLOG=256, DEBUG=-1)
    (client,) = site.connect_served(port)
    journald = site.show("MainPID", "systemd-journald.service")
    site.pause(journald)
    try:
        for _ in range(200):  # each writes several lines, and the socket takes some dozen
            with site.connect(port) as short:
                assert short.ask("service") == "TEST"
        assert client.ask("echo still here") == "still here"
    finally:
        site.kill(journald, "CONT")

    def told():
        """With the first line that journald, which has much to catch up with, takes again."""
        with site.connect(port) as short:
            short.pid()
        return re.search(
            r"dispatcherd\[\d+\]: (?:DEBUG: )?(\d+) (?:log )?lines? (?:was |were )?left out", site.log_text()
        )

    match = wait_until(told, 20, "the count of what was left out", interval=0.2)
    assert int(match.group(1)) > 100


def test_a_daemon_that_was_stopped_for_a_while_goes_on(site):
    port = site.run_service(MIN_PROCS=1)
    (client,) = site.connect_served(port)
    pid = site.daemon_pid()
    site.pause(pid)
    waiting = [site.connect(port) for _ in range(5)]
    for other in waiting:
        other.send("service")
    holds_for(lambda: client.ask("echo still here") == "still here", 1, "its session", 0.1)
    assert waiting[0].is_waiting(0.1)
    site.kill(pid, "CONT")
    assert [other.receive() for other in waiting] == ["TEST"] * 5
    assert site.daemon_pid() == pid


@pytest.fixture
def small_disk(site_by_hand):
    """A file system of its own where the LOGFILEs go."""
    site = site_by_hand
    folder = os.path.join(site.folder, "full")
    os.mkdir(folder)
    if os.geteuid() != 0 or site.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", folder, check=False).returncode:
        pytest.skip("no small file system can be mounted")
    yield folder
    site.run("umount", "--lazy", folder)


def test_a_full_disk_below_the_log_file(site_by_hand, small_disk):
    site = site_by_hand
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=2, LOGFILE=f"{small_disk}/out.log")
    (client,) = site.connect_served(port)
    for _ in range(200):
        assert client.ask("log " + "x" * 900) == "logged"
    disk = os.statvfs(small_disk)
    assert disk.f_bavail == 0
    assert client.ask("echo still here") == "still here"
    # Another worker cannot even make its file, or writes nothing.
    client.send("crash")
    assert client.is_closed()
    assert site.connect(port).ask("echo served", 20) == "served"


def test_an_idle_daemon_sleeps(site_by_hand):
    site = site_by_hand
    if site.run("sh", "-c", "command -v strace", check=False).returncode:
        pytest.skip("strace was not found; on Debian: apt-get install strace")
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=4, MAX_IDLE_TIME=600)
    for client in site.connect_served(port, 5):
        client.close()
    site.wait_for_status("TEST 2/4 workers, 0/")
    trace = os.path.join(site.folder, "trace")

    def sleeps():
        """What is put off, STATUS and a last look at the hand-offs, comes within ten seconds."""
        command = ["timeout", "10", "strace", "-o", trace, "-p", str(site.daemon_pid())]
        site.run(*command, check=False)
        # The call in which it sleeps is interrupted at the end.
        return len(calls(trace)) <= 1

    wait_until(sleeps, 25, lambda: f"ten seconds without a call; there were {calls(trace)}")


def calls(path):
    with open(path) as file:
        return [line for line in file.read().splitlines() if not line.startswith("---")]


@pytest.mark.parametrize("n_descriptors", [32, 40, 48])
def test_with_few_descriptors_waiters_do_not_starve_the_start_of_a_worker(
    site_by_hand, n_descriptors
):
    site = site_by_hand
    port = site.free_port()
    site.write_config(
        site.service(
            "TEST", PORT=port, MAX_PROCS=1, MAX_CONNS=50, BACKLOG=1024, PARAMETER="START_DELAY=300"
        )
    )
    site.launch("prlimit", f"--nofile={n_descriptors}:{n_descriptors}")
    wait_until(lambda: site.manager.last("READY") == "1", 20, "READY=1")
    for kill in (False, True):
        crowd = [site.connect(port) for _ in range(150)]
        for client in crowd:
            client.send("pid")
        if kill:
            for worker in site.worker_pids("TEST"):
                site.kill(worker, "KILL")
        for client in crowd:
            client.close()
        assert site.connect(port).ask("service") == "TEST"


def test_with_too_low_a_limit_of_file_sizes_it_does_not_start_and_says_so(site_by_hand):
    """What it keeps in memory are files to the kernel (memfd_create(2))."""
    site = site_by_hand
    site.write_config(site.service("TEST", PORT=site.free_port()))
    site.launch("prlimit", "--fsize=100000")
    assert site.daemon.wait(20) == 1
    site.wait_for_log("cannot run: File too large: .*LimitFSIZE= of dispatcherd.service")


def test_no_limit_of_file_sizes_kills_it_while_it_runs(site_by_hand):
    site = site_by_hand
    port = site.free_port()
    text = site.service("TEST", PORT=port, MIN_PROCS=1)
    site.write_config(text)
    site.start()
    pid = site.daemon_pid()
    # Room for some lines of the log, and for no copy of the configuration.
    size = os.path.getsize(site.log) + 4096
    site.run("prlimit", f"--pid={pid}", f"--fsize={size}:")
    site.reload(text + f"PARAMETER={'x' * 8192}\n")
    site.wait_for_log("cannot keep a copy of this configuration: File too large")
    # And now for nothing.
    site.run("prlimit", f"--pid={pid}", "--fsize=100:")
    for worker in site.worker_pids("TEST"):
        with contextlib.suppress(ProcessLookupError):
            site.kill(worker, "KILL")
    site.wait_for_status("TEST cannot start a worker")
    site.run("prlimit", f"--pid={pid}", "--fsize=unlimited:")
    assert site.connect(port).ask("service", 20) == "TEST"
    assert site.daemon_pid() == pid


def test_with_too_few_descriptors_it_does_not_start_and_says_how_many_it_needs(site_by_hand):
    site = site_by_hand
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=port, MAX_PROCS=1))

    def launch(n):
        site.launch("prlimit", f"--nofile={n}:{n}")
        wait_until(lambda: site.manager.last("READY") == "1" or site.daemon.poll() is not None, 20)

    launch(16)
    assert site.daemon.wait(20) == 78
    needed = int(site.wait_for_log(r"at most 16 descriptors may be open, but (\d+) ").group(1))
    assert 16 < needed < 32
    launch(needed - 1)
    assert site.daemon.wait(20) == 78
    # That many are enough.
    launch(needed)
    assert site.connect(port).ask("service") == "TEST"
