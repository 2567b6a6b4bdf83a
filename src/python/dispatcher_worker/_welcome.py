# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The start of a worker on its channel: HELLO and WELCOME of dispatcher-worker(7)."""

from __future__ import annotations

import dataclasses

from . import _messages as messages
from ._channel import Channel, WorkerError
from ._log import Log

_WELCOME_SECONDS = 30.0  # dispatcherd gives up a worker that is not ready by then


@dataclasses.dataclass(frozen=True)
class Welcome:
    """What dispatcherd says of the worker and its service."""

    message: messages.Message
    service: str
    slot: int
    max_connections: int
    debug: int
    drain_limit: int  # seconds
    host_name: str
    parameters: list[str]


def _read(message: messages.Message) -> Welcome:
    if message.kind != messages.WELCOME:
        raise messages.InvalidMessage("another message")
    if message.number("VERSION") != 1:
        raise messages.InvalidMessage(f"it speaks version {message.string('VERSION')}, not 1")
    return Welcome(
        message=message,
        service=message.string("SERVICE") or "?",
        slot=message.number("SLOT"),
        max_connections=message.number("MAX_CONNS"),
        debug=message.number("DEBUG"),
        drain_limit=message.number("DRAIN_LIMIT"),
        host_name=message.string("HOST_NAME") or "",
        parameters=[value for name, value in message.strings if name == "PARAMETER"],
    )


def greet(channel: Channel, log: Log) -> Welcome:
    """Waits for the welcome, with which the service's LOGFILE may come. Raises WorkerError."""
    versions = [("VERSION_MIN", "1"), ("VERSION_MAX", "1")]
    abilities = [(name, "1") for name in ("STOP", "LOG", "STRESS", "ANSWER")]
    try:
        channel.send(messages.strings(messages.HELLO, versions + abilities))
    except OSError as error:
        raise WorkerError(f"cannot greet dispatcherd: {error.strerror}") from None
    if not channel.wait(_WELCOME_SECONDS):
        raise WorkerError(f"no welcome from dispatcherd within {_WELCOME_SECONDS:.0f} s")
    packet = channel.receive()
    if not packet or not packet.data:
        raise WorkerError("dispatcherd has closed the channel before this worker was welcome")
    try:
        welcome = _read(messages.read(packet.data))
    except messages.InvalidMessage as error:
        raise WorkerError(f"dispatcherd has sent an invalid welcome: {error}") from None
    for fd in packet.fds:
        log.use_file(fd)
    return welcome
