# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The control channel of a worker: packets, and the descriptors that come with them."""

from __future__ import annotations

import array
import contextlib
import select
import socket
from typing import NamedTuple

from . import _messages as messages

CHANNEL_FD = 3


class WorkerError(SystemExit):
    """The worker cannot start: not started by dispatcherd, or not welcome. Uncaught, it is written to
    standard error, and the process exits with status 1."""


class Packet(NamedTuple):
    data: bytes  # empty at the end of the channel
    fds: list[int]  # the caller's
    is_cut: bool  # it was longer than a message


class Channel:
    """Descriptor 3. Only wait() waits."""

    def __init__(self) -> None:
        self.is_open = True  # until its end was seen
        try:
            self._socket = socket.socket(fileno=CHANNEL_FD)
            if self._socket.type != socket.SOCK_SEQPACKET:
                raise OSError
        except OSError:
            raise WorkerError("descriptor 3 is no control channel: this program is started by dispatcherd") from None
        self._socket.set_inheritable(False)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def wait(self, seconds: float) -> bool:
        """False if there was nothing to receive in that time."""
        return bool(select.select([self._socket], [], [], seconds)[0])

    def send(self, packet: bytes) -> None:
        """Raises OSError: BlockingIOError, among others, if there is no room."""
        self._socket.send(packet)

    def receive(self) -> Packet | None:
        """None: there is no packet."""
        while True:
            try:
                data, control, flags, _ = self._socket.recvmsg(
                    messages.MESSAGE_BYTES_MAX, socket.CMSG_SPACE(messages.FDS_MAX * 4), socket.MSG_CMSG_CLOEXEC
                )
                break
            except (BlockingIOError, InterruptedError):
                return None
            except ConnectionResetError:
                pass  # said once; what was sent before can still be read
        fds = array.array("i")
        for level, kind, payload in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        return Packet(data, fds.tolist(), bool(flags & socket.MSG_TRUNC))

    def shut_down(self) -> None:
        """Its end, also for dispatcherd."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.is_open = False

    def close(self) -> None:
        """In a forked process, which has no part in it."""
        self.is_open = False
        self._socket.close()
