# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The drain of a worker: how urgent it is, when its time is over, and who is told."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable

from ._exceptions import describe
from ._manager import notify


class Drain(enum.IntEnum):
    """How urgent a drain is. A worker goes from one to the next, never back."""

    NONE = 0  # the worker takes connections
    RECYCLE = 1  # it takes no new ones; its sessions may take their time
    STOP = 2  # somebody waits: a session ends as soon as its protocol allows


class DrainOrders:
    """The orders that have come. New ones only ever shorten a drain, or make it more urgent."""

    def __init__(self, lock: threading.RLock, log: Callable[[int, str], None]) -> None:
        """`log` takes a priority of syslog(3) and a line."""
        self.urgency = Drain.NONE
        self.cut_at: float | None = None  # when the sessions that are left are cut
        self._lock = lock
        self._log = log
        self._callbacks: list[Callable[[Drain], None]] = []
        self._notices: list[tuple[Callable[[Drain], None], Drain]] = []  # calls that are owed

    def raise_to(self, drain: Drain, limit: int) -> None:
        """The caller calls notify() when it has released the lock."""
        with self._lock:
            cut_at = time.monotonic() + limit
            self.cut_at = cut_at if self.cut_at is None else min(cut_at, self.cut_at)
            if drain <= self.urgency:
                return
            if not self.urgency:
                notify("STATUS=Finishing sessions")
            self.urgency = drain
            self._notices.extend((callback, drain) for callback in self._callbacks)

    def add(self, callback: Callable[[Drain], None]) -> None:
        """Has the function called for each drain that is more urgent; at once for one under way."""
        with self._lock:
            self._callbacks.append(callback)
            drain = self.urgency
        if drain:
            self._call(callback, drain)

    def notify(self) -> None:
        """Called without the lock: a callback may wait for threads that need it."""
        with self._lock:
            notices, self._notices = self._notices, []
        for callback, drain in notices:
            self._call(callback, drain)

    def _call(self, callback: Callable[[Drain], None], drain: Drain) -> None:
        try:
            callback(drain)
        except Exception as error:
            self._log(3, f"the program's function for a drain has failed: {describe(error)}")
