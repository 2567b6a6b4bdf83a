# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A thread for each connection."""

from __future__ import annotations

import selectors
import signal
import socket
import threading
from collections.abc import Callable

from ._connection import Connection
from ._life import Life
from ._worker import Worker

Handler = Callable[[Connection], None]


class Loop:
    """What the main thread does while others serve: channel, signals, deadlines."""

    def __init__(self, begin: Callable[[Connection], None], on_signal: Callable[[int], None] | None = None) -> None:
        self._on_signal = on_signal
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self.life = Life(begin, self._wake)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._selector: selectors.BaseSelector | None = None

    def _leave(self) -> None:
        """In a process forked from this one, which is no worker: closes what is the worker's, and nothing
        else. By the objects, so that none of them closes the next owner of its number."""
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()
        if self._selector:
            self._selector.close()
        self.life.leave()

    def _wake(self) -> None:
        try:
            self._writer.send(b"\0")  # no signal has this number
        except BlockingIOError:
            pass  # it has enough to read

    def _read_signals(self) -> None:
        try:
            numbers = self._reader.recv(4096)
        except BlockingIOError:
            return
        for number in numbers:
            if number == signal.SIGTERM:
                # A second one ends the process at once.
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self.life.terminate()
            elif number and self._on_signal:
                self._on_signal(number)

    def run(self) -> None:
        life = self.life
        life.start()
        with selectors.DefaultSelector() as selector:
            self._selector = selector
            selector.register(self._reader, selectors.EVENT_READ)
            selector.register(life.channel, selectors.EVENT_READ)
            is_watched = True
            while not life.is_done():
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if life.wants_room() else 0)
                if is_watched and not life.channel.is_open:
                    selector.unregister(life.channel)
                    is_watched = False
                elif is_watched:
                    selector.modify(life.channel, events)
                ready = selector.select(life.attend())
                for key, mask in ready:
                    if key.fileobj is self._reader:
                        self._read_signals()
                    elif mask & selectors.EVENT_READ:
                        life.receive()
                    else:
                        life.flush()
        life.finish()


def serve(
    handler: Handler,
    *,
    start: Callable[[Worker], None] | None = None,
    stop: Callable[[Worker], None] | None = None,
) -> None:
    """Serves each connection by `handler(connection)`, on a thread of its own, until this worker is told
    to end. The handler uses connection.socket, which is closed when it returns; an exception ends its
    session alone, and is logged, unless there are too many: those are summed up.

    Call it once, on the main thread: it takes SIGTERM. `start(worker)` is called when the worker knows its
    service and parameters, and before the first connection; what it raises ends the process, with a line
    on standard error if it is WorkerError. `stop(worker)` is called after the last session. Raises
    WorkerError if this process was not started by dispatcherd."""

    def session(connection: Connection) -> None:
        try:
            handler(connection)
        except Exception as error:
            connection._report_exception(error)
        finally:
            loop.life.end(connection)

    def begin(connection: Connection) -> None:
        try:
            threading.Thread(target=session, args=(connection,), name=connection.id, daemon=True).start()
        except RuntimeError as error:  # no thread can be made
            connection._report(3, f"session failed: {error}", "RuntimeError")
            loop.life.end(connection)

    loop = Loop(begin)
    if start:
        start(loop.life.worker)
    loop.run()
    if stop:
        stop(loop.life.worker)
