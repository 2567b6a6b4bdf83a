# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What is said of an exception that has ended a session."""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
import traceback

# How a socket fails if the client, or the way to it, is gone, besides ConnectionError and TimeoutError.
_GONE = {errno.ENOTCONN, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN}


def describe(error: BaseException) -> str:
    """The exception, and the line that raised it."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {os.path.basename(last[0].filename)}:{last[0].lineno}" if last else ""
    return f"{type(error).__name__}: {error}{place}"


def is_by_client(error: BaseException) -> bool:
    """Any client can cause it: it goes away, speaks no TLS, or sends a line that is too long."""
    if isinstance(error, ValueError):  # so says readline() of asyncio
        return isinstance(error.__context__, asyncio.LimitOverrunError)
    if isinstance(error, OSError) and error.errno in _GONE:
        return True
    return isinstance(error, (ConnectionError, TimeoutError, ssl.SSLError, EOFError, asyncio.LimitOverrunError))
