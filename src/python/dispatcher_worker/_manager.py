# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Notifications for systemd, if this process is a unit of it: sd_notify(3)."""

from __future__ import annotations

import os
import socket

_RETRY_SECONDS = 0.1  # after the manager was too busy


def notify(state: str) -> bool:
    """Never waits. False if it has to be tried again."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:
        try:
            manager.sendto(state.encode(), "\0" + path[1:] if path[0] == "@" else path)
        except BlockingIOError:
            return False
        except OSError:
            pass  # nobody is there
    return True


def _watchdog_seconds() -> float | None:
    usec = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID", "")
    if not usec.isdigit() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2e6


class Manager:
    """What is owed to the manager from READY on."""

    def __init__(self) -> None:
        self._owes_ready = True
        self._watchdog = _watchdog_seconds()
        self._next = 0.0

    def attend(self, now: float) -> float | None:
        """Pays what is due. Returns when to come again."""
        if self._next is not None and now >= self._next:
            is_busy = False
            if self._owes_ready:
                self._owes_ready = not notify("READY=1")
                is_busy = self._owes_ready
            if self._watchdog:
                is_busy = not notify("WATCHDOG=1") or is_busy
            self._next = now + _RETRY_SECONDS if is_busy else now + self._watchdog if self._watchdog else None
        return self._next
