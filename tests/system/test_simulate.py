# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""RECORD, and what dispatcherctl simulate finds in a recording."""

import json
import os
import random

import pytest
from harness.traffic import Visit, run_traffic
from harness.wait import wait_until

pytestmark = pytest.mark.one_way


def config(site, path, **options):
    return f"[SERVICE=DISPATCHER]\nRECORD={path}\n" + site.service("TEST", **options)


def simulate(site, *arguments):
    """What it says of the one service: what was measured, and the list of what was simulated."""
    (service,) = json.loads(site.control("--json", *arguments).stdout)["services"]
    return service["measured"], [run["figures"] for run in service["simulated"]]


def wait_recorded(site, path, n):
    """Until the recording has so many clients."""

    def is_recorded():
        process = site.control("--json", "simulate", path, check=False)
        services = json.loads(process.stdout)["services"] if process.returncode == 0 else []
        return sum(service["measured"]["clients"] for service in services) == n

    wait_until(is_recorded, 20, f"{n} clients are recorded")


def is_repeated(site, path, port):
    """Records a burst; whether the simulation has its waits."""
    rng = random.Random(17)
    # More than twelve places can take: most of them wait.
    visits = [Visit(rng.uniform(0, 0.5), port, rng.uniform(0.05, 0.15)) for _ in range(150)]
    run_traffic(site, visits, 60)
    wait_recorded(site, path, 150)
    measured, (simulated,) = simulate(site, "simulate", path)
    assert measured["served"] == simulated["served"] == 150
    assert measured["workers_max"] == simulated["workers_max"] == 3
    off = max(abs(a - b) for a, b in zip(measured["workers"], simulated["workers"], strict=True))
    assert off <= 1, (measured, simulated)
    waits = [figures["wait_usec"]["p99"] for figures in (measured, simulated)]
    print("99 % wait at most, measured and simulated, in microseconds:", waits)
    return waits[1] == pytest.approx(waits[0], rel=0.2)


def test_a_simulation_with_the_same_settings_repeats_what_happened(site_by_hand, tmp_path):
    site, path = site_by_hand, str(tmp_path / "recording")
    port = site.free_port()
    options = dict(PORT=port, MIN_PROCS=1, MAX_PROCS=3, MIN_CONNS=2, MAX_CONNS=4, BACKLOG=1024)
    site.write_config(config(site, path, **options))
    site.start()
    # Hand-offs that a busy host delays are not simulated: one of three bursts has to be right.
    for i in range(3):
        if is_repeated(site, path, port):
            break
        path = str(tmp_path / f"recording{i}")
        site.reload(config(site, path, **options))
    else:
        pytest.fail("three simulations were wrong")

    _, runs = simulate(site, "--sweep", "MAX_PROCS=1,3,20", "--svg", f"{path}.svg", "simulate", path)
    waits = [run["wait_usec"]["p99"] for run in runs]
    assert waits[0] > waits[1] > waits[2], waits
    assert [run["workers_max"] for run in runs][:2] == [1, 3]
    assert runs[0]["waiting"] > 0 and runs[1]["waiting"] == runs[2]["waiting"] == 0
    with open(f"{path}.svg") as file:
        assert "MAX_PROCS=20" in file.read()
    _, (throttled,) = simulate(site, "simulate", path, "test:THROTTLE=100")
    assert throttled["rejected"]["throttle"] == 50


def test_no_address_is_recorded(site_by_hand, tmp_path):
    site, path = site_by_hand, str(tmp_path / "recording")
    port = site.free_port()
    site.write_config(config(site, path, PORT=port, MIN_PROCS=1))
    site.start()
    for source in ("127.77.66.55", "127.77.66.55", "127.77.66.56"):
        site.connect(port, source=source).ask("quit")
    wait_recorded(site, path, 3)
    with open(path, "rb") as file:
        content = file.read()
    assert b"127.77" not in content
    assert bytes([127, 77, 66]) not in content and bytes([66, 77, 127]) not in content
    assert os.stat(path).st_mode & 0o777 == 0o640
    # Who had two at once cannot be told from the times alone: the hashes can.
    _, (figures,) = simulate(site, "simulate", path, "THROTTLE=1")
    assert figures["rejected"]["throttle"] == 1
    # A restart goes on with the same file.
    site.stop()
    site.start()
    site.connect(port).ask("quit")
    wait_recorded(site, path, 4)


@pytest.mark.parametrize("kind", ["fifo", "other"])
def test_a_file_that_cannot_be_a_recording_delays_nobody(site_by_hand, tmp_path, kind):
    site, path = site_by_hand, str(tmp_path / "recording")
    if kind == "fifo":
        os.mkfifo(path)
    else:
        with open(path, "w") as file:
            file.write("this is a letter, and nothing else " * 10)
    port = site.free_port()
    site.write_config(config(site, path, PORT=port, MIN_PROCS=1))
    site.start()
    assert site.connect(port).ask("service") == "TEST"
    site.wait_for_log(f"cannot record to {path}: .*clients are served all the same")
    if kind == "other":
        with open(path) as file:
            assert file.read().startswith("this is a letter")
    # A reload to a better file begins to record.
    site.reload(config(site, f"{path}2", PORT=port, MIN_PROCS=1))
    site.connect(port).ask("quit")
    wait_recorded(site, f"{path}2", 1)
