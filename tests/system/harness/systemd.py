# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherd as it is installed: a service of systemd, its workers units, in a container."""

import contextlib
import glob
import itertools
import os
import shutil
import socket
import subprocess

from .journal import Journal
from .site import LIMIT, Site
from .wait import wait_until

ports = itertools.count(20000)


class SystemdSite(Site):
    way = "systemd"

    def __init__(self, container):
        super().__init__()
        self.container = container
        self.config = f"{container.configdir}/dispatcher.cnf"
        self.drop_ins = []
        self.journal = Journal(container)

    def systemctl(self, *arguments, check=True):
        return self.container.run("systemctl", *arguments, check=check)

    def show(self, name, unit="dispatcherd.service"):
        return self.container.read("systemctl", "show", "-P", name, unit)

    def free_port(self):
        return next(ports)

    def image_for(self, service):
        return f"{self.container.workerdir}/test_worker"

    def program_for(self, service, path):
        image = f"{self.container.workerdir}/{service.lower()}_worker"
        self.run("install", str(path), image)
        return image

    def control(self, *arguments, check=True):
        return self.run("dispatcherctl", *arguments, check=check)

    def control_socket(self):
        return self.container.path("/run/dispatcherd/control")

    def write_file(self, path, text):
        path = self.container.path(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def write_config(self, text):
        self.write_file(self.config, text)

    def write_mappings(self, text):
        self.write_file(f"{self.container.configdir}/mappings", text)

    def write_beside_config(self, name, text):
        self.write_file(f"{self.container.configdir}/{name}", text)

    def walk_image(self, i):
        source = f"{self.container.builddir}/tests/system/test_worker"
        return self.program_for(f"walk{i}", source)

    def write_drop_in(self, unit, text):
        """As `systemctl edit` would, but gone when the test ends."""
        folder = f"/run/systemd/system/{unit}.d"
        self.write_file(f"{folder}/test.conf", text)
        self.drop_ins.append(folder)

    def remove_drop_in(self, unit):
        """As `systemctl revert` would."""
        shutil.rmtree(self.container.path(f"/run/systemd/system/{unit}.d"))

    def add_arguments(self, *arguments):
        sbindir = self.container.make_variable("sbindir")
        words = [f"{sbindir}/dispatcherd", "--spawner=unit", "--stop-limit=300", *arguments]
        text = f"[Service]\nExecStart=\nExecStart={' '.join(words)}\n"
        self.write_drop_in("dispatcherd.service", text)

    def in_network(self, *command):
        return ["nsenter", f"--net={self.container.network_path}", *command]

    def start(self):
        self.systemctl("daemon-reload")
        self.systemctl("start", "dispatcherd.service")

    def start_fails(self):
        self.systemctl("daemon-reload")
        result = self.systemctl("start", "dispatcherd.service", check=False)
        assert result.returncode != 0, "dispatcherd was started"
        return int(self.show("ExecMainStatus"))

    def begin_stop(self):
        self.systemctl("stop", "--no-block", "dispatcherd.slice")

    def wait_stopped(self, limit=LIMIT):
        wait_until(
            lambda: self.show("ActiveState", "dispatcherd.slice") == "inactive",
            limit,
            lambda: self.systemctl("list-units", "--all", "dispatcherd*").stdout,
        )
        return int(self.show("ExecMainStatus"))

    def stop(self):
        self.close_clients()
        self.systemctl("stop", "dispatcherd.slice")
        return int(self.show("ExecMainStatus"))

    def daemon_pid(self):
        return int(self.show("MainPID"))

    def processes(self, unit_prefix, are_wanted=lambda program: True):
        """Every process of units whose name starts so, as it sees itself, that executes a file
        whose name is wanted."""
        return {
            self.container.inner_pid(pid)
            for pid in self.container.processes()
            if f"/dispatcherd.slice/{unit_prefix}" in self.container.cgroups(pid)
            and are_wanted(self.container.program(pid))
        } - {None}

    def worker_pids(self, service):
        # A process is in the unit's control group before it executes the worker, as systemd or
        # systemd-executor; so is what runs after a worker (ExecStopPost=), and one that has ended
        # until it is reaped.
        return self.processes(
            f"dispatcherd-{service.lower()}-worker@",
            lambda program: program and not program.startswith(("systemd", "worker_ended")),
        )

    def kill(self, pid, signal_name):
        self.container.run("kill", "-s", signal_name, str(pid))

    def log_text(self):
        return self.journal.text()

    def status_text(self):
        return self.show("StatusText")

    def open_socket(self, family, kind=socket.SOCK_STREAM):
        return self.container.open_socket(family, kind)

    def run(self, *command, check=True, stdin=None):
        return self.container.run(*command, check=check, stdin=stdin)

    def log_files(self, pattern):
        return glob.glob(self.container.path(f"/var/log/dispatcherd/{pattern}"))

    def delivered_image(self, name, service):
        return name

    def prepare_maildir(self):
        folder = self.container.path("/var/lib/private/dispatcherd-smtp")
        shutil.rmtree(folder, ignore_errors=True)
        return f"{folder}/mail"

    def close(self):
        self.close_clients()
        try:
            self.container.run("systemctl", "stop", "dispatcherd.slice", timeout=LIMIT)
            # One that has ended is in its group until it is reaped.
            wait_until(lambda: not self.processes(""), LIMIT, "no process is left")
        except subprocess.TimeoutExpired:
            self.systemctl("kill", "-s", "KILL", "dispatcherd.slice", check=False)
            self.systemctl("stop", "dispatcherd.slice", check=False)
            raise
        finally:
            self.close_helpers()
            self.clean()
            self.journal.close()

    def clean(self):
        # Those of a service that was taken out of the file belong to no slice any more.
        self.systemctl("stop", "dispatcherd-*.socket", check=False)
        for folder in self.drop_ins:
            shutil.rmtree(self.container.path(folder), ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.container.path(f"{self.container.configdir}/mappings"))
        for file in self.log_files("*"):
            os.unlink(file)
        self.systemctl("reset-failed", "dispatcherd*", check=False)
