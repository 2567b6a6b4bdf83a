#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherctl top in a pseudo-terminal: it shows, it ends at q, and it cleans up.

Also: a terminal gets colour, unless NO_COLOR is set.
"""
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

CTL, SOCKET = sys.argv[1:3]


def run(arguments, keys, environment, until):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [CTL, "--socket", SOCKET, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    text = b""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 65536)
        if keys and until in text:
            os.write(master, keys)
            keys = b""
        if process.poll() is not None and not select.select([master], [], [], 0)[0]:
            break
    assert process.poll() == 0, (arguments, process.poll(), text)
    assert termios.tcgetattr(slave) == before, "the terminal is not as it was"
    return text.decode()


text = run(["top"], b"q", {}, b"q: quit")
assert text.startswith("\033[?1049h") and text.rstrip().endswith("\033[?1049l"), repr(text)
assert "SMTP" in text and "WORKERS" in text, repr(text)
screen = text.split("\033[H")[1].split("\033[J")[0]
assert len(screen.split("\r\n")) <= 20, screen

assert "\033[32mrunning\033[0m" in run(["status"], b"", {}, b"")
assert "\033" not in run(["status"], b"", {"NO_COLOR": "1"}, b"")
