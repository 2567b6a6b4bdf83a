# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherd as process 1 of a container: what has lost its parent becomes its child."""

import os
import pathlib
import signal
import subprocess

import pytest
from harness.wait import wait_until


def children(pid):
    """The state of each child of a process."""
    states = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # gone
        if int(fields[1]) == pid:
            states[int(path.parent.name)] = fields[0]
    return states


@pytest.fixture
def process_1(site_by_hand):
    """A dispatcherd in a process namespace of its own; its number outside."""
    site = site_by_hand
    if os.getuid() != 0:
        pytest.skip("only root can make a process namespace")
    site.write_config(site.service("TEST", PORT=site.free_port(), MIN_PROCS=1))
    site.launch("unshare", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
    wait_until(lambda: site.manager.last("READY") == "1", 20, "READY=1")
    (pid,) = children(site.daemon.pid)
    yield pid
    os.kill(pid, signal.SIGTERM)
    assert site.wait_stopped() == 0


def test_reaps_orphans_and_its_workers(site_by_hand, process_1):
    site = site_by_hand
    marks = pathlib.Path(site.folder, "marks")
    orphan = f"(setsid sh -c 'echo >>{marks}' &)"
    for _ in range(3):
        subprocess.run(["nsenter", "-t", str(process_1), "-p", "-m", "sh", "-c", orphan], check=True)
    wait_until(lambda: marks.exists() and len(marks.read_text()) == 3, what="three orphans")
    wait_until(
        lambda: len(children(process_1)) == 1 and "Z" not in children(process_1).values(),
        20,
        lambda: f"only the worker, and no zombie, among {children(process_1)}",
    )
    (worker,) = children(process_1)
    os.kill(worker, signal.SIGKILL)
    site.wait_for_log("died of signal 9")
    wait_until(
        lambda: children(process_1) and not {worker} & children(process_1).keys(),
        20,
        lambda: f"another worker than {worker} among {children(process_1)}",
    )
