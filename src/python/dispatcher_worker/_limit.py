# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A limit for log lines about sessions, which clients can cause at will: a burst of them is logged, and the
rest is counted and summed up in one line every ten seconds, as in the workers in C. journald accepts 10,000
lines of a unit in 30 s, and drops all others (journald.conf(5)). The caller gives the time."""

from __future__ import annotations

import collections
import threading

BURST = 500  # lines at once
PER_SECOND = 10  # after that
_SUM_SECONDS = 10.0
_NAMES_MAX = 64  # counted apart; those that have no room are "others"
_NAMES_SHOWN = 5
_KINDS = {3: "errors", 4: "warnings", 5: "notices", 6: "sessions"}  # by priority of syslog(3)


class LineLimit:
    """The limit for the lines of one priority."""

    def __init__(self, priority: int) -> None:
        self.priority = priority
        self._empty_at = 0.0  # when a whole burst is available again
        self._left_out: collections.Counter[str] = collections.Counter()
        self._n_left_out = 0
        self._since = 0.0  # when the first of them was left out

    def take(self, now: float, name: str) -> bool:
        """True if the line may be written. If not, it is counted under `name`."""
        used = max(self._empty_at, now)
        if used - now <= (BURST - 1) / PER_SECOND:
            self._empty_at = used + 1 / PER_SECOND
            return True
        if self._n_left_out == 0:
            self._since = now
        self._n_left_out += 1
        if name in self._left_out or len(self._left_out) < _NAMES_MAX:
            self._left_out[name] += 1
        return False

    def due_at(self) -> float | None:
        """When the next summary is due; None: nothing was left out."""
        return self._since + _SUM_SECONDS if self._n_left_out else None

    def sum_up(self, now: float) -> str | None:
        """The summary, if there is one; counts anew."""
        n = self._n_left_out
        if n == 0:
            return None
        shown = self._left_out.most_common(_NAMES_SHOWN)
        text = ", ".join(f"{count} {name}" for name, count in shown)
        n_rest = n - sum(count for _, count in shown)
        if n_rest:
            text += f" and {n_rest} other{'s' if n_rest != 1 else ''}"
        seconds = int(now - self._since) + 1
        self._left_out.clear()
        self._n_left_out = 0
        return f"{_KINDS[self.priority]}: {n} line{'s' if n != 1 else ''} left out in {seconds} s: {text}"


class LineLimits:
    """One for each priority that lines about sessions have. May be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits = {priority: LineLimit(priority) for priority in _KINDS}

    def take(self, priority: int, now: float, name: str) -> tuple[bool, bool]:
        """Whether the line may be written, and, if not, whether a summary is due that was not before."""
        with self._lock:
            limit = self._limits[priority]
            was_silent = limit.due_at() is None
            may = limit.take(now, name)
        return may, was_silent and not may

    def due_at(self) -> float | None:
        """When the next summary is due."""
        with self._lock:
            return min((at for limit in self._limits.values() if (at := limit.due_at()) is not None), default=None)

    def sum_up(self, now: float) -> list[tuple[int, str]]:
        """The summaries of all, with their priorities."""
        with self._lock:
            texts = [(limit.priority, limit.sum_up(now)) for limit in self._limits.values()]
        return [(priority, text) for priority, text in texts if text]
