# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherctl plan says what dispatcherctl apply does, and what can be seen of it.

The random walk takes pairs of configurations and drop-ins. PLAN_PAIRS=N and PLAN_SEED=N walk for as
long, or the same way again; SOAK=1 takes thirty.
"""

import json
import random
import threading
import time

import pytest
from harness.pairs import Pick, Shown
from harness.soak import times
from harness.wait import wait_until
from harness.walk import number

LIMIT = 60
N_PORTS = 14
N_SESSIONS = 5


def plan(site, check=True):
    result = site.control("--json", "plan", check=check)
    return json.loads(result.stdout)


def by_change(made, kind):
    return {item["unit"]: item for item in made["sockets"] if item["change"] == kind}


# What it says, one thing at a time


def test_nothing_to_do(site):
    site.run_service(MIN_PROCS=1)
    assert site.control("plan").stdout == "nothing to do: the files are in force\n"
    assert site.control("apply").stdout == "nothing to do: the files are in force\n"


def test_an_option_with_its_line(site):
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=port, MAX_PROCS=3, BACKLOG=99, MIN_PROCS=1))
    site.start()
    (before,) = site.wait_for_workers("TEST", 1)
    site.write_config(site.service("TEST", PORT=port, MAX_PROCS=4, BACKLOG=99, MIN_PROCS=1))
    made = plan(site)
    (change,) = made["options"]
    assert (change["service"], change["option"]) == ("TEST", "MAX_PROCS")
    assert (change["from"], change["to"]) == (["3"], ["4"])
    path, line = change["origin"].rsplit(":", 1)
    assert path == site.config and site.run("sed", "-n", f"{line}p", path).stdout == "MAX_PROCS=4\n"
    assert all(service["n_workers"] == 0 for service in made["services"])
    assert f"TEST: MAX_PROCS: 3 -> 4 ({change['origin']})\n" in site.control("plan").stdout
    assert f"TEST: MAX_PROCS: 3 -> 4 ({change['origin']})\n" in site.control("apply").stdout
    assert site.worker_pids("TEST") == {before}
    assert site.services()["TEST"]["options"]["MAX_PROCS"] == 4


def test_the_workers_that_are_replaced(site):
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=port, MIN_PROCS=2, PARAMETER="COLOUR=red"))
    site.start()
    before = site.wait_for_workers("TEST", 2)
    wait_until(lambda: site.services()["TEST"]["n_ready"] == 2, LIMIT, "two ready workers")
    site.write_config(site.service("TEST", PORT=port, MIN_PROCS=2, PARAMETER="COLOUR=blue"))
    (service,) = plan(site)["services"]
    assert service["change"] == "kept" and set(service["workers"]) == before
    assert "2 workers (" in site.control("apply").stdout
    wait_until(lambda: not site.worker_pids("TEST") & before, LIMIT, "other workers")


def test_a_file_with_errors_changes_nothing(site):
    port = site.run_service(MIN_PROCS=1)
    site.write_config(site.service("TEST", PORT=port) + "MAX_PROCS=many\n")
    result = site.control("plan", check=False)
    assert result.returncode == 1 and "error: " in result.stdout
    result = site.control("apply", check=False)
    assert result.returncode == 1
    assert "nothing was changed" in result.stderr and "in force is the" in result.stderr
    assert site.connect(port).pid()


def test_clients_about_whom_is_decided_otherwise(site):
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|127.0.0.9|*  $Y\n")
    port = site.run_service(MIN_PROCS=1)
    site.connect(port, source="127.0.0.9").pid()
    site.connect(port, source="127.0.0.8").pid()
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|127.0.0.8|*  $Y\n  TCP|*|*|127.0.0.9|*  $N500$ no\n")
    made = plan(site)
    (verdict,) = made["verdicts"]
    assert verdict["client"]["address"] == "127.0.0.9" and made["has_new_mappings"]
    assert (verdict["from"]["verdict"], verdict["to"]["verdict"]) == ("accept", "reject")
    assert verdict["to"]["entry"].endswith("mappings:4")
    assert "client 127.0.0.9 at 127.0.0.1:" in site.control("plan").stdout
    site.control("apply")
    assert site.connect(port, source="127.0.0.9").receive() == "500 no"
    assert not plan(site)["has_new_mappings"]


def test_by_hand_a_changed_port_is_bound(site_by_hand):
    site = site_by_hand
    site.run_service(MIN_PROCS=1)
    other = site.free_port()
    site.write_config(site.service("TEST", PORT=other, MIN_PROCS=1))
    assert "PORT: " in site.control("apply").stdout
    assert site.connect(other).pid()


# Under systemd


def test_a_new_port_is_open_after_one_command(site_of_systemd):
    site = site_of_systemd
    old = site.run_service(MIN_PROCS=1)
    new = site.free_port()
    client = site.connect(old)
    pid = client.pid()
    site.write_config(site.service("TEST", PORT=new, MIN_PROCS=1))
    made = plan(site)
    assert set(by_change(made, "reopened")) == {"dispatcherd-test.socket"}
    assert f"0.0.0.0:{new}" in by_change(made, "reopened")["dispatcherd-test.socket"]["to"]
    assert "dispatcherd-test.socket: reopened at" in site.control("apply").stdout
    assert client.pid() == pid, "the session is gone"
    assert site.connect(new).pid()
    assert site.refuses(old)


def test_a_service_comes_and_goes(site_of_systemd):
    site = site_of_systemd
    one, two = site.free_port(), site.free_port()
    site.write_config(site.service("ONE", PORT=one, MIN_PROCS=1))
    site.start()
    site.write_config(site.service("TWO", PORT=two, MIN_PROCS=1))
    made = plan(site)
    assert set(by_change(made, "opened")) == {"dispatcherd-two.socket", "dispatcherd-two-worker.socket"}
    assert set(by_change(made, "closed")) == {"dispatcherd-one.socket", "dispatcherd-one-worker.socket"}
    said = site.control("apply").stdout
    assert "TWO: new service" in said and "ONE: is no longer served" in said
    assert site.connect(two).pid()
    assert site.refuses(one)
    assert plan(site)["sockets"] == []


def test_two_services_swap_their_ports(site_of_systemd):
    site = site_of_systemd
    ports = [site.free_port(), site.free_port()]
    for one, two in [ports, ports[::-1]] * 3:
        site.write_config(
            site.service("ONE", PORT=one, MIN_PROCS=1) + site.service("TWO", PORT=two, MIN_PROCS=1)
        )
        if site.daemon_pid() == 0:
            site.start()
            continue
        site.control("apply")
        assert site.connect(one).ask("service") == "ONE"
        assert site.connect(two).ask("service") == "TWO"


def test_a_drop_in_is_taken_up(site_of_systemd):
    """Also if systemd has read it already, as after systemctl edit."""
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    other = site.free_port()
    text = f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{other}\n"
    site.write_drop_in("dispatcherd-test.socket", text)
    site.systemctl("daemon-reload")
    made = plan(site)
    assert set(by_change(made, "reopened")) == {"dispatcherd-test.socket"}
    (drop_in,) = made["drop_ins"]
    assert (drop_in["key"], drop_in["value"]) == ("ListenStream", f"127.0.0.1:{other}")
    assert drop_in["over"].startswith(site.config)
    site.control("apply")
    assert site.connect(other).pid()
    assert plan(site)["sockets"] == []


def test_a_drop_in_that_keeps_the_address_is_taken_up(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    site.write_drop_in("dispatcherd-test.socket", "[Socket]\nIPTOS=16\n")
    site.systemctl("daemon-reload")
    site.kill(site.daemon_pid(), "KILL")
    wait_until(site.answers, LIMIT, "the successor")
    (socket,) = plan(site)["sockets"]
    assert socket["change"] == "reopened" and "test.conf:2" in socket["because"]
    site.control("apply")
    assert site.connect(port).pid()
    assert plan(site)["sockets"] == []
    site.remove_drop_in("dispatcherd-test.socket")
    (socket,) = plan(site)["sockets"]
    assert socket["change"] == "reopened"
    site.control("apply")
    assert plan(site)["sockets"] == []


def test_who_has_the_port(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    taken = site.free_port()
    site.spawn("python3", "-m", "http.server", "--bind", "127.0.0.1", str(taken))
    wait_until(lambda: not site.refuses(taken), LIMIT, "a server")
    site.write_config(site.service("TEST", PORT=taken, MIN_PROCS=1))
    result = site.control("plan", check=False)
    assert result.returncode == 1
    assert f"dispatcherd-test.socket cannot listen at 0.0.0.0:{taken}: " in result.stdout
    assert f"listens at 127.0.0.1:{taken}" in result.stdout
    result = site.control("apply", check=False)
    assert result.returncode == 1 and "nothing was changed" in result.stderr
    assert site.connect(port).pid()


def test_a_stopped_daemon_is_started(site_of_systemd):
    site = site_of_systemd
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=port, MIN_PROCS=1))
    made = plan(site)
    assert not made["is_running"]
    assert {service["change"] for service in made["services"]} == {"added"}
    assert "dispatcherd.service started" in site.control("apply").stdout
    assert site.connect(port).pid()


def test_a_worker_that_does_not_start_is_named(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    site.write_config(
        site.service("TEST", PORT=port, MIN_PROCS=1)
        + site.service("BAD", PORT=site.free_port(), MIN_PROCS=1, IMAGE="/bin/false")
    )
    result = site.control("--timeout", "20", "apply", check=False)
    assert result.returncode == 1
    assert "BAD: " in result.stderr and "in force is " in result.stderr
    assert site.connect(port).pid()


def test_a_reload_names_the_one_command(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    site.write_config(site.service("TEST", PORT=site.free_port(), MIN_PROCS=1))
    site.systemctl("reload", "dispatcherd")
    site.wait_for_log("to follow: dispatcherctl apply")
    site.control("apply")
    assert site.status()["due_command"] == ""


def test_clients_in_the_queue_are_not_lost(site_of_systemd):
    """They are taken in before their socket is closed."""
    site = site_of_systemd
    port = site.free_port()
    options = {"PORT": port, "MIN_PROCS": 1, "MAX_PROCS": 1, "MAX_CONNS": 2, "BACKLOG": 100}
    site.write_config(site.service("TEST", **options))
    site.start()
    holding = [site.connect(port) for _ in range(2)]
    for client in holding:
        client.pid()
    waiting = [site.connect(port) for _ in range(4)]
    for client in waiting:
        client.send("pid")
    site.write_config(site.service("TEST", **options | {"PORT": site.free_port()}))
    result = site.control("apply", check=False)
    assert result.returncode == 1 and "nobody was disconnected" in result.stderr
    for client in holding:
        client.close()
    for client in waiting[:2]:
        assert client.receive(), "a client that waited was lost"
        client.close()
    assert waiting[2].receive() and waiting[3].receive()
    site.control("apply")
    for client in waiting[2:]:
        assert client.pid()


def new_port(site, port):
    """A file with another port; its socket has to be closed."""
    site.write_config(site.service("TEST", PORT=port, MIN_PROCS=1))
    site.start()
    assert site.connect(port).pid()
    site.write_config(site.service("TEST", PORT=site.free_port(), MIN_PROCS=1))


def test_new_clients_come_in_after_an_apply_that_was_killed(site_of_systemd):
    site = site_of_systemd
    port = site.free_port()
    options = {"PORT": port, "MIN_PROCS": 1, "MAX_PROCS": 1, "MAX_CONNS": 2, "BACKLOG": 100}
    site.write_config(site.service("TEST", **options))
    site.start()
    clients = [site.connect(port) for _ in range(3)]
    for client in clients:
        client.send("pid")
    site.write_config(site.service("TEST", **options | {"PORT": site.free_port()}))
    # It waits for the third one.
    result = site.run("timeout", "-s", "KILL", "4", "dispatcherctl", "apply", check=False)
    assert result.returncode in (-9, 137)
    late = site.connect(port)
    for client in clients:
        client.close()
    assert late.pid()


def test_new_clients_come_in_after_a_step_that_failed(site_of_systemd):
    site = site_of_systemd
    port = site.free_port()
    new_port(site, port)
    site.write_drop_in("dispatcherd-test.socket", "[Unit]\nRefuseManualStop=yes\n")
    result = site.control("apply", check=False)
    assert result.returncode == 1
    assert "systemctl stop dispatcherd-test.socket: " in result.stderr
    assert site.connect(port).pid()
    site.remove_drop_in("dispatcherd-test.socket")
    site.control("apply")
    assert site.refuses(port)


def test_no_socket_is_closed_without_time_for_it(site_of_systemd):
    site = site_of_systemd
    port = site.free_port()
    new_port(site, port)
    result = site.control("--timeout", "10", "apply", check=False)
    assert result.returncode == 1 and "Try --timeout 36" in result.stderr
    assert site.connect(port).pid()
    site.control("apply")
    assert site.refuses(port)


# A random walk


class Load:
    """Short sessions at one port, one after another, until it is stopped: each has to be served."""

    def __init__(self, site, port):
        self.site = site
        self.port = port
        self.n = 0
        self.failures = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.is_set():
            try:
                sock = self.site.dial(self.port)
                self.site.clients.remove(sock)
                sock.settimeout(LIMIT)
                sock.sendall(b"pid\n")
                if not sock.recv(100).strip().isdigit():
                    self.failures.append("closed without an answer")
                sock.close()
                self.n += 1
            except OSError as error:
                self.failures.append(repr(error))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


class Killer(threading.Thread):
    """Kills the daemon once, somewhere in the middle of an apply."""

    def __init__(self, site, delay):
        super().__init__()
        self.site = site
        self.delay = delay

    def run(self):
        time.sleep(self.delay)  # where it strikes is left to chance
        pid = self.site.daemon_pid()
        if pid:
            self.site.run("kill", "-9", str(pid), check=False)


def wanted_sockets(made, before, shown_unit):
    """Addresses with their inodes that must be gone, or new, by the plan."""
    opened, closed = set(), set()
    for item in made["sockets"]:
        opened |= set(item["to"])
        closed |= set(item["from"])
    return opened, closed


def compare(made, before, after, new):
    """The plan against what the host showed before and shows after."""
    opened, closed = wanted_sockets(made, before, None)
    for address, inode in before.sockets.items():
        if address in closed | opened:
            assert after.sockets.get(address) != inode, f"{address} is still the same socket"
        else:
            assert after.sockets.get(address) == inode, f"{address} is another socket"
    for address in opened:
        assert address in after.sockets, f"{address} is not open"
    for address in after.sockets.keys() - before.sockets.keys():
        assert address in opened, f"{address} was opened, and not planned"
    for service in made["services"]:
        name = service["service"]
        kept = before.workers.get(name, set()) - set(service["workers"])
        if service["change"] == "kept":
            assert kept <= after.workers.get(name, set()), f"{name}: {kept} were to be kept"
        assert not set(service["workers"]) & after.workers.get(name, set()), name
    changes = {(c["service"], c["option"]): c["to"] for c in made["options"] if c["service"]}
    for name, options in after.options.items():
        for option, value in options.items():
            texts = [str(item) for item in value] if isinstance(value, list) else [str(value)]
            if name not in before.options:
                continue
            was = before.options[name][option]
            if (name, option) in changes:
                assert changes[name, option] == texts, (name, option)
            else:
                assert was == value, f"{name}: {option} changed, and that was not planned"
    assert set(after.options) == set(new.sections), "services"


class PlanWalk:
    def __init__(self, site, seed):
        self.site = site
        self.rng = random.Random(seed)
        self.images = [site.walk_image(i) for i in range(2)]
        ports = set()
        while len(ports) < N_PORTS:
            ports.add(site.free_port())
        self.ports = sorted(ports)

    def pick(self):
        return Pick(self.site, self.rng, self.ports, self.images)

    def settle(self):
        """Until as many workers are ready as are wanted, and none is about to be replaced."""

        def is_settled():
            services = self.site.services().values()
            return all(
                s["n_ready"] >= s["options"]["MIN_PROCS"] and s["n_starting"] == 0
                for s in services
                if s["state"] in ("running", "full")
            )

        wait_until(is_settled, LIMIT, lambda: self.site.control("status").stdout)

    def apply(self, is_killed):
        killer = Killer(self.site, self.rng.random()) if is_killed else None
        if killer:
            killer.start()
        result = self.site.control("--timeout", "100", "apply", check=False)
        if killer:
            killer.join()
            wait_until(self.site.answers, LIMIT, "the successor")
            # What was interrupted is brought to its end.
            result = self.site.control("--timeout", "100", "apply", check=False)
        assert result.returncode == 0, result.stdout + result.stderr

    def go(self, old, is_killed):
        new = self.pick()
        self.settle()
        before = Shown(self.site, self.ports)
        sessions = [self.site.connect(new.kept_port) for _ in range(N_SESSIONS)]
        pids = [session.pid() for session in sessions]
        new.write(old)
        if self.rng.random() < 0.3:
            self.site.systemctl("daemon-reload")
        made = plan(self.site)
        assert not made["in_the_way"], made["in_the_way"]
        with Load(self.site, new.kept_port) as load:
            self.apply(is_killed)
        self.settle()
        # What a killed dispatcherd had accepted a moment ago, and no worker had, is gone.
        assert len(load.failures) <= (1 if is_killed else 0) and load.n > 0, load.failures
        assert [session.pid() for session in sessions] == pids, "a session was lost"
        again = plan(self.site)
        assert not (again["sockets"] or again["options"] or again["needs_restart"]), again
        compare(made, before, Shown(self.site, self.ports), new)
        self.site.close_clients()
        return new

    def run(self, n, is_killed):
        old = self.pick()
        old.write()
        self.site.start()
        for i in range(n):
            print(f"--- pair {i}", flush=True)
            old = self.go(old, is_killed)


@pytest.mark.parametrize("is_killed", [False, True], ids=["quiet", "killed"])
def test_plan_is_what_apply_does(site_of_systemd, is_killed):
    seed = number("PLAN_SEED", random.randrange(1 << 30))
    n = number("PLAN_PAIRS", times(4, 30))
    print(f"PLAN_SEED={seed} PLAN_PAIRS={n}")
    PlanWalk(site_of_systemd, seed).run(n, is_killed)
