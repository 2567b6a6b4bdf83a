# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Log lines, as those of libdispatcher: to the journal with the fields of dispatcherd-journal(7), to the
service's LOGFILE with time and process, or to standard error. Never waits."""

from __future__ import annotations

import contextlib
import datetime
import os
import select
import socket
import struct
import sys
import threading

TEXT_MAX = 1536  # characters of one line; the rest is cut

_JOURNAL = "/run/systemd/journal/socket"
_WORDS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_VISIBLE = {number: "?" for number in (*range(32), 127)}


def _stderr_is_journal() -> bool:
    try:
        st = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{st.st_dev}:{st.st_ino}"


class Log:
    """Where lines go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_lost = 0
        self._has_file = False
        self._name = os.path.basename(sys.argv[0]) or "python3"
        self._journal: socket.socket | None = None
        if _stderr_is_journal() and os.access(_JOURNAL, os.W_OK):
            self._journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def use_file(self, fd: int) -> None:
        """Standard output and standard error, and all lines, go there from now on. Closes `fd`."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)
        self._has_file = True

    def close(self) -> None:
        """In a forked process: lines go to standard error from now on."""
        if self._journal:
            self._journal.close()
            self._journal = None

    def line(self, priority: int, text: str, fields: dict[str, str] | None = None) -> None:
        """Logs one line; one that is not taken is counted, and the count is logged later."""
        text = text[:TEXT_MAX]
        with self._lock:
            if self._n_lost and self._send(4, f"{self._n_lost} log lines were lost", {}):
                self._n_lost = 0
            if not self._send(priority, text, fields or {}):
                self._n_lost += 1

    def _send(self, priority: int, text: str, fields: dict[str, str]) -> bool:
        if self._journal and not self._has_file:
            return self._send_journal(priority, text, fields)
        line = f"{self._name}: {_WORDS[priority & 7]}: {text}"
        if self._has_file:
            now = datetime.datetime.now().astimezone().isoformat(timespec="microseconds")
            line = f"{now} {self._name}[{os.getpid()}]: {_WORDS[priority & 7]}: {text}"
        return self._write(line.translate(_VISIBLE).encode(errors="replace") + b"\n")

    def _write(self, line: bytes) -> bool:
        try:
            if not self._has_file and not select.select([], [2], [], 0)[1]:
                return False
            return os.write(2, line) == len(line)
        except OSError:
            return False

    def _send_journal(self, priority: int, text: str, fields: dict[str, str]) -> bool:
        assert self._journal
        pairs = {"PRIORITY": str(priority), "SYSLOG_IDENTIFIER": self._name, "MESSAGE": text, **fields}
        datagram = b""
        for name, value in pairs.items():
            raw = value.encode(errors="replace")
            # The native protocol: a value with a newline has its length before it.
            if b"\n" in raw:
                datagram += name.encode() + b"\n" + struct.pack("<Q", len(raw)) + raw + b"\n"
            else:
                datagram += name.encode() + b"=" + raw + b"\n"
        try:
            self._journal.sendto(datagram, _JOURNAL)
        except OSError:
            return False
        return True
