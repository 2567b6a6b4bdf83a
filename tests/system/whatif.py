#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""How good dispatcherctl simulate is, by hand, on a quiet machine:

    cd BUILD; ../tests/system/whatif.py [SESSIONS [SECONDS [MAX_LIFE_CONNS]]]

An hour in fast motion: ten thousand sessions of three services are recorded, in ten minutes unless
SECONDS says otherwise. The simulation with the same settings is compared with what was measured; the
one with MAX_PROCS halved with a real second run. Sessions and MAX_IDLE_TIME are as much shorter as
the hour is; a machine's own times, such as a worker's start, are not, and so the shorter, the worse.
With MAX_LIFE_CONNS=200 workers are renewed while all places are taken: see dispatcherctl(1).
"""

import json
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.burst import need_descriptors  # noqa: E402
from harness.hand import HandSite  # noqa: E402
from harness.traffic import Visit, run_traffic  # noqa: E402

SECONDS = 600
SERVICES = {"A": (1, 2), "B": (2, 8), "C": (4, 10)}  # MIN_CONNS and MAX_CONNS
LENGTHS = {"A": 1 / 1000, "B": 1 / 300, "C": 1 / 240}  # of a session, of the whole
MAX_PROCS = 8


def record(folder, max_procs, sessions, seconds, max_life_conns):
    """One run. Returns its recording."""
    site = HandSite(pathlib.Path.cwd(), folder)
    path = str(folder / "recording")
    ports, text = {}, f"[SERVICE=DISPATCHER]\nRECORD={path}\n"
    for name, (min_conns, max_conns) in SERVICES.items():
        ports[name] = site.free_port()
        text += site.service(
            name,
            PORT=ports[name],
            MIN_PROCS=1,
            MAX_PROCS=max_procs,
            MIN_CONNS=min_conns,
            MAX_CONNS=max_conns,
            MAX_IDLE_TIME=max(1, seconds // 12),
            MAX_LIFE_CONNS=max_life_conns,
            BACKLOG=4096,
        )
    site.write_config(text)
    site.start()
    rng = random.Random(17)
    visits = []
    for _ in range(sessions):
        # Two waves, as a day has, in the time that is given.
        at = min(max(rng.choice((0.25, 0.7)) + rng.gauss(0, 0.12), 0), 1)
        name = rng.choice("ABC")
        length = min(rng.expovariate(1 / LENGTHS[name]), 1 / 30)
        visits.append(Visit(at * seconds, ports[name], length * seconds))
    run_traffic(site, visits, 10 * seconds)
    site.stop()
    site.close()
    return path


def services_of(path, *settings):
    site = HandSite(pathlib.Path.cwd(), tempfile.mkdtemp())
    text = site.run(f"{site.builddir}/dispatcherctl", "--json", "simulate", path, *settings).stdout
    site.close()
    return {service["name"]: service for service in json.loads(text)["services"]}


def is_near(measured, simulated):
    return abs(simulated - measured) <= max(0.2 * measured, 10)


def compare(title, measured, simulated):
    off = max(abs(a - b) for a, b in zip(measured["workers"], simulated["workers"], strict=True))
    waits = [figures["wait_usec"]["p99"] / 1000 for figures in (measured, simulated)]
    print(
        f"{title}: served {measured['served']}/{simulated['served']}, "
        f"workers {measured['workers_mean']:.2f}/{simulated['workers_mean']:.2f}, "
        f"at most {off:.2f} off; recycled {measured['retired']['use']}/{simulated['retired']['use']}; "
        f"99 % wait {waits[0]:.1f}/{waits[1]:.1f} ms ({100 * (waits[1] / waits[0] - 1):+.0f} %): "
        f"{'within' if off <= 1 and is_near(*waits) else 'BEYOND'} what the manual says"
    )


def main():
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    max_life_conns = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
    need_descriptors(sessions)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("whole", "half"):
            (folder / part).mkdir()
        whole = record(folder / "whole", MAX_PROCS, sessions, seconds, max_life_conns)
        half = services_of(record(folder / "half", MAX_PROCS // 2, sessions, seconds, max_life_conns))
        guess = services_of(whole, f"MAX_PROCS={MAX_PROCS // 2}")
        print("measured/simulated")
        for service, found in services_of(whole).items():
            compare(f"{service}, as it was", found["measured"], found["simulated"][0]["figures"])
            compare(
                f"{service}, half of MAX_PROCS",
                half[service]["measured"],
                guess[service]["simulated"][0]["figures"],
            )


if __name__ == "__main__":
    main()
