# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A place where dispatcherd runs: by hand, or as a service of a systemd.

A test is written against Site and runs in both.
"""

import abc
import re
import signal
import socket
import subprocess

from . import varlink
from .client import Client
from .wait import wait_until

# Everything that is waited for takes milliseconds; this is for a machine that does other things.
LIMIT = 20.0


class Program(subprocess.Popen):
    """A server that ends when it is told to."""

    def __init__(self, command, **options):
        super().__init__(command, stdin=subprocess.DEVNULL, **options)

    def close(self):
        self.send_signal(signal.SIGCONT)  # one that stands still would not hear the next
        self.terminate()
        try:
            self.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()


class Site(abc.ABC):
    """One dispatcherd with its configuration, as long as one test."""

    way = None  # "hand" or "systemd"

    def __init__(self):
        self.clients = []
        self.helpers = []

    # What differs between the two ways.

    @abc.abstractmethod
    def free_port(self):
        """A TCP port that nobody uses at any address."""

    @abc.abstractmethod
    def image_for(self, service):
        """The path of the test worker as IMAGE of a service."""

    @abc.abstractmethod
    def write_config(self, text):
        """Puts the text in place as dispatcher.cnf."""

    @abc.abstractmethod
    def write_beside_config(self, name, text):
        """Puts another file in the folder of dispatcher.cnf, for an include."""

    @abc.abstractmethod
    def walk_image(self, i):
        """One of several paths of the test worker, as IMAGE of any service."""

    @abc.abstractmethod
    def start(self):
        """Starts dispatcherd with the configuration in place, and waits until it is ready."""

    @abc.abstractmethod
    def start_fails(self):
        """Starts a dispatcherd that must not become ready. Returns its exit status."""

    @abc.abstractmethod
    def stop(self):
        """Stops everything, sessions included. Returns the exit status of dispatcherd."""

    @abc.abstractmethod
    def begin_stop(self):
        """Tells dispatcherd to stop, and does not wait for it."""

    @abc.abstractmethod
    def wait_stopped(self, limit=LIMIT):
        """Waits until dispatcherd is gone. Returns its exit status."""

    @abc.abstractmethod
    def daemon_pid(self):
        """The process of dispatcherd, 0 where there is none."""

    @abc.abstractmethod
    def worker_pids(self, service):
        """The set of the service's worker processes, as they see themselves."""

    @abc.abstractmethod
    def kill(self, pid, signal_name):
        """Sends a signal ("KILL") to a process of worker_pids() or daemon_pid()."""

    @abc.abstractmethod
    def log_text(self):
        """All that was logged since the test began."""

    @abc.abstractmethod
    def status_text(self):
        """The STATUS line that dispatcherd sent last."""

    @abc.abstractmethod
    def open_socket(self, family, kind=socket.SOCK_STREAM):
        """A new socket in the network in which dispatcherd listens."""

    @abc.abstractmethod
    def add_arguments(self, *arguments):
        """Gives dispatcherd more arguments, from its next start on."""

    @abc.abstractmethod
    def in_network(self, *command):
        """The command that runs a program in the network in which dispatcherd listens, with the
        files and the process numbers of this process."""

    @abc.abstractmethod
    def run(self, *command, check=True, stdin=None):
        """Runs a program where dispatcherd runs. Returns its subprocess.CompletedProcess."""

    @abc.abstractmethod
    def control(self, *arguments, check=True):
        """Runs dispatcherctl. Returns its subprocess.CompletedProcess."""

    @abc.abstractmethod
    def control_socket(self):
        """Its path, as this process may connect to it."""

    @abc.abstractmethod
    def program_for(self, service, path):
        """The path of a program, which need not be the test worker, as IMAGE of a service."""

    @abc.abstractmethod
    def log_files(self, pattern):
        """The files below the folder of relative LOGFILEs, as this process may open them."""

    @abc.abstractmethod
    def delivered_image(self, name, service):
        """A delivered worker as IMAGE of a service."""

    @abc.abstractmethod
    def prepare_maildir(self):
        """The path, as this process may open it, of a Maildir that does not exist yet."""

    @abc.abstractmethod
    def close(self):
        """Ends whatever is left, and asserts that it could be ended in an orderly way."""

    # What does not.

    def service(self, name, **options):
        """The text of a section. IMAGE is the test worker unless it is given; a list is an option
        that is repeated."""
        lines = [f"[SERVICE={name}]"]
        options.setdefault("IMAGE", self.image_for(name))
        for option, value in options.items():
            for item in value if isinstance(value, list) else [value]:
                lines.append(f"{option}={item}")
        return "\n".join(lines) + "\n"

    def smtp_image(self):
        """tcp_smtp_server as IMAGE of the service SMTP."""
        return self.delivered_image("tcp_smtp_server", "SMTP")

    def run_service(self, **options):
        """Starts a dispatcherd with one service named TEST. Returns its port."""
        options.setdefault("PORT", self.free_port())
        self.write_config(self.service("TEST", **options))
        self.start()
        return options["PORT"]

    def pause(self, pid):
        """Stops a process, every thread of it, until it is sent CONT."""
        self.kill(pid, "STOP")
        read = ["sh", "-c", f"cat /proc/{pid}/task/*/status"]
        wait_until(
            lambda: set(re.findall(r"^State:\s+(\w)", self.run(*read).stdout, re.MULTILINE)) == {"T"},
            what=f"process {pid} stands still",
        )

    @abc.abstractmethod
    def write_mappings(self, text):
        """Writes the mapping file."""

    def reload(self, text=None, check=True):
        """Reloads the configuration: this text, where one is given. Returns the process; what it
        warns of is in its stdout."""
        if text is not None:
            self.write_config(text)
        return self.control("reload", check=check)

    def services(self):
        """What dispatcherctl tells of each service, by name."""
        return {item["name"]: item for item in self.list_of("services")}

    def workers(self, service):
        """What dispatcherctl tells of each worker of the service, by its process."""
        workers = {item["pid"]: item for item in self.list_of("workers")}
        return {pid: item for pid, item in workers.items() if item["service"] == service}

    def list_of(self, verb):
        """What `dispatcherctl --json VERB` lists."""
        return varlink.list_of(self.control_socket(), LIMIT, verb.capitalize(), verb)

    def status(self):
        """What `dispatcherctl --json status` prints."""
        return varlink.call(self.control_socket(), LIMIT, "Status")

    def answers(self):
        """True if a dispatcherd answers at the control socket."""
        try:
            return bool(self.status())
        except varlink.CallFailed:
            return False

    def statistics(self, service):
        return self.services()[service]["statistics"]

    def count_log(self, pattern):
        return len(re.findall(pattern, self.log_text(), re.MULTILINE))

    def dial(self, port, host="127.0.0.1", limit=LIMIT, source=None):
        """A connected socket, closed when the test ends; from another address of this host, where
        one is given."""
        sock = self.open_socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.clients.append(sock)
        sock.settimeout(limit)
        if source:
            sock.bind((source, 0))
        sock.connect((host, port))
        return sock

    def connect(self, port, host="127.0.0.1", source=None):
        """A client, not yet known to be served."""
        return self.talk(self.dial(port, host, source=source))

    def talk(self, sock):
        """A client on a socket that is connected already."""
        client = Client(sock)
        self.clients.append(client)
        return client

    def connect_served(self, port, n=1):
        """n clients, one after the other, each served by a worker."""
        clients = []
        for _ in range(n):
            clients.append(self.connect(port))
            clients[-1].pid()
        return clients

    def refuses(self, port, host="127.0.0.1"):
        """True where nobody listens at that address."""
        try:
            self.dial(port, host).close()
        except ConnectionRefusedError:
            return True
        return False

    def add_helper(self, helper):
        """Something beside dispatcherd whose close() ends it with the test."""
        self.helpers.append(helper)

    def spawn(self, *command, **options):
        """Starts a server beside dispatcherd, which ends with the test. Returns its process."""
        program = Program(self.in_network(*command), **options)
        self.add_helper(program)
        return program

    def close_helpers(self):
        while self.helpers:
            self.helpers.pop().close()

    def close_clients(self):
        while self.clients:
            self.clients.pop().close()

    def wait_for_workers(self, service, n, limit=LIMIT):
        """Waits until the service has that many workers. Returns their processes."""
        seen = set()

        def reached():
            nonlocal seen
            seen = self.worker_pids(service)
            return len(seen) == n

        wait_until(reached, limit, lambda: f"{n} workers of {service}; there are {sorted(seen)}")
        return seen

    def wait_for_log(self, pattern, limit=LIMIT):
        """Waits for a line that matches the regular expression. Returns the match."""
        regex = re.compile(pattern, re.MULTILINE)
        return wait_until(
            lambda: regex.search(self.log_text()), limit, f"a log line like {pattern!r}"
        )

    def wait_for_status(self, pattern, limit=LIMIT):
        """Waits for a STATUS that matches. Returns it."""
        seen = ""

        def reached():
            nonlocal seen
            seen = self.status_text()
            return re.search(pattern, seen)

        wait_until(reached, limit, lambda: f"a STATUS like {pattern!r}; it is {seen!r}", 0.05)
        return seen
