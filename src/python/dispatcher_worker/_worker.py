# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""This process as a worker of its service: what programs use of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from . import _messages as messages
from ._drain import Drain, DrainOrders
from ._limit import LineLimits
from ._log import Log
from ._outbox import Outbox
from ._welcome import Welcome


class Worker:
    """This process as a worker of its service. Its attributes are those of WELCOME, dispatcher-worker(7).
    All methods may be called from any thread."""

    service: str
    slot: int
    max_connections: int
    host_name: str
    parameters: list[str]
    debug: int
    """The debug mask of the service, which may change at any time."""
    is_stressed: bool
    """Nearly all places of the service are taken: do not wait long for slow clients."""

    def __init__(
        self, welcome: Welcome, log: Log, outbox: Outbox, lock: threading.RLock, wake: Callable[[], None]
    ) -> None:
        """`wake` is called when a deadline has come up."""
        self.service = welcome.service
        self.slot = welcome.slot
        self.max_connections = welcome.max_connections
        self.host_name = welcome.host_name
        self.parameters = welcome.parameters
        self.debug = welcome.debug
        self.is_stressed = False
        self._log = log
        self._limits = LineLimits()
        self._outbox = outbox
        self._wake = wake
        self._drain = DrainOrders(lock, self.log)

    def parameter(self, name: str, default: str | None = None) -> str | None:
        """The value of the last PARAMETER of the form NAME=value, NAME without regard to case."""
        for text in reversed(self.parameters):
            left, equals, right = text.partition("=")
            if equals and left.lower() == name.lower():
                return right
        return default

    @property
    def drain(self) -> Drain:
        """How urgent the drain is: Drain.NONE while connections are taken."""
        return self._drain.urgency

    def on_drain(self, callback: Callable[[Drain], None]) -> None:
        """Has the function called, on the thread that reads the channel, whenever the drain begins or
        becomes more urgent; at once if it is under way. It should not wait: that thread also takes
        connections and feeds systemd's watchdog. What it raises is logged, and ends nothing."""
        self._drain.add(callback)

    def log(self, priority: int, text: str) -> None:
        """Logs one line at a priority of syslog(3). Never waits."""
        self._line(priority, text, {})

    def alert(self, text: str | None) -> None:
        """Raises the alert `backend` of the service: a server that the program needs, which `text` names
        with the cause, cannot be used. None: all is well again. May be called from `start` on."""
        text = (text or "").replace("\0", "?").encode()[: messages.ALERT_BYTES_MAX].decode(errors="ignore")
        self._outbox.alert(text)

    # What the modules above use.

    def _line(self, priority: int, text: str, fields: dict[str, str]) -> None:
        mine = {"DISPATCHER_SERVICE": self.service, "DISPATCHER_WORKER_PID": str(os.getpid())}
        self._log.line(priority, f"{self.service}: {text}", mine | fields)

    def _may_line(self, priority: int, name: str) -> bool:
        """For a line that clients can cause at will: False if there are too many, which are summed up."""
        may, is_due = self._limits.take(priority, time.monotonic(), name)
        if is_due:
            self._wake()
        return may

    def _sum_up(self) -> None:
        for priority, text in self._limits.sum_up(time.monotonic()):
            self.log(priority, text)
