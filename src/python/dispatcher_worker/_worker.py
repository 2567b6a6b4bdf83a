# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The life of a worker, without threads and without a loop: what is received, what is answered, and when
the worker is done. The two ways of serving and the fork server drive it."""

from __future__ import annotations

import array
import asyncio
import collections
import contextlib
import enum
import errno
import os
import select
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable

from . import _messages as messages
from . import _tls
from ._limit import line_limits
from ._log import Log
from ._manager import Manager, notify

CHANNEL_FD = 3
# How a socket fails if the client, or the way to it, is gone, besides ConnectionError and TimeoutError.
_GONE = {errno.ENOTCONN, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN}
_WELCOME_SECONDS = 30.0  # dispatcherd gives up a worker that is not ready by then


class WorkerError(SystemExit):
    """The worker cannot start: not started by dispatcherd, or not welcome. Uncaught, it is written to
    standard error, and the process exits with status 1."""


class Drain(enum.IntEnum):
    """How urgent a drain is. A worker goes from one to the next, never back."""

    NONE = 0  # the worker takes connections
    RECYCLE = 1  # it takes no new ones; its sessions may take their time
    STOP = 2  # somebody waits: a session ends as soon as its protocol allows


class Connection:
    """One connection, while a session serves it."""

    def __init__(self, worker: Worker, record: messages.Record, fd: int) -> None:
        self.worker = worker
        self.record = record
        self.socket = socket.socket(fileno=fd)
        """The connected socket, in blocking mode. The library closes it after the session."""
        self._tls_message: bytes | None = None

    @property
    def id(self) -> str:
        """16 hexadecimal digits, unique on this host; the journal's DISPATCHER_CONNECTION."""
        return f"{self.record.identifier:016x}"

    @property
    def peer(self) -> messages.Address:
        """The client. An IPv4 client of an IPv6 socket has an IPv4 address here."""
        return self.record.peer

    @property
    def local(self) -> messages.Address:
        """Our end."""
        return self.record.local

    @property
    def accepted_at(self) -> float:
        """When dispatcherd accepted it: time.monotonic()."""
        return self.record.accepted_at

    @property
    def is_tls(self) -> bool:
        """It came to a TLS_PORT: the client expects TLS from the first byte."""
        return self.record.is_tls

    @property
    def access_tag(self) -> str:
        """The text that access control left for the worker."""
        return self.record.access_tag

    @property
    def access_note(self) -> str:
        """The text that access control wants to see in the log of this connection."""
        return self.record.access_note

    def tls_began(self, tls: ssl.SSLObject | ssl.SSLSocket) -> None:
        """Tells dispatcherd that TLS protects the connection from now on: its version and cipher, and the
        certificate that the client has shown. The two ways of asyncio call it for a TLS_PORT; a program that
        makes a handshake itself may. The first call counts."""
        if not self._tls_message:
            pairs = [("CONNECTION", self.id), *_tls.facts(tls)]
            self._tls_message = messages.strings(messages.TLS, pairs)
            self.worker._tell_tls(self)

    def tls_failed(self, error: BaseException) -> None:
        """Counts a handshake that has failed, by the exception that ended it. Called as tls_began()."""
        self.worker._count_tls_failure(_tls.failure_reason(error))

    def log(self, priority: int, text: str) -> None:
        """Logs one line, at a priority of syslog(3), with the connection's identifier and client."""
        worker = self.worker
        fields = {
            "DISPATCHER_CONNECTION": self.id,
            "DISPATCHER_CLIENT_ADDRESS": self.peer.host,
            "DISPATCHER_CLIENT_PORT": str(self.peer.port),
        }
        worker._line(priority, f"connection {self.id} from {self.peer.host}: {text}", fields)


