# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Every system call and every allocation of a dispatcherd fails once, on the way of a connection, of
a worker, of a call to the control socket and of a reload: what then goes on, and what is said.

Which failures are tried is drawn by lot until the time is over; TEST_SEED repeats a lot. FAULTS=long
tries all of them, FAULTS=n as many as fit in n seconds for each way."""

import contextlib
import errno
import itertools
import os
import random
import time

import pytest
from harness.fail import ERRORS, Failures
from harness.wait import wait_until

SECONDS = 2.5  # for each of eight ways of failing, unless FAULTS says otherwise
PATIENCE = 30  # a start that failed is tried again after 1, 2, 4, 8 s

# The one connection whose own call failed may be closed without an answer when one of these fails:
# nothing can be done with it then. All others are served.
MAY_LOSE = {
    # Access control has to know where it went to.
    "getsockname",
    # What stands for it in the daemon.
    "malloc",
}


def seconds():
    text = os.environ.get("FAULTS", "")
    return {"": SECONDS, "long": float("inf")}.get(text) or float(text)


def lot():
    seed = int(os.environ.get("TEST_SEED") or random.randrange(1 << 32))
    print(f"TEST_SEED={seed}")
    return random.Random(seed)


def ask(site, port, limit):
    """The answer of a worker; None if the connection was closed without one."""
    try:
        with site.connect(port) as client:
            return client.ask("service", limit)
    except ConnectionError:
        return None


def descriptors(pid):
    """The open files of a process, but for those that only keep a place for others."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue
    return sorted(link.split(":")[0] for link in found if link != "/dev/null")


class Scene:
    """A dispatcherd with one service, whose calls can be made to fail."""

    def __init__(self, site):
        self.site = site
        self.failures = Failures(site)
        site.add_helper(self.failures)
        self.port = site.free_port()
        self.text = site.service("TEST", PORT=self.port, MIN_PROCS=1, MAX_PROCS=1)
        site.write_config(self.text)
        site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|*|*  $Y\n")

    def start(self):
        self.site.start()
        assert ask(self.site, self.port, PATIENCE) == "TEST"
        self.pid = self.site.daemon_pid()
        # Some are made when they are needed first, and stay: a timer's.
        self.control("")
        self.reload("")
        # Others come and go, as that to the service manager.
        self.descriptors = min((descriptors(self.pid) for _ in range(200)), key=len)

    def visit(self, name):
        answer = ask(self.site, self.port, PATIENCE)
        if answer is None and name in MAY_LOSE:
            self.site.wait_for_log(r"closing a connection|cannot accept a connection")
        else:
            assert answer == "TEST", f"a client got {answer!r}"

    def replace(self, name):
        for pid in self.site.worker_pids("TEST"):
            # It may go by itself, if the call that fails was for its channel.
            with contextlib.suppress(ProcessLookupError):
                self.site.kill(pid, "KILL")
        self.visit(name)

    def control(self, _):
        for verb in ("status", "services", "workers", "connections", "history", "explain 127.0.0.1"):
            self.site.control(*verb.split(), check=False)

    def reload(self, _):
        self.site.reload(check=False)

    def check(self, act_name, what):
        """Nothing has changed for those who come later."""
        assert self.site.daemon_pid() == self.pid, f"{what}: the daemon has ended"
        assert ask(self.site, self.port, PATIENCE) == "TEST", what
        if act_name == "reload":
            # One that could not keep a copy of the mapping file has one descriptor less.
            self.site.reload()
        wait_until(
            lambda: descriptors(self.pid) == self.descriptors,
            PATIENCE,
            lambda: f"{what}: the descriptors are {descriptors(self.pid)}, not {self.descriptors}",
        )


def cases(scene, act, kind):
    """All (name, errno, which call of these) that the act meets."""
    scene.failures.begin_count()
    act("")
    counts = scene.failures.end_count()
    is_memory = kind == "memory"
    for name in sorted(counts.keys() & ERRORS.keys()):
        if (name == "malloc") == is_memory:
            yield from itertools.product([name], ERRORS[name], range(counts[name]))


ACTS = ["visit", "replace", "control", "reload"]
KINDS = ["calls", "memory"]


@pytest.mark.parametrize("act_name", ACTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_failing_call_harms_its_own_connection_alone(site_by_hand, act_name, kind):
    scene = Scene(site_by_hand)
    scene.start()
    act = getattr(scene, act_name)
    found = list(cases(scene, act, kind))
    if not found and kind == "memory":
        pytest.skip("a sanitizer makes the allocations")
    assert found
    lot().shuffle(found)
    end = time.monotonic() + seconds()
    n_tried = 0
    for name, error, n_well in found:
        if time.monotonic() > end:
            break
        what = f"{name}, {errno.errorcode[error]}, call {n_well + 1}, {act_name}"
        print(what)
        scene.failures.plan(name, n_well, error)
        act(name)
        scene.failures.none()
        scene.check(act_name, what)
        n_tried += 1
    print(f"{n_tried} of {len(found)} failures tried")
    assert n_tried > 0


def test_a_while_without_any_memory_ends_nothing(site_by_hand):
    scene = Scene(site_by_hand)
    site = scene.site
    scene.start()
    scene.failures.plan("malloc", n_bad=1 << 30)
    scene.control("")
    if scene.failures.n_failed == 0:
        pytest.skip("a sanitizer makes the allocations")
    scene.reload("")
    clients = [site.connect(scene.port) for _ in range(5)]
    for pid in site.worker_pids("TEST"):
        site.kill(pid, "KILL")
    site.wait_for_log(r"cannot accept a connection|cannot start a worker")
    scene.failures.none()
    for client in clients:
        client.close()
    scene.check("reload", "no memory")


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_in_which_a_call_fails_is_a_start_or_a_message(site_by_hand, kind):
    scene = Scene(site_by_hand)
    site = scene.site
    found = list(cases(scene, lambda _: scene.start(), kind))
    if not found and kind == "memory":
        pytest.skip("a sanitizer makes the allocations")
    assert found
    assert site.stop() == 0
    lot().shuffle(found)
    end = time.monotonic() + seconds()
    for name, error, n_well in found:
        if time.monotonic() > end:
            break
        what = f"{name}, {errno.errorcode[error]}, call {n_well + 1}, start"
        print(what)
        n_logged = len(site.log_text())
        scene.failures.plan(name, n_well, error)
        site.launch()
        wait_until(
            lambda: site.manager.last("READY") == "1" or site.daemon.poll() is not None, PATIENCE, what
        )
        scene.failures.none()
        if site.daemon.poll() is None:
            # One of the two families may be lacking, which is reported.
            if "cannot listen on" not in site.log_text()[n_logged:]:
                assert ask(site, scene.port, PATIENCE) == "TEST", what
            assert site.stop() == 0, what
        else:
            assert site.daemon.returncode in (1, 78), f"{what}: {site.daemon.returncode}"
            assert len(site.log_text()) > n_logged, f"{what}: not a word"
