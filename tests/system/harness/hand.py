# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherd started by hand from the build tree, in a folder of its own."""

import contextlib
import functools
import glob
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import threading

from .site import LIMIT, Site
from .wait import TimedOut, wait_until


def own_ports():
    """One after the other, from anywhere: below those that the kernel gives to clients, and apart from
    those of the processes that run other tests meanwhile. None comes again soon."""
    n = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = list(range(12000 + number, 32000, n))
    start = random.randrange(len(ports))
    return itertools.cycle(ports[start:] + ports[:start])


ports = own_ports()


class Manager:
    """Stands for the service manager: takes what is sent to NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.thread = threading.Thread(target=self.receive, daemon=True)
        self.thread.start()

    def receive(self):
        while data := self.sock.recv(65536):
            self.lines += data.decode().splitlines()

    def last(self, name):
        """The value that a variable was given last, or None."""
        values = [line.split("=", 1)[1] for line in self.lines if line.startswith(name + "=")]
        return values[-1] if values else None

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self.path)
        self.thread.join()
        self.sock.close()


def parent_of(pid):
    """The number of a process's parent; 0 if the process has gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def processes_of(folder):
    """Processes whose program was called by a path below the folder, with that path's last part. Of
    a script, the path is the interpreter's argument. Copies of such a process are left out: for a
    moment at its end the leak sanitizer makes one."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().decode(errors="replace").split("\0")[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for program in words:
            if program.startswith(folder + "/"):
                found.append((int(path.split("/")[2]), os.path.basename(program)))
    pids = {pid for pid, _ in found}
    return [(pid, name) for pid, name in found if parent_of(pid) not in pids]


# How the sanitizers begin a report. The end of a worker that printed one would be seen only by tests
# that look at that worker.
SANITIZER_REPORT = re.compile(
    r"^.*(?:ERROR: (?:Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: ).*$",
    re.MULTILINE,
)


@functools.cache
def is_sanitized(builddir):
    """Whether the programs were built with a sanitizer."""
    with open(os.path.join(builddir, "config.status")) as file:
        return "-fsanitize=" in file.read()


def stop_limit(builddir):
    """Seconds. A hundred workers that a sanitizer watches to their end need half a minute."""
    return 60 if is_sanitized(builddir) else LIMIT


class HandSite(Site):
    way = "hand"

    def __init__(self, builddir, folder):
        super().__init__()
        self.builddir = str(builddir)
        self.folder = str(folder)
        self.images = os.path.join(self.folder, "images")
        self.config = os.path.join(self.folder, "dispatcher.cnf")
        self.log = os.path.join(self.folder, "log")
        self.environment = {}
        self.control_path = os.path.join(self.folder, "control")
        self.arguments = ["--spawner=self", f"--control={self.control_path}"]
        self.daemon = None
        os.mkdir(self.images)
        open(self.log, "w").close()
        self.manager = Manager(os.path.join(self.folder, "notify"))

    def free_port(self):
        family, host = (
            (socket.AF_INET6, "::") if os.path.exists("/proc/net/if_inet6") else (socket.AF_INET, "")
        )
        for port in ports:
            with socket.socket(family) as sock, contextlib.suppress(OSError):
                sock.bind((host, port))
                return port

    def program_for(self, service, path):
        # One name for each service, by which its workers are told apart.
        image = os.path.join(self.images, service.lower())
        if not os.path.lexists(image):
            os.symlink(path, image)
        return image

    def image_for(self, service):
        return self.program_for(service, os.path.join(self.builddir, "tests/system/test_worker"))

    def add_arguments(self, *arguments):
        self.arguments += arguments

    def in_network(self, *command):
        return list(command)

    def control(self, *arguments, check=True):
        return self.run(
            f"{self.builddir}/dispatcherctl", "--socket", self.control_path, *arguments, check=check
        )

    def control_socket(self):
        return self.control_path

    def write_config(self, text):
        with open(self.config, "w") as file:
            file.write(text)

    def write_mappings(self, text):
        with open(os.path.join(self.folder, "mappings"), "w") as file:
            file.write(text)

    def write_beside_config(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def walk_image(self, i):
        return self.image_for(f"walk{i}")

    def launch(self, *wrapper):
        """Starts the process, behind another program where one is given."""
        environment = os.environ | {"NOTIFY_SOCKET": self.manager.path} | self.environment
        environment.setdefault("LOGS_DIRECTORY", self.folder)
        self.manager.lines.clear()
        with open(self.log, "a") as log:
            self.daemon = subprocess.Popen(
                [*wrapper, f"{self.builddir}/dispatcherd", "--config", self.config]
                + self.arguments,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start(self):
        self.launch()
        wait_until(
            lambda: self.manager.last("READY") == "1" or self.daemon.poll() is not None,
            2 * stop_limit(self.builddir),
            "READY=1",
        )
        assert self.daemon.poll() is None, f"dispatcherd ended with {self.daemon.poll()}"

    def start_fails(self):
        self.launch()
        status = self.daemon.wait(LIMIT)
        assert self.manager.last("READY") is None
        return status

    def begin_stop(self):
        self.daemon.send_signal(signal.SIGTERM)

    def wait_stopped(self, limit=LIMIT):
        return self.daemon.wait(limit)

    def stop(self):
        self.close_clients()
        self.begin_stop()
        return self.wait_stopped()

    def daemon_pid(self):
        return self.daemon.pid if self.daemon and self.daemon.poll() is None else 0

    def worker_pids(self, service):
        return {pid for pid, name in processes_of(self.images) if name == service.lower()}

    def kill(self, pid, signal_name):
        os.kill(pid, getattr(signal, "SIG" + signal_name))

    def log_text(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def status_text(self):
        return self.manager.last("STATUS") or ""

    def open_socket(self, family, kind=socket.SOCK_STREAM):
        return socket.socket(family, kind)

    def run(self, *command, check=True, stdin=None):
        return subprocess.run(
            command, cwd=self.folder, input=stdin, capture_output=True, text=True, check=check
        )

    def log_files(self, pattern):
        return glob.glob(os.path.join(self.folder, pattern))

    def delivered_image(self, name, service):
        # Not libtool's wrapper: the program itself, so that its processes can be told.
        self.environment["LD_LIBRARY_PATH"] = f"{self.builddir}/.libs"
        return self.program_for(service, f"{self.builddir}/.libs/{name}")

    def prepare_maildir(self):
        return os.path.join(self.folder, "mail")

    def close(self):
        """A worker whose daemon was killed has this long for its sessions, which were closed."""
        self.close_clients()
        try:
            if self.daemon_pid():
                self.begin_stop()
                self.wait_stopped(stop_limit(self.builddir))
            wait_until(
                lambda: not processes_of(self.images),
                LIMIT,
                lambda: f"no process left; there are {processes_of(self.images)}",
            )
        except (TimedOut, subprocess.TimeoutExpired):
            self.kill_all()
            raise
        finally:
            self.close_helpers()
            self.manager.close()
        report = SANITIZER_REPORT.search(self.log_text())
        assert not report, f"{report.group()}: see the log"

    def kill_all(self):
        if self.daemon_pid():
            self.daemon.kill()
            self.daemon.wait()
        for pid, _ in processes_of(self.images):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