# A message that waits until the channel takes it. `connections` are those that it takes over: their
# sessions begin when it has been sent, and are another worker's if it cannot be.
_Unsent = collections.namedtuple("_Unsent", "kind identifiers packet connections")


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

    def __init__(self, begin: Callable[[Connection], None], wake: Callable[[], None]) -> None:
        """`begin` is called, on any thread, for a connection whose session is to begin; `wake` when the
        loop has to look at deadlines and at the channel's room again."""
        self._begin = begin
        self._wake = wake
        self._lock = threading.RLock()
        self._unsent: collections.deque[_Unsent] = collections.deque()
        self._sessions: dict[int, Connection] = {}
        self._drain = Drain.NONE
        self._cut_at: float | None = None
        self._is_open = True
        self._knows_alert = False
        self._alert_text = ""
        self._knows_tls = False
        self._tls_failures: collections.Counter[str] = collections.Counter()  # not sent yet, by reason
        self._limits = line_limits()
        self._on_drain: list[Callable[[Drain], None]] = []
        self._notices: list[tuple[Callable[[Drain], None], Drain]] = []
        self._on_cut: Callable[[], None] = lambda: None
        self._manager: Manager | None = None  # from READY on
        self._is_terminated = False
        self._log = Log()
        self.is_stressed = False
        try:
            self._channel = socket.socket(fileno=CHANNEL_FD)
            if self._channel.type != socket.SOCK_SEQPACKET:
                raise OSError
        except OSError:
            raise WorkerError("descriptor 3 is no control channel: this program is started by dispatcherd") from None
        self._channel.set_inheritable(False)
        self._channel.setblocking(False)
        self._greet()

    # What programs use.

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
        return self._drain

    def on_drain(self, callback: Callable[[Drain], None]) -> None:
        """Has the function called, on the thread that reads the channel, whenever the drain begins or
        becomes more urgent; at once if it is under way. It should not wait: that thread also takes
        connections and feeds systemd's watchdog. What it raises is logged, and ends nothing."""
        with self._lock:
            self._on_drain.append(callback)
            drain = self._drain
        if drain:
            self._notify_drain(callback, drain)

    def log(self, priority: int, text: str) -> None:
        """Logs one line at a priority of syslog(3). Never waits."""
        self._line(priority, text, {})

    def alert(self, text: str | None) -> None:
        """Raises the alert `backend` of the service: a server that the program needs, which `text` names
        with the cause, cannot be used. None: all is well again. May be called from `start` on."""
        text = (text or "").replace("\0", "?").encode()[: messages.ALERT_BYTES_MAX].decode(errors="ignore")
        with self._lock:
            if text != self._alert_text:
                self._alert_text = text
                self._tell_alert()
        self._wake()

    # What the loops use.

    def _fileno(self) -> int:
        """The channel, or -1 when it is at its end."""
        return CHANNEL_FD if self._is_open else -1

    def _is_done(self) -> bool:
        with self._lock:
            return bool(self._drain) and not self._sessions and (not self._unsent or not self._is_open)

    def _wants_room(self) -> bool:
        return bool(self._unsent or self._tls_failures) and self._is_open

    def _attend(self) -> float | None:
        """What time has brought. Returns the seconds until it is to be called again."""
        now = time.monotonic()
        with self._lock:
            if self._cut_at is not None and now >= self._cut_at:
                self._cut()
            due = [limit.due_at() for limit in self._limits.values()]
            if any(at is not None and at <= now for at in due):
                self._sum_up()
                due = []
        times = [self._cut_at, self._manager.attend(now) if self._manager else None, *due]
        return min((max(0.0, at - now) for at in times if at is not None), default=None)

    def _report(self, connection: Connection, priority: int, text: str, why: str) -> None:
        """Logs a line that clients can cause at will, unless there are too many."""
        with self._lock:
            limit = self._limits[priority]
            was_silent = limit.due_at() is None
            may = limit.take(time.monotonic(), f"of {connection.peer.host} ({why})")
        if may:
            connection.log(priority, text)
        elif was_silent:
            self._wake()

    def _sum_up(self) -> None:
        with self._lock:
            for limit in self._limits.values():
                text = limit.sum_up(time.monotonic())
                if text:
                    self.log(limit.priority, text)

    def _finish(self) -> None:
        """After the last session."""
        self._flush()
        self._sum_up()

    def _cut(self) -> None:
        self._sum_up()
        n = len(self._sessions)
        self.log(3, f"time limit for sessions reached; closing {n} session{'s' if n != 1 else ''}")
        self._on_cut()
        os._exit(1)

    def _terminate(self) -> None:
        """SIGTERM has come. A worker that is starting drains when it is ready: nothing is read from the
        channel before, and dispatcherd expects READY."""
        with self._lock:
            self._is_terminated = True
            if not self._manager:
                return
            is_told = bool(self._drain)
            self._raise_drain(Drain.STOP, self._drain_limit)
            if not is_told:
                self._tell(messages.DRAINING, [])
        self._flush()
        self._notify_drains()

    def _receive(self) -> None:
        """Reads what is in the channel, and acts on it."""
        for _ in range(64):  # then the loop looks at its other sources
            packet = self._receive_packet()
            if packet is None:
                break
            data, fds, is_cut = packet
            if not data and not is_cut:
                self._end_channel()
                break
            fault = None
            try:
                if is_cut:
                    raise messages.InvalidMessage("too long")
                self._take(messages.read(data), fds)
            except messages.InvalidMessage as error:
                fault = error
            finally:
                for fd in fds:
                    os.close(fd)
            if fault:
                self.log(3, f"dispatcherd has sent an invalid message ({fault}); finishing the sessions")
                self._end_channel()
            if not self._is_open:
                break
        self._flush()
        self._notify_drains()

    def _end(self, connection: Connection) -> None:
        """The session is over: closes the descriptor, makes the place free, and tells."""
        # Not by close(), which waits for the objects of makefile().
        fd = connection.socket.detach()
        if fd >= 0:
            os.close(fd)
        with self._lock:
            if self._sessions.pop(connection.record.identifier, None):
                self._tell(messages.ENDED, [connection.record.identifier])
        self._flush()
        if self._drain or self._unsent:
            self._wake()

    def _leave(self) -> None:
        """In a forked process: closes what is the worker's."""
        self._is_open = False
        self._channel.close()
        self._log.close()
        for connection in self._sessions.values():
            connection.socket.close()

    def _flush(self) -> None:
        """Sends what waits, as far as the channel takes it."""
        with self._lock:
            while self._wants_room():
                unsent = self._unsent[0] if self._unsent else self._tls_failures_message()
                packet = unsent.packet or messages.identifiers(unsent.kind, unsent.identifiers)
                try:
                    self._channel.send(packet)
                except (BlockingIOError, InterruptedError):
                    return
                except OSError as error:
                    if error.errno in (errno.ENOBUFS, errno.ENOMEM):
                        return
                    self._give_up()
                    return
                if self._unsent:
                    self._unsent.popleft()
                else:
                    self._tls_failures.clear()
                for connection in unsent.connections:
                    self._begin(connection)

    # How it does that.

    def _line(self, priority: int, text: str, fields: dict[str, str]) -> None:
        mine = {"DISPATCHER_SERVICE": self.service, "DISPATCHER_WORKER_PID": str(os.getpid())}
        self._log.line(priority, f"{self.service}: {text}", mine | fields)

    def _greet(self) -> None:
        versions = [("VERSION_MIN", "1"), ("VERSION_MAX", "1")]
        abilities = [(name, "1") for name in ("STOP", "LOG", "STRESS", "ANSWER")]
        try:
            self._channel.send(messages.strings(messages.HELLO, versions + abilities))
        except OSError as error:
            raise WorkerError(f"cannot greet dispatcherd: {error.strerror}") from None
        if not select.select([CHANNEL_FD], [], [], _WELCOME_SECONDS)[0]:
            raise WorkerError(f"no welcome from dispatcherd within {_WELCOME_SECONDS:.0f} s")
        packet = self._receive_packet()
        if not packet or not packet[0]:
            raise WorkerError("dispatcherd has closed the channel before this worker was welcome")
        data, fds, _ = packet
        try:
            self._read_welcome(messages.read(data))
        except messages.InvalidMessage as error:
            raise WorkerError(f"dispatcherd has sent an invalid welcome: {error}") from None
        for fd in fds:
            self._log.use_file(fd)

    def _read_welcome(self, welcome: messages.Message) -> None:
        if welcome.kind != messages.WELCOME:
            raise messages.InvalidMessage("another message")
        if welcome.number("VERSION") != 1:
            raise messages.InvalidMessage(f"it speaks version {welcome.string('VERSION')}, not 1")
        self.service = welcome.string("SERVICE") or "?"
        self.slot = welcome.number("SLOT")
        self.max_connections = welcome.number("MAX_CONNS")
        self.debug = welcome.number("DEBUG")
        self._drain_limit = welcome.number("DRAIN_LIMIT")
        self.host_name = welcome.string("HOST_NAME") or ""
        self.parameters = [value for name, value in welcome.strings if name == "PARAMETER"]
        self._knows_alert = welcome.string("ALERT") is not None
        self._knows_tls = welcome.string("TLS") is not None

    def _start(self) -> None:
        """The program is ready: from now on connections come."""
        with self._lock:
            self._unsent.append(_Unsent(0, (), messages.value(messages.READY, self.max_connections), ()))
        self._flush()
        self._manager = Manager()
        if self._is_terminated:
            self._terminate()

    def _receive_packet(self) -> tuple[bytes, list[int], bool] | None:
        """The packet, its descriptors, and whether it was longer than a message; None: there is none."""
        while True:
            try:
                data, control, flags, _ = self._channel.recvmsg(
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
        return data, fds.tolist(), bool(flags & socket.MSG_TRUNC)

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
            with self._lock:
                self._raise_drain(Drain.STOP if kind == messages.STOP else Drain.RECYCLE, message.value)
        elif kind == messages.DEBUG:
            self.debug = message.value
        elif kind == messages.STRESS:
            self.is_stressed = message.value != 0
        else:
            raise messages.InvalidMessage("a second welcome")

    def _take_connections(self, records: list[messages.Record], fds: list[int]) -> None:
        taken = []
        with self._lock:
            for record in records:
                fd = fds.pop(0) if fds else -1
                if fd < 0 or self._drain or len(self._sessions) >= self.max_connections:
                    if fd >= 0:
                        os.close(fd)
                    self._tell(messages.REFUSE, [record.identifier])
                    continue
                connection = Connection(self, record, fd)
                self._sessions[record.identifier] = connection
                taken.append(connection)
            if taken:
                numbers = [connection.record.identifier for connection in taken]
                self._unsent.append(_Unsent(messages.ACKNOWLEDGE, numbers, None, taken))

    def _tell(self, kind: int, numbers: list[int]) -> None:
        """Called with the lock held. What waits together goes out together."""
        last = self._unsent[-1] if self._unsent else None
        if numbers and last and last.kind == kind and len(last.identifiers) < messages.IDENTIFIERS_MAX:
            last.identifiers.extend(numbers)
        elif numbers:
            self._unsent.append(_Unsent(kind, list(numbers), None, ()))
        else:
            self._unsent.append(_Unsent(kind, (), messages.value(kind), ()))

    def _tell_alert(self) -> None:
        if self._knows_alert:
            pairs = [("TEXT", self._alert_text)] if self._alert_text else []
            self._unsent.append(_Unsent(0, (), messages.strings(messages.ALERT, pairs), ()))
            self._flush()

    def _tell_tls(self, connection: Connection) -> None:
        """The channel has room for few of them if it is full: then no sessions begin."""
        with self._lock:
            if self._knows_tls and connection._tls_message:
                self._unsent.append(_Unsent(0, (), connection._tls_message, ()))
        self._flush()
        if self._unsent:
            self._wake()

    def _count_tls_failure(self, reason: str) -> None:
        with self._lock:
            if self._knows_tls:
                self._tls_failures[reason] += 1
        self._flush()
        if self._tls_failures:
            self._wake()

    def _tls_failures_message(self) -> _Unsent:
        pairs = [(f"FAILED_{reason}", str(n)) for reason, n in self._tls_failures.items()]
        return _Unsent(0, (), messages.strings(messages.TLS, pairs), ())

    def _adopt(self, question: messages.Message) -> None:
        """A new dispatcherd asks what this worker has."""
        with self._lock:
            # What was not acknowledged yet is taken over by being in HELD.
            begun = {connection.record.identifier for unsent in self._unsent for connection in unsent.connections}
            self._unsent.clear()
            number = question.string("NUMBER")
            if number is not None:
                self._unsent.append(_Unsent(0, (), messages.strings(messages.ANSWER, [("NUMBER", number)]), ()))
            held = list(self._sessions.values())
            for i in range(0, len(held), messages.FDS_MAX):
                some = held[i : i + messages.FDS_MAX]
                waiting = [connection for connection in some if connection.record.identifier in begun]
                packet = messages.held([connection.record for connection in some])
                self._unsent.append(_Unsent(0, (), packet, waiting))
            self._unsent.append(_Unsent(0, (), messages.value(messages.READY, self.max_connections), ()))
            self._knows_alert = question.string("ALERT") is not None
            if self._alert_text:
                self._tell_alert()
            if self._drain:
                self._tell(messages.DRAINING, [])
            self._knows_tls = question.string("TLS") is not None
            for connection in held:
                self._tell_tls(connection)
            if not self._knows_tls:
                self._tls_failures.clear()

    def _raise_drain(self, drain: Drain, limit: int) -> None:
        """Called with the lock held. New orders only ever shorten a drain, or make it more urgent. The
        caller calls _notify_drains() when it has released the lock."""
        cut_at = time.monotonic() + limit
        self._cut_at = cut_at if self._cut_at is None else min(cut_at, self._cut_at)
        if drain <= self._drain:
            return
        if not self._drain:
            notify("STATUS=Finishing sessions")
        self._drain = drain
        self._notices.extend((callback, drain) for callback in self._on_drain)

    def _notify_drains(self) -> None:
        with self._lock:
            notices, self._notices = self._notices, []
        for callback, drain in notices:
            self._notify_drain(callback, drain)

    def _notify_drain(self, callback: Callable[[Drain], None], drain: Drain) -> None:
        """Called without the lock: the callback may wait for threads that need it."""
        try:
            callback(drain)
        except Exception as error:
            self.log(3, f"the program's function for a drain has failed: {_describe(error)}")

    def _end_channel(self) -> None:
        """dispatcherd was killed, or has given this worker up. What waits is sent before, if it can be."""
        self._flush()
        with self._lock:
            self._give_up()
            self._raise_drain(Drain.RECYCLE, self._drain_limit)
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._is_open = False

    def _give_up(self) -> None:
        """Called with the lock held, when nothing can be sent any more: what could not be acknowledged is
        another worker's."""
        for unsent in self._unsent:
            for connection in unsent.connections:
                self._sessions.pop(connection.record.identifier, None)
                connection.socket.close()
        self._unsent.clear()
        self._tls_failures.clear()


def _describe(error: BaseException) -> str:
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


def report_exception(connection: Connection, error: BaseException) -> None:
    """Logs the exception that has ended a session."""
    kind = type(error).__name__
    if is_by_client(error):
        connection.worker._report(connection, 6, f"session ended: {str(error) or kind}", kind)
    else:
        connection.worker._report(connection, 3, f"session failed: {_describe(error)}", kind)
