# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""RECORD, and what dispatcherctl simulate finds in a recording."""

import json
import os
import random
import re
import threading
import time

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
    """Records a burst; whether the simulation has its workers and waits."""
    rng = random.Random(17)
    # More than twelve places can take: most of them wait.
    visits = [Visit(rng.uniform(0, 0.5), port, rng.uniform(0.05, 0.15)) for _ in range(150)]
    run_traffic(site, visits, 60)
    wait_recorded(site, path, 150)
    measured, (simulated,) = simulate(site, "simulate", path)
    assert measured["served"] == simulated["served"] == 150
    assert measured["workers_max"] == simulated["workers_max"] == 3
    off = max(abs(a - b) for a, b in zip(measured["workers"], simulated["workers"], strict=True))
    waits = [figures["wait_usec"]["p99"] for figures in (measured, simulated)]
    print("99 % wait at most, measured and simulated, in microseconds:", waits)
    print("simulated workers are off by at most", off)
    return off <= 1 and waits[1] == pytest.approx(waits[0], rel=0.2)


def test_a_simulation_with_the_same_settings_repeats_what_happened(site_by_hand, tmp_path):
    site, path = site_by_hand, str(tmp_path / "recording")
    port = site.free_port()
    options = dict(PORT=port, MIN_PROCS=1, MAX_PROCS=3, MIN_CONNS=2, MAX_CONNS=4, BACKLOG=1024)
    site.write_config(config(site, path, **options))
    site.start()
    # Starts and hand-offs that a busy host delays are not simulated: one of five bursts has to be right.
    for i in range(5):
        if is_repeated(site, path, port):
            break
        path = str(tmp_path / f"recording{i}")
        site.reload(config(site, path, **options))
    else:
        pytest.fail("five simulations were wrong")

    _, runs = simulate(site, "--sweep", "MAX_PROCS=1,3,20", "--svg", f"{path}.svg", "simulate", path)
    waits = [run["wait_usec"]["p99"] for run in runs]
    assert waits[0] > waits[1] > waits[2], waits
    assert [run["workers_max"] for run in runs][:2] == [1, 3]
    # With one worker some still wait at the end, unless the recording goes on for longer by now.
    assert runs[0]["waiting"] >= runs[1]["waiting"] == runs[2]["waiting"] == 0
    with open(f"{path}.svg") as file:
        picture = file.read()
    assert "MAX_PROCS=20" in picture and "TEST: memory" in picture
    _, (throttled,) = simulate(site, "simulate", path, "test:THROTTLE=100")
    assert throttled["rejected"]["throttle"] == 50


class MemoryWatch(threading.Thread):
    """What the workers of TEST really have, five times a second, by the kernel's other account."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site = site
        self.kib = []
        self.began = time.monotonic()
        self.is_over = threading.Event()

    def look(self):
        total = 0
        for pid in self.site.worker_pids("TEST"):
            try:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    total += int(re.search(r"^Anonymous: *(\d+) kB", file.read(), re.M)[1])
            except (FileNotFoundError, ProcessLookupError, TypeError):
                pass  # it has ended
        return total

    def run(self):
        while not self.is_over.wait(0.2):
            self.kib.append(self.look())

    def end(self):
        """KiB times seconds, and the maximum in KiB."""
        self.is_over.set()
        self.join()
        return sum(self.kib) / len(self.kib) * (time.monotonic() - self.began), max(self.kib)


def record_memory(site, path, port, max_procs):
    """Two waves of clients, each of which takes 4 MiB of its worker. Returns what that led to."""
    rng = random.Random(17)
    options = dict(MIN_PROCS=1, MAX_PROCS=max_procs, MIN_CONNS=4, MAX_CONNS=8, MAX_IDLE_TIME=1)
    text = config(site, path, PORT=port, PARAMETER="SESSION_MEMORY=4", BACKLOG=1024, **options)
    site.write_config(text)
    site.start()
    visits = [
        Visit(wave + rng.uniform(0, 4), port, rng.uniform(1, 3)) for wave in (0, 8) for _ in range(40)
    ]
    watch = MemoryWatch(site)
    watch.start()
    run_traffic(site, visits, 90)
    found = watch.end()
    wait_recorded(site, path, len(visits))
    site.stop()
    return found


def remove_memory(path):
    """Makes it a recording of an older dispatcherd: records have 64 bytes, with their kind in the
    24th, and one of zeros was never written."""
    with open(path, "rb") as file:
        content = file.read()
    records = [content[i : i + 64] for i in range(0, len(content), 64)]
    with open(path, "wb") as file:
        for i, record in enumerate(records):
            file.write(bytes(64) if i > 0 and record[23] == 9 else record)


def test_the_memory_of_workers_is_predicted(site_by_hand, tmp_path):
    site, port = site_by_hand, site_by_hand.free_port()
    paths = [str(tmp_path / name) for name in ("many", "few")]
    many = record_memory(site, paths[0], port, 6)
    few = record_memory(site, paths[1], port, 2)
    measured, (simulated,) = simulate(site, "simulate", paths[0])
    _, (guessed,) = simulate(site, "simulate", paths[0], "MAX_PROCS=2")
    everything = json.loads(site.control("--json", "simulate", paths[0]).stdout)
    (service,), seconds = everything["services"], (everything["to"] - everything["from"]) / 1e6
    print("in KiB s and KiB:", many, few, "in KiB:", measured["memory_kib"], simulated["memory_kib"])
    print("with fewer:", guessed["memory_kib"], service["memory"], "in", seconds, "s")
    assert few[1] < 0.7 * many[1], "the two runs do not differ"
    # A session has 4 MiB, which is far more than anything else.
    assert service["memory"]["each_kib"] == pytest.approx(4096, rel=0.1)
    assert service["memory"]["error_percent"] < 15
    # The recording begins and ends at other times than the watch, with next to no memory.
    for figures, (area, most) in ((simulated, many), (guessed, few)):
        assert figures["memory_kib"]["mean"] * seconds == pytest.approx(area, rel=0.15)
        assert figures["memory_kib"]["max"] == pytest.approx(most, rel=0.15)
    # What was recorded is two seconds late when memory rises and falls as fast as here.
    assert measured["memory_kib"]["mean"] * seconds == pytest.approx(many[0], rel=0.35)
    assert 0.5 * many[1] < measured["memory_kib"]["max"] < 1.1 * many[1]
    text = site.control("simulate", paths[0]).stdout
    assert re.search(r"TEST: memory: a worker has .* MiB for each session; that is off by", text)
    remove_memory(paths[0])
    assert "TEST: memory: not in the recording" in site.control("simulate", paths[0]).stdout
    (service,) = json.loads(site.control("--json", "simulate", paths[0]).stdout)["services"]
    assert service["memory"] is service["measured"]["memory_kib"] is None
    assert service["simulated"][0]["figures"]["memory_kib"] is None


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
