# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A systemd of our own with dispatcherd installed in it: see the script `container`."""

import contextlib
import ctypes
import os
import socket
import subprocess

CLONE_NEWNET = 0x40000000

ENVIRONMENT = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
]

libc = ctypes.CDLL(None, use_errno=True)


def enter_network(fd):
    """Moves this thread to a network."""
    if libc.setns(fd, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextlib.contextmanager
def container_in(folder, srcdir, builddir):
    """The one that runs there, or one that is booted there, and stopped in the end. dispatcherd is
    installed in it."""
    container = Container(folder, srcdir, builddir)
    is_ours = not os.path.exists(folder)
    try:
        if is_ours:
            container.boot()
        container.attach()
        container.install()
        yield container
    finally:
        if is_ours:
            container.stop()


class Container:
    def __init__(self, folder, srcdir, builddir):
        self.folder = str(folder)
        self.builddir = str(builddir)
        self.srcdir = str(srcdir)
        self.script = os.path.join(self.srcdir, "tests/system/container")

    def boot(self):
        # The build tree is an overlay: what `make install` writes there is thrown away.
        options = [f"--overlay={self.builddir}::{self.builddir}"]
        if self.srcdir != self.builddir:
            options.append(f"--bind-ro={self.srcdir}")
        subprocess.run([self.script, "boot", self.folder, *options], check=True)

    def stop(self):
        subprocess.run([self.script, "stop", self.folder], check=True)

    def attach(self):
        """Finds what is seen of it from outside: its files by a path, its network and processes."""
        with open(os.path.join(self.folder, "leader")) as file:
            leader = file.read().strip()
        # As `container exec` does, without a shell for each of some thousand commands.
        self.enter = ["nsenter", "-t", leader, *"-m -p -u -i -n -C -- env -i".split(), *ENVIRONMENT]
        self.root = f"/proc/{leader}/root"
        self.pid_namespace = os.readlink(f"/proc/{leader}/ns/pid")
        self.network_path = f"/proc/{leader}/ns/net"
        self.network = os.open(self.network_path, os.O_RDONLY | os.O_CLOEXEC)
        self.outside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def mask_generators(self):
        """Those of this machine run at every daemon-reload, and take a second in all."""
        masked = self.path("/run/systemd/system-generators")
        os.makedirs(masked, exist_ok=True)
        for name in os.listdir(self.path("/lib/systemd/system-generators")):
            path = f"{masked}/{name}"
            if name != "dispatcherd-generator" and not os.path.lexists(path):
                os.symlink("/dev/null", path)

    def install(self):
        """make install, and the worker of these tests beside the real ones."""
        self.mask_generators()
        self.run("make", "-C", self.builddir, "install")
        self.run("systemd-sysusers")
        self.configdir = self.make_variable("configdir")
        self.workerdir = self.make_variable("workerdir")
        self.run("install", f"{self.builddir}/tests/system/test_worker", self.workerdir)

    def run(self, *command, check=True, stdin=None, timeout=120):
        """Runs a command in it as root. Its output is captured."""
        result = subprocess.run(
            [*self.enter, *command],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and result.returncode != 0:
            raise AssertionError(
                f"{' '.join(command)}: status {result.returncode}\n{result.stdout}{result.stderr}"
            )
        return result

    def read(self, *command):
        return self.run(*command).stdout.strip()

    def path(self, path):
        """The path by which a file in it can be opened from outside."""
        return self.root + path

    def processes(self):
        """The processes in it, by their numbers outside."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") == self.pid_namespace:
                    yield pid
            except OSError:
                continue  # gone

    @staticmethod
    def cgroups(pid):
        """The control groups of a process; "" where it is gone."""
        try:
            with open(f"/proc/{pid}/cgroup") as file:
                return file.read()
        except OSError:
            return ""

    @staticmethod
    def program(pid):
        """The name of the file that a process executes; "" where it is gone."""
        try:
            return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            return ""

    @staticmethod
    def inner_pid(pid):
        """The number that a process has inside; None where it is gone."""
        try:
            with open(f"/proc/{pid}/status") as file:
                for line in file:
                    if line.startswith("NSpid:"):
                        return int(line.split()[-1])
        except OSError:
            pass
        return None

    def make_variable(self, name):
        """What the build's Makefile says."""
        return self.read(
            "make", "-s", "-C", self.builddir, "--eval", f"show:;@echo $({name})", "show"
        )

    def open_socket(self, family, kind):
        """A socket belongs to the network that its thread was in when it was made."""
        enter_network(self.network)
        try:
            return socket.socket(family, kind)
        finally:
            enter_network(self.outside)
