# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Waiting for a condition, with a limit: no test sleeps and hopes."""

import time


class TimedOut(AssertionError):
    """A condition did not become true in time."""


def wait_until(condition, limit=25.0, what=None, interval=0.02):
    """Calls condition() until it returns something true, which is returned.

    `what` says in words what was waited for; it may be a function, asked when the time is over.
    The limit is for busy machines, and below the 30 s after which the daemon ends what hangs.
    """
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= end:
            text = what() if callable(what) else what
            raise TimedOut(f"not within {limit} s: {text or condition}")
        time.sleep(interval)


def holds_for(condition, duration, what=None, interval=0.02):
    """Asserts that condition() stays true for so long: for what must *not* happen.

    `what` is as in wait_until(); a function is asked when the condition does not hold.
    """
    end = time.monotonic() + duration
    while time.monotonic() < end:
        if not condition():
            raise AssertionError((what() if callable(what) else what) or condition)
        time.sleep(interval)
