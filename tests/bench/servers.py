# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What is measured: servers that are started, and all of them ended again."""

import os
import signal
import socket
import subprocess
import sys
import time

PLACES = 500        # of each server under load
MAX_CONNS = 50
START_LIMIT = 30.0  # seconds

BENCH = os.path.join(sys.argv[1] if len(sys.argv) > 1 else ".", "tests/bench")
DISPATCHERD = os.path.join(sys.argv[1] if len(sys.argv) > 1 else ".", "dispatcherd")

CONFIGURATION = """\
[SERVICE=BENCH]
PORT={port}
INTERFACE_ADDRESS=127.0.0.1
BACKLOG=1024
IMAGE={image}
MIN_PROCS={min_procs}
MAX_PROCS={max_procs}
MIN_CONNS={max_conns}
MAX_CONNS={max_conns}
{max_handoffs}
MAX_LIFE_CONNS=0
MAX_LIFE_TIME=0
MAX_IDLE_TIME=0
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(child) for child in f.read().split()]
    except FileNotFoundError:
        return []


def cpu_seconds(pid):
    """User and system time of a process and all its threads, to the nanosecond: the clock that
    clock_getcpuclockid(3) gives."""
    return time.clock_gettime((~pid << 3) | 2)


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


class Server:
    running = []

    def __init__(self, command, policy, port, stderr=None):
        def prepare():
            os.sched_setscheduler(0, policy, os.sched_param(0))

        self.port = port
        self.process = subprocess.Popen(
            command, preexec_fn=prepare, stdout=subprocess.PIPE, stderr=stderr, text=True)
        Server.running.append(self)

    def pids(self):
        return [self.process.pid] + children(self.process.pid)

    def cpu_seconds(self):
        return sum(cpu_seconds(pid) for pid in self.pids())

    def pss_mib(self):
        return sum(pss_kib(pid) for pid in self.pids()) / 1024

    def end(self):
        Server.running.remove(self)
        pids = self.pids()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()


class Direct(Server):
    def __init__(self, scratch, policy, places=PLACES):
        port = free_port()
        super().__init__([os.path.join(BENCH, "direct"), str(port), str(places)], policy, port)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("the yardstick does not start")


class Dispatcher(Server):
    def __init__(self, scratch, policy, places=PLACES, min_procs=10, max_handoffs=50,
                 arguments=()):
        port = free_port()
        name = os.path.join(scratch, f"dispatcher-{port}")
        with open(name + ".cnf", "w") as f:
            f.write(CONFIGURATION.format(
                port=port, image=os.path.abspath(os.path.join(BENCH, "worker")),
                min_procs=min_procs, max_procs=places // MAX_CONNS, max_conns=MAX_CONNS,
                max_handoffs=f"MAX_HANDOFFS={max_handoffs}" if max_handoffs else ""))
        self.log = name + ".log"
        with open(self.log, "w") as log:
            super().__init__([DISPATCHERD, "--config", name + ".cnf", *arguments], policy, port,
                             stderr=log)
        give_up_at = time.monotonic() + START_LIMIT
        while not self.is_ready():
            if time.monotonic() > give_up_at or self.process.poll() is not None:
                with open(self.log) as log:
                    sys.exit("dispatcherd does not start:\n" + log.read())
            time.sleep(0.05)

    def is_ready(self):
        with open(self.log) as log:
            return "ready: 1 service, " in log.read()


def client(*arguments):
    return [os.path.join(BENCH, "client")] + [str(argument) for argument in arguments]
