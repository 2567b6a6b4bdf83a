# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A random walk of reloads: after each step clients meet at every port what is promised of it.

The promise is what `dispatcherctl status` and `services` say. SOAK=1 walks for 500 steps;
RELOAD_STEPS=N and RELOAD_SEED=N walk for as long, or the same way again.
"""

import random
import re

from harness.soak import times
from harness.wait import wait_until
from harness.walk import Walk, number

# A worker that starts on a busy machine; far less than a client that hangs would take.
ANSWER_LIMIT = 60
HOSTS = ["127.0.0.1", "127.0.0.2"]
# Commands may make others due: a reload finds what a newer file asks for.
ROUNDS_MAX = 4


class Walker:
    def __init__(self, site, seed):
        self.site = site
        self.rng = random.Random(seed)
        images = [site.walk_image(i) for i in range(2)]
        self.walk = Walk(site, self.rng, images)
        self.history = []
        self.walk.write()
        site.start()

    def note(self, text):
        self.history.append(text)
        print(text, flush=True)

    # What is done

    def step(self):
        before = self.walk.is_broken
        self.note(self.walk.edit())
        self.walk.write()
        kind = self.rng.random()
        if kind < 0.75:
            self.reload()
        elif kind < 0.85:
            self.stop_or_start()
        if self.rng.random() < 0.5:
            self.follow()
        elif self.site.way == "systemd" and self.rng.random() < 0.3:
            self.note("daemon-reload alone")
            self.site.systemctl("daemon-reload")
        if self.rng.random() < 0.25 and (self.site.way == "systemd" or not self.walk.is_broken):
            self.kill()
        if before and self.walk.is_broken and self.rng.random() < 0.7:
            self.walk.is_broken = False

    def reload(self):
        result = self.site.reload(check=False)
        self.note(f"reload: {result.returncode}")
        assert (result.returncode != 0) == self.walk.is_broken, result.stderr

    def stop_or_start(self):
        name = self.rng.choice(list(self.promised()))
        verb = self.rng.choice(["stop", "start"])
        if name != "KEPT":
            self.note(f"dispatcherctl {verb} {name}: ")
            self.site.control(verb, name, check=False)

    def follow(self):
        """Runs what is due until nothing is."""
        for _ in range(ROUNDS_MAX):
            command = self.status()["due_command"]
            if not command or (self.walk.is_broken and command == "dispatcherctl reload"):
                return
            self.note(f"due: {command}")
            if command == "dispatcherctl reload":
                self.site.control("reload", check=False)
            else:
                assert self.site.way == "systemd", command
                result = self.site.run("sh", "-c", command, check=False)
                if self.walk.is_broken:
                    assert result.returncode != 0
                    assert "the files have errors; nothing was changed" in result.stderr
                    return
                stopped = re.search(r"To serve them first: dispatcherctl start (\S+)", result.stderr)
                # Clients of a stopped service would be lost, and it says so.
                assert (result.returncode != 0) == bool(stopped), result.stderr
                if stopped:
                    self.note(f"dispatcherctl start {stopped.group(1)}")
                    self.site.control("start", stopped.group(1))
                self.wait_until_up()
        assert self.walk.is_broken, self.status()["due"]

    def kill(self):
        self.note("kill -9")
        pid = self.site.daemon_pid()
        self.site.kill(pid, "KILL")
        if self.site.way == "hand":
            self.site.daemon.wait()
            self.site.start()
        else:
            wait_until(lambda: self.site.daemon_pid() not in (0, pid), ANSWER_LIMIT, "a successor")
        self.wait_until_up()

    def wait_until_up(self):
        wait_until(self.site.answers, ANSWER_LIMIT, "an answer of the control socket")

    # What is promised

    def status(self):
        return self.site.status()

    def promised(self):
        """The services that are in force or drain, by name."""
        return self.site.services()

    def listener_at(self, services, host, port):
        """The service that is said to listen there, with the listener."""
        for service in services.values():
            for listener in service["listeners"]:
                if listener["port"] == port and listener["address"] in ("0.0.0.0", host):
                    return service, listener
        return None, None

    # What is met

    def meet(self, host, port):
        """"refused", "turned away", "waits", or what the worker says of itself."""
        try:
            client = self.site.connect(port, host)
        except ConnectionRefusedError:
            return "refused"
        except ConnectionResetError:
            return "turned away"
        return client

    def check_port(self, services, due, host, port):
        service, listener = self.listener_at(services, host, port)
        met = self.meet(host, port)
        where = f"{host}:{port}"
        if met == "refused":
            assert not listener, f"{where} is refused, but {service['name']} is said to listen there"
            return
        try:
            self.check_client(service, listener, due, met, where)
        finally:
            if met != "turned away":
                met.close()

    def check_client(self, service, listener, due, met, where):
        if not listener:
            assert due, f"{where} is open, but nobody is said to listen there, and nothing is due"
            assert met == "turned away" or self.is_turned_away(met), f"a client hangs at {where}"
            return
        assert met != "turned away", f"{where}: {service['name']}"
        name = service["name"]
        if service["state"] in ("stopped", "stopping"):
            assert met.is_waiting(0.1), f"{where}: {name} is stopped, and a client is answered"
            return
        assert service["accept"] == "accepting" or service["start_error"], service["accept"]
        if any(item["service"] == name and "starts workers" in item["text"] for item in due):
            return
        try:
            said = met.ask("service", ANSWER_LIMIT), met.ask("tls", ANSWER_LIMIT)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise AssertionError(f"{where}: {name}: {error}")
        except TimeoutError:
            raise AssertionError(f"a client hangs at {where}: {name} {service}; due: {due}")
        assert said == (name, "yes" if listener["is_tls"] else "no"), where

    def is_turned_away(self, client):
        try:
            return client.ask("service", ANSWER_LIMIT) is None
        except (ConnectionResetError, BrokenPipeError):
            return True
        except TimeoutError:
            return False

    def check(self):
        status, services = self.status(), self.promised()
        due = status["due"]
        for port in [*self.walk.ports, self.walk.kept_port]:
            for host in HOSTS:
                self.check_port(services, due, host, port)
        assert services["KEPT"]["state"] == "running"

    def check_all_in_force(self):
        """With a good file that was read, and nothing due, all of it is in force."""
        self.walk.is_broken = False
        self.walk.write()
        self.reload()
        self.follow()
        services = self.promised()
        for section in self.walk.enabled():
            service = services[section.name]
            if service["state"] == "stopped":
                continue
            listens = {(item["port"], item["is_tls"]) for item in service["listeners"]}
            assert listens == section.listens(), section.name
            wait_until(
                lambda name=section.name, backlog=section.backlog: {
                    item["queue"]["limit"] for item in self.promised()[name]["listeners"]
                }
                == {backlog},
                what=f"BACKLOG={section.backlog} of {section.name}",
            )
        names = {section.name for section in self.walk.enabled()} | {"KEPT"}
        for name, service in services.items():
            assert name in names or service["state"] in ("stopping", "stopped"), name

    def run(self, n_steps):
        for i in range(n_steps):
            self.note(f"--- step {i}")
            self.step()
            self.check()
            if i % 7 == 6:
                self.check_all_in_force()
                self.check()
            self.site.close_clients()
        self.check_all_in_force()
        self.check()


def test_a_random_walk_of_reloads_keeps_its_promises(site):
    seed = number("RELOAD_SEED", random.randrange(1 << 30))
    n_steps = number("RELOAD_STEPS", times(25, 500))
    print(f"RELOAD_SEED={seed} RELOAD_STEPS={n_steps}")
    walker = Walker(site, seed)
    try:
        walker.run(n_steps)
    except BaseException:
        print(f"RELOAD_SEED={seed}; the last steps:", *walker.history[-40:], sep="\n  ")
        raise
