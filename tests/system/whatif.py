#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""How good dispatcherctl simulate is, by hand, on a quiet machine:

    cd BUILD; ../tests/system/whatif.py [SESSIONS]

Ten thousand sessions of three services in a minute are recorded. The simulation with the same
settings is compared with what was measured; the one with MAX_PROCS halved with a real second run.
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

SECONDS = 60
SERVICES = {"A": (1, 2), "B": (2, 8), "C": (4, 10)}  # MIN_CONNS and MAX_CONNS
MAX_PROCS = 8


def record(folder, max_procs, sessions):
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
            MAX_IDLE_TIME=5,
            MAX_LIFE_CONNS=200,
            BACKLOG=4096,
        )
    site.write_config(text)
    site.start()
    rng = random.Random(17)
    visits = []
    for _ in range(sessions):
        # Two waves, as a day has, in the time of a minute.
        at = min(max(rng.choice((15, 42)) + rng.gauss(0, 7), 0), SECONDS)
        name = rng.choice("ABC")
        length = min(rng.expovariate(1 / {"A": 0.06, "B": 0.2, "C": 0.25}[name]), 2)
        visits.append(Visit(at, ports[name], length))
    run_traffic(site, visits, 10 * SECONDS)
    site.stop()
    site.close()
    return path


def services_of(path, *settings):
    site = HandSite(pathlib.Path.cwd(), tempfile.mkdtemp())
    text = site.run(f"{site.builddir}/dispatcherctl", "--json", "simulate", path, *settings).stdout
    site.close()
    return {service["name"]: service for service in json.loads(text)["services"]}


def compare(title, measured, simulated):
    off = max(abs(a - b) for a, b in zip(measured["workers"], simulated["workers"], strict=True))
    waits = [figures["wait_usec"]["p99"] / 1000 for figures in (measured, simulated)]
    print(
        f"{title}: served {measured['served']}/{simulated['served']}, "
        f"workers {measured['workers_mean']:.2f}/{simulated['workers_mean']:.2f}, "
        f"at most {off:.2f} off; recycled {measured['retired']['use']}/{simulated['retired']['use']}; "
        f"99 % wait {waits[0]:.1f}/{waits[1]:.1f} ms ({100 * (waits[1] / waits[0] - 1):+.0f} %)"
    )


def main():
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    need_descriptors(sessions)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("whole", "half"):
            (folder / part).mkdir()
        whole = record(folder / "whole", MAX_PROCS, sessions)
        half = services_of(record(folder / "half", MAX_PROCS // 2, sessions))
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
