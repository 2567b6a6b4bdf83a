#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Each fault of faulty_worker is found by dispatcher-worker-test, by the rule that it breaks and by no
other, but for those that build on it; and there is a fault for each rule.

Usage: run_faults.py KIT FAULTY_WORKER [FAULT...]

Of the rules, those that every fault is tried with are few, so that it takes no minutes; with
WHOLE=1 in the environment all of them are.
"""

import concurrent.futures
import os
import re
import subprocess
import sys

KIT, WORKER = sys.argv[1:3]

# An ordinary life: whatever is broken in it is another rule's breach.
ORDINARY = ["channel.message", "connections.place", "drain.sessions", "adopt.ready"]

# What a fault breaks besides: rules that cannot be kept by a worker that does not keep the first one, as
# all limits by one that knows none. Only WHOLE=1 tries those.
BESIDES = {
    "alerts-loudly": "alert.asked",
    "bad-tail": "ring.closed ring.news-unread",
    "clean-limit": "end-of-file.limit sigterm.limit stop.limit",
    "cuts-at-drain": "drain.limit sigterm.sessions stop.drain systemd.watchdog-draining",
    "cuts-at-stop": "stop.limit",
    "cuts-at-term": "sigterm.limit sigterm.twice",
    "frees-late": "channel.full connections.early connections.full",
    "no-drain": "adopt.draining sigterm.draining",
    "no-limit": "end-of-file.limit sigterm.limit stop.limit",
    "no-news-end": "ring.news-later",
    "no-news-unread": "ring.news-later",
    "old-ring": "adopt.draining connections.early",
    "one-at-a-time": "adopt.ready channel.full connections.full connections.many connections.texts drain.limit"
    " drain.refuses end-of-file.limit faults.type sigterm.idle stop.limit stress.both systemd.watchdog",
    "one-descriptor": "connections.texts",
    "ready-first": "connections.full greeting.version",
    "serves-anyway": "end-of-file.reset",
    "serves-early": "connections.given-up",
}

# Likewise, with the rules of an ordinary life too: the second READY may come after ADOPT.
ALWAYS_BESIDES = {"ready-twice": {"adopt.answer"}}

# The kit waits for nothing longer than this, if the manual has no number; all here is quick.
LIMIT_SEC = "5"


def broken_rules(fault, rule):
    """Those that the kit finds broken, with all that it prints."""
    rules = [] if os.environ.get("WHOLE") or not rule else [rule, *ORDINARY]
    options = [word for name in dict.fromkeys(rules) for word in ("--rule", name)]
    result = subprocess.run(
        [KIT, "--tap", "--jobs=8", "--say=hello", "--limit", LIMIT_SEC, *options, WORKER, fault],
        capture_output=True,
        text=True,
        timeout=300,
    )
    broken = re.findall(r"^not ok \d+ - (\S+)", result.stdout, re.MULTILINE)
    assert result.returncode == (1 if broken else 0), (fault, result.returncode, result.stderr)
    assert re.search(r"^1\.\.\d+$", result.stdout, re.MULTILINE), result.stdout
    return broken, result.stdout


def main():
    listed = subprocess.run([WORKER, "--list"], capture_output=True, text=True, check=True).stdout
    faults = dict(line.split(" ", 1) for line in listed.splitlines())
    rules = subprocess.run([KIT, "--list"], capture_output=True, text=True, check=True).stdout
    without = {line.split()[0] for line in rules.splitlines()} - set(faults.values())
    assert not without, f"no worker breaks {without}"
    chosen = sys.argv[3:] or list(faults)
    n_wrong = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda fault: broken_rules(fault, faults[fault]), chosen)
        for fault, (broken, output) in zip(chosen, results):
            wanted = {faults[fault]} - {""}
            others = ALWAYS_BESIDES.get(fault, set())
            if os.environ.get("WHOLE"):
                others = others | set(BESIDES.get(fault, "").split())
            if not wanted <= set(broken):
                # On a busy machine the kit may hang up before the worker has had its turn to break
                # the rule. It never blames a worker for that, so what is too much stays wrong.
                broken, output = broken_rules(fault, faults[fault])
            if not wanted <= set(broken) <= wanted | others:
                n_wrong += 1
                print(f"FAILED: {fault} breaks '{faults[fault]}'; found: {broken}\n{output}")
    print(f"{len(chosen)} workers, {n_wrong} wrong verdicts")
    sys.exit(n_wrong > 0)


main()
