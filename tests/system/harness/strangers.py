# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Clients of the control socket that have no rights: some never silent, some never heard."""

import subprocess
import sys
import uuid

from .site import LIMIT
from .wait import wait_until

# Runs where dispatcherd runs, as another user. Busy clients have eight calls under way at a time and
# come back when they are cut off; a file says how many calls were answered.
CLIENTS = r"""
import os, socket, sys, threading, time

path, folder, user, n_busy, n_idle = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
os.setgroups([]); os.setgid(user); os.setuid(user)
calls = b'{"method":"io.dispatcherd.Control.Services"}\0' * 8
n_answered = 0

def connect():
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    return sock

def ask(sock):
    global n_answered
    sock.sendall(calls)
    n_left = 8
    while n_left > 0:
        data = sock.recv(1 << 20)
        if not data:
            raise ConnectionResetError
        n_left -= data.count(b"\0")
        n_answered += data.count(b"\0")

def be_busy():
    while True:
        try:
            sock = connect()
            while True:
                ask(sock)
        except OSError:
            time.sleep(0.01)

for _ in range(n_busy):
    threading.Thread(target=be_busy, daemon=True).start()
idle = [connect() for _ in range(n_idle)]
while True:
    time.sleep(0.1)
    if n_answered:
        with open(folder + "/answered", "w") as file:
            file.write(str(n_answered))
"""

ASK = r"""
import os, socket, sys

path, user = sys.argv[1], int(sys.argv[2])
os.setgroups([]); os.setgid(user); os.setuid(user)
sock = socket.socket(socket.AF_UNIX)
sock.settimeout(20)
sock.connect(path)
sock.sendall(b'{"method":"io.dispatcherd.Control.Status"}\0')
answer = b""
while not answer.endswith(b"\0"):
    data = sock.recv(1 << 20)
    assert data, "cut off"
    answer += data
print(answer.rstrip(b"\0").decode())
"""

NOBODY = 65534
SOMEBODY = 12345


class Strangers:
    """To be made before the site is started: by hand, the control socket moves to where other users
    can reach it."""

    def __init__(self, site):
        self.site = site
        self.folder = f"/tmp/strangers.{uuid.uuid4().hex}"
        self.process = None
        site.run("mkdir", "--mode=0777", self.folder)
        self.control = "/run/dispatcherd/control"
        if site.way == "hand":
            self.control = site.control_path = f"{self.folder}/control"
            site.add_arguments(f"--control={self.control}")
        site.add_helper(self)

    def come(self, n_busy, n_idle):
        arguments = [self.control, self.folder, str(NOBODY), str(n_busy), str(n_idle)]
        if self.site.way == "hand":
            self.process = subprocess.Popen([sys.executable, "-c", CLIENTS, *arguments])
        else:
            unit = ["systemd-run", "--quiet", "--collect", "--unit=strangers"]
            self.site.run(*unit, "python3", "-c", CLIENTS, *arguments)
        wait_until(lambda: self.n_answered() > 0, LIMIT, "an answer to strangers", 0.1)

    def n_answered(self):
        text = self.site.run("cat", f"{self.folder}/answered", check=False).stdout
        return int(text or 0)

    def ask(self):
        """The status, as yet another user without rights sees it; "" if that one was cut off."""
        command = ["python3", "-c", ASK, self.control, str(SOMEBODY)]
        return self.site.run(*command, check=False).stdout

    def leave(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        elif self.site.way != "hand":
            self.site.run("systemctl", "stop", "strangers", check=False)

    def close(self):
        self.leave()
        self.site.run("rm", "-rf", self.folder)
