# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What systemd does for dispatcherd, as far as a benchmark needs it: it has the listening socket and
the store of descriptors, starts a worker for each connection to the worker socket, and starts the
daemon anew. Units of a thousand workers take systemd minutes on a small machine; this takes seconds.

It needs a mount namespace in which /run is its own."""

import fcntl
import os
import signal
import socket
import threading
import time

RESTART_SEC = 0.05  # as in dispatcherd.service
FIRST_FD = 3        # sd_listen_fds(3)
HIGH_FD = 10000     # above all descriptors that are passed on


class Keeper:
    def __init__(self, command, image, service, port):
        self.command, self.image, self.service = command, image, service
        self.listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self.stored = []  # pairs of name and descriptor
        self.lock = threading.Lock()
        self.workers = []
        self.is_ready = threading.Event()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind("/run/notify")
        os.makedirs("/run/dispatcherd-worker")
        self.starts = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.starts.bind(f"/run/dispatcherd-worker/{service.lower()}")
        self.starts.listen(4096)
        self.pid = 0
        for work in (self.take_news, self.start_workers):
            threading.Thread(target=work, daemon=True).start()

    def take_news(self):
        while True:
            data, fds, _, _ = socket.recv_fds(self.notify, 65536, 16)
            news = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
            with self.lock:
                self.take(news, fds)

    def take(self, news, fds):
        name = news.get("FDNAME", "stored")
        if "FDSTORE" in news:
            self.stored += [(name, fd) for fd in fds]
            return
        for fd in fds:
            os.close(fd)
        if "FDSTOREREMOVE" in news:
            for _, fd in (pair for pair in self.stored if pair[0] == name):
                os.close(fd)
            self.stored = [pair for pair in self.stored if pair[0] != name]
        if "READY" in news:
            self.is_ready.set()

    def start_workers(self):
        while True:
            channel, _ = self.starts.accept()
            self.workers.append(os.posix_spawn(
                self.image, [self.image], os.environ | {"LISTEN_FDS": "1"},
                file_actions=[(os.POSIX_SPAWN_DUP2, channel.fileno(), FIRST_FD)]))
            channel.close()

    def start(self):
        self.is_ready.clear()
        with self.lock:
            passed = [(self.service.lower(), self.listener.fileno())] + self.stored
            pid = os.fork()
            if pid == 0:
                self.become_daemon(passed)
        self.pid = pid

    def become_daemon(self, passed):
        try:
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, HIGH_FD) for _, fd in passed]
            for i, fd in enumerate(high):
                os.dup2(fd, FIRST_FD + i)
            os.closerange(FIRST_FD + len(high), HIGH_FD + 2 * len(high))
            os.execve(self.command[0], self.command, os.environ | {
                "NOTIFY_SOCKET": "/run/notify", "LISTEN_PID": str(os.getpid()),
                "LISTEN_FDS": str(len(passed)),
                "LISTEN_FDNAMES": ":".join(name for name, _ in passed)})
        finally:
            os._exit(1)

    def end_daemon(self, number):
        os.kill(self.pid, number)
        os.waitpid(self.pid, 0)

    def kill(self):
        self.end_daemon(signal.SIGKILL)
        time.sleep(RESTART_SEC)
        self.start()

    def restart(self):
        self.end_daemon(signal.SIGTERM)
        self.start()

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def end(self):
        """Without a daemon, and with the store closed, the workers end."""
        self.end_daemon(signal.SIGKILL)
        with self.lock:
            for _, fd in self.stored:
                os.close(fd)
            self.stored = []
        for pid in self.workers:
            os.waitpid(pid, 0)
