# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The examples of dispatcher-worker(3) and (7), under the units that are delivered: for longer than
every time limit in those, which are shortened to be tried at all."""

import pytest
from harness.wait import holds_for, wait_until

EXAMPLES = {
    "example": {"PARAMETER": "GREETING=Hello"},
    "example.py": {},
}

LIMITS = "[Service]\nTimeoutStartSec=8\nWatchdogSec=5\nTimeoutStopSec=8\n"


def run_example(site, builddir, name):
    path = builddir / "tests/libdispatcher" / name
    port = site.free_port()
    site.write_config(
        site.service(
            "ECHO", PORT=port, MIN_PROCS=1, IMAGE=site.program_for("ECHO", path), **EXAMPLES[name]
        )
    )
    site.start()
    wait_until(lambda: site.services()["ECHO"]["n_ready"] == 1, 20, "it is ready")
    return port


def converse(client, name, text):
    if name == "example" and not client.has_greeted:
        assert client.receive().startswith("Hello, ")
        client.has_greeted = True
    client.send(text)
    return client.receive()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_outlives_the_limits_of_its_unit(site, builddir, name):
    if site.way == "systemd":
        site.write_drop_in("dispatcherd-echo-worker@.service", LIMITS)
    port = run_example(site, builddir, name)
    client = site.connect(port)
    client.has_greeted = False
    assert converse(client, name, "hello") == "hello"
    (worker,) = site.workers("ECHO")
    # Twice the watchdog's limit, and longer than that of the start.
    holds_for(lambda: list(site.workers("ECHO")) == [worker], 10.5, "it is the same worker")
    assert converse(client, name, "again") == "again"
    # It drains as it should, and the watchdog does not end that either.
    site.control("restart", "ECHO")
    wait_until(lambda: len(site.workers("ECHO")) == 2, 20, "a successor")
    holds_for(lambda: worker in site.workers("ECHO"), 6, "its session goes on")
    assert converse(client, name, "still here") == "still here"
    client.close()
    wait_until(
        lambda: list(site.workers("ECHO")) != [] and worker not in site.workers("ECHO"),
        30,
        "the successor alone",
    )
    site.stop()
    assert site.count_log("ECHO: worker .* (was killed|died)|watchdog|cannot start") == 0
