# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The life of a worker, without threads and without a loop: what is received, what is answered, and when
the worker is done. The two ways of serving and the fork server drive it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from . import _messages as messages
from ._channel import Channel, Packet
from ._connection import Connection
from ._drain import Drain
from ._log import Log
from ._manager import Manager
from ._outbox import Outbox
from ._welcome import greet
from ._worker import Worker


class Life:
    """From the greeting to the last session. end() may be called from any thread."""

    def __init__(self, begin: Callable[[Connection], None], wake: Callable[[], None]) -> None:
        """`begin` is called, on any thread, for a connection whose session is to begin; `wake` when the
        loop has to look at deadlines and at the channel's room again. Raises WorkerError."""
        self.on_cut: Callable[[], None] = lambda: None  # called before the process ends with its sessions
        self.channel = Channel()
        self._log = Log()
        self._wake = wake
        self._lock = threading.RLock()
        self._sessions: dict[int, Connection] = {}
        self._outbox: Outbox[Connection] = Outbox(self.channel, self._lock, wake=wake, begin=begin, lose=self._lose)
        welcome = greet(self.channel, self._log)
        self._outbox.set_partner(welcome.message)
        self._drain_limit = welcome.drain_limit
        self.worker = Worker(welcome, self._log, self._outbox, self._lock, wake)
        self._drain = self.worker._drain
        self._manager: Manager | None = None  # from READY on
        self._is_terminated = False

    # What the loops use.

    def start(self) -> None:
        """The program is ready: from now on connections come."""
        self._add_ready()
        self._outbox.flush()
        self._manager = Manager()
        if self._is_terminated:
            self.terminate()

    def is_done(self) -> bool:
        with self._lock:
            has_unsent = len(self._outbox) > 0 and self.channel.is_open
            return bool(self._drain.urgency) and not self._sessions and not has_unsent

    def wants_room(self) -> bool:
        return self._outbox.wants_room()

    def attend(self) -> float | None:
        """What time has brought. Returns the seconds until it is to be called again."""
        now = time.monotonic()
        cut_at, sum_at = self._drain.cut_at, self.worker._limits.due_at()
        if cut_at is not None and now >= cut_at:
            self._cut()
        if sum_at is not None and now >= sum_at:
            self.worker._sum_up()
            sum_at = None
        times = [cut_at, sum_at, self._manager.attend(now) if self._manager else None]
        return min((max(0.0, at - now) for at in times if at is not None), default=None)

    def receive(self) -> None:
        """Reads what is in the channel, and acts on it."""
        for _ in range(64):  # then the loop looks at its other sources
            packet = self.channel.receive()
            if packet is None:
                break
            if packet.data or packet.is_cut:
                self._obey(packet)
            else:
                self._end_channel()
            if not self.channel.is_open:
                break
        self._outbox.flush()
        self._drain.notify()

    def flush(self) -> None:
        """The channel has room."""
        self._outbox.flush()

    def terminate(self) -> None:
        """SIGTERM has come. A worker that is starting drains when it is ready: nothing is read from the
        channel before, and dispatcherd expects READY."""
        with self._lock:
            self._is_terminated = True
            if not self._manager:
                return
            is_told = bool(self._drain.urgency)
            self._drain.raise_to(Drain.STOP, self._drain_limit)
            if not is_told:
                self._outbox.add(messages.value(messages.DRAINING))
        self._outbox.flush()
        self._drain.notify()

    def end(self, connection: Connection) -> None:
        """The session is over: closes the descriptor, makes the place free, and tells."""
        # Not by close(), which waits for the objects of makefile().
        fd = connection.socket.detach()
        if fd >= 0:
            os.close(fd)
        number = connection.record.identifier
        with self._lock:
            if self._sessions.pop(number, None):
                self._outbox.add_identifier(messages.ENDED, number)
        self._outbox.flush()
        if self._drain.urgency or self._outbox:
            self._wake()

    def finish(self) -> None:
        """After the last session."""
        self._outbox.flush()
        self.worker._sum_up()

    def leave(self) -> None:
        """In a forked process: closes what is the worker's."""
        self.channel.close()
        self._log.close()
        for connection in self._sessions.values():
            connection.socket.close()

    # How it does that.

    def _cut(self) -> None:
        with self._lock:
            self.worker._sum_up()
            n = len(self._sessions)
            self.worker.log(3, f"time limit for sessions reached; closing {n} session{'s' if n != 1 else ''}")
            self.on_cut()
            os._exit(1)

    def _obey(self, packet: Packet) -> None:
        fault = None
        try:
            if packet.is_cut:
                raise messages.InvalidMessage("too long")
            self._take(messages.read(packet.data), packet.fds)
        except messages.InvalidMessage as error:
            fault = error
        finally:
            for fd in packet.fds:
                os.close(fd)
        if fault:
            self.worker.log(
                3,
                f"dispatcherd has sent an invalid message ({fault}); this worker takes no more "
                "connections, and exits after its sessions",
            )
            self._end_channel()

    def _take(self, message: messages.Message, fds: list[int]) -> None:
        """Takes from `fds` what is not to be closed."""
        kind = message.kind
        if kind == messages.CONNECTION and len(fds) <= message.value:
            self._take_connections(message.records, fds)
        elif kind == messages.ADOPT and not fds:
            self._adopt(message)
        elif kind == messages.LOG and len(fds) <= 1:
            if fds:
                self._log.use_file(fds.pop())
        elif fds:
            raise messages.InvalidMessage("descriptors where there are none")
        elif kind in (messages.DRAIN, messages.STOP):
            self._drain.raise_to(Drain.STOP if kind == messages.STOP else Drain.RECYCLE, message.value)
        elif kind == messages.DEBUG:
            self.worker.debug = message.value
        elif kind == messages.STRESS:
            self.worker.is_stressed = message.value != 0
        else:
            raise messages.InvalidMessage("a second welcome")

    def _take_connections(self, records: list[messages.Record], fds: list[int]) -> None:
        taken = []
        with self._lock:
            for record in records:
                fd = fds.pop(0) if fds else -1
                if fd < 0 or self._drain.urgency or len(self._sessions) >= self.worker.max_connections:
                    if fd >= 0:
                        os.close(fd)
                    self._outbox.add_identifier(messages.REFUSE, record.identifier)
                    continue
                connection = Connection(self.worker, record, fd)
                self._sessions[record.identifier] = connection
                taken.append(connection)
            if taken:
                self._outbox.acknowledge([connection.record.identifier for connection in taken], taken)

    def _add_ready(self) -> None:
        self._outbox.add(messages.value(messages.READY, self.worker.max_connections))

    def _adopt(self, question: messages.Message) -> None:
        """A new dispatcherd asks what this worker has."""
        with self._lock:
            # What was not acknowledged yet is taken over by being in HELD.
            not_begun = {connection.record.identifier for connection in self._outbox.clear()}
            self._outbox.set_partner(question)
            number = question.string("NUMBER")
            if number is not None:
                self._outbox.add(messages.strings(messages.ANSWER, [("NUMBER", number)]))
            held = list(self._sessions.values())
            for i in range(0, len(held), messages.FDS_MAX):
                some = held[i : i + messages.FDS_MAX]
                waiting = [connection for connection in some if connection.record.identifier in not_begun]
                self._outbox.add(messages.held([connection.record for connection in some]), waiting)
            self._add_ready()
            self._outbox.repeat_alert()
            if self._drain.urgency:
                self._outbox.add(messages.value(messages.DRAINING))
            self._outbox.add_tls([connection._tls_message for connection in held])

    def _lose(self, connection: Connection) -> None:
        """Called with the lock held, for a session that cannot begin."""
        self._sessions.pop(connection.record.identifier, None)
        connection.socket.close()

    def _end_channel(self) -> None:
        """dispatcherd was killed, or has given this worker up. What waits is sent before, if it can be."""
        self._outbox.flush()
        self._outbox.give_up()
        self._drain.raise_to(Drain.RECYCLE, self._drain_limit)
        self.channel.shut_down()
