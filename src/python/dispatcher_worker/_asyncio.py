# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""All connections on the event loop of asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from ._connection import Connection
from ._life import Life
from ._worker import Worker

AsyncHandler = Callable[[Connection, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ProtocolFactory = Callable[[Connection], asyncio.BaseProtocol]
Session = Callable[[Connection], Awaitable[None]]

# A context for connections that came to a TLS_PORT, or a function that returns it for one.
Tls = ssl.SSLContext | Callable[[Connection], ssl.SSLContext | None] | None


CLOSE_TIMEOUT = 30.0  # seconds, as inetd has


class _Socket(socket.socket):
    """asyncio sets TCP_NODELAY on each connection; the units that dispatcherd-generator writes deny
    setsockopt(2). The session does without the option then."""

    n_sent = 0  # bytes that the kernel has taken from the transport; a loop that is not asyncio's may not count

    def send(self, *arguments: Any) -> int:
        n = super().send(*arguments)
        self.n_sent += n
        return n

    def sendmsg(self, *arguments: Any) -> int:
        n = super().sendmsg(*arguments)
        self.n_sent += n
        return n

    def setsockopt(self, *arguments: Any) -> None:
        try:
            super().setsockopt(*arguments)
        except PermissionError:
            if arguments[:2] != (socket.IPPROTO_TCP, socket.TCP_NODELAY):
                raise


class _Driver:
    """The worker, driven by the running loop."""

    def __init__(self, session: Session) -> None:
        self._loop = asyncio.get_running_loop()
        self._session = session
        self._tasks: set[asyncio.Task[None]] = set()
        self._done = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._is_writing = False
        self._thread = threading.get_ident()
        self._life = Life(self._begin, lambda: self._call_soon(self._look))
        self.worker = self._life.worker
        self._loop.add_signal_handler(signal.SIGTERM, self._terminate)

    def _call_soon(self, function: Callable[..., None], *arguments: Any) -> None:
        """From any thread."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            pass  # the loop is closed, and the worker has ended

    def _begin(self, connection: Connection) -> None:
        # alert() may have sent the acknowledgement, on whatever thread.
        if threading.get_ident() != self._thread:
            self._call_soon(self._begin, connection)
            return
        connection.socket = _Socket(fileno=connection.socket.detach())
        connection.socket.setblocking(False)
        task = self._loop.create_task(self._serve(connection), name=connection.id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            await self._session(connection)
        except Exception as error:
            connection._report_exception(error)
        finally:
            self._life.end(connection)

    def _terminate(self) -> None:
        # A second one ends the process at once.
        self._loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._life.terminate()
        self._look()

    def _readable(self) -> None:
        self._life.receive()
        self._look()

    def _writable(self) -> None:
        self._life.flush()
        self._look()

    def _look(self) -> None:
        life = self._life
        if self._timer:
            self._timer.cancel()
        seconds = life.attend()
        self._timer = self._loop.call_later(seconds, self._look) if seconds is not None else None
        if not life.channel.is_open:
            self._loop.remove_reader(life.channel)
        if life.wants_room() and not self._is_writing:
            self._loop.add_writer(life.channel, self._writable)
        elif self._is_writing and not life.wants_room():
            self._loop.remove_writer(life.channel)
        self._is_writing = life.wants_room()
        if life.is_done():
            self._done.set()

    async def run(self) -> None:
        self._life.start()
        self._loop.add_reader(self._life.channel, self._readable)
        self._look()
        await self._done.wait()
        if self._timer:
            self._timer.cancel()
        self._loop.remove_reader(self._life.channel)
        self._life.finish()


def _context(tls: Tls, connection: Connection) -> ssl.SSLContext | None:
    if not connection.is_tls:
        return None
    context = tls if tls is None or isinstance(tls, ssl.SSLContext) else tls(connection)
    if context is None:
        connection._count_tls_failure("no_certificate")
        raise RuntimeError("a connection came to a TLS_PORT, and there is no certificate")
    return context


async def _connect(connection: Connection, protocol: asyncio.BaseProtocol, tls: Tls) -> asyncio.Transport:
    context = _context(tls, connection)
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection.socket, ssl=context)
    except Exception as error:
        if context:
            connection.tls_failed(error)
        raise
    if context:
        connection.tls_began(transport.get_extra_info("ssl_object"))
    return transport


def _watch(protocol: asyncio.BaseProtocol) -> asyncio.Event:
    """Is set when connection_lost() of the protocol has been called."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    connection_lost = protocol.connection_lost

    # On the instance: STARTTLS may put other protocols between this one and the transport. The transport
    # closes the socket right after the call.
    def lost(error: Exception | None) -> None:
        try:
            connection_lost(error)
        finally:
            loop.call_soon(over.set)

    protocol.connection_lost = lost  # type: ignore[method-assign]
    return over


async def _wait_over(
    connection: Connection, transport: asyncio.Transport, over: asyncio.Event, close_timeout: float
) -> None:
    """A transport that was closed stays until the client has taken all that was written: as long as it
    takes some within the time limit. Whatever ends this, the transport leaves the socket alone after it."""
    was_closing, n_sent = False, 0
    try:
        while not over.is_set():
            is_closing, n = transport.is_closing(), connection.socket.n_sent
            if is_closing and was_closing and n == n_sent:
                text = f"session ended: the client has taken nothing for {close_timeout:g} s"
                connection._report(6, text, "took nothing")
                break
            was_closing, n_sent = is_closing, n
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(close_timeout):
                    await over.wait()
    finally:
        if not over.is_set():
            transport.abort()


async def _run(
    session: Session,
    start: Callable[[Worker], Any] | None,
    stop: Callable[[Worker], Any] | None,
) -> None:
    driver = _Driver(session)
    for step in (start, driver.run, stop):
        result = step(*([] if step == driver.run else [driver.worker])) if step else None
        if asyncio.iscoroutine(result):
            await result


async def serve_async(
    handler: AsyncHandler,
    *,
    tls: Tls = None,
    close_timeout: float = CLOSE_TIMEOUT,
    start: Callable[[Worker], Any] | None = None,
    stop: Callable[[Worker], Any] | None = None,
) -> None:
    """Serves each connection by `await handler(connection, reader, writer)`, streams of asyncio, until this
    worker is told to end: asyncio.run(serve_async(handler)). The connection is closed when the handler
    returns; an exception ends its session alone, and is logged, unless there are too many: those are
    summed up.

    What the handler has written is sent before the connection is closed; a client that takes nothing of it
    for `close_timeout` seconds is cut off. `tls` is the context for connections that came to a TLS_PORT, or a function that returns it. `start` and `stop` are as for serve(), and
    may be coroutine functions. A handler must not block: while it does, nobody is served, and systemd's
    watchdog ends the process in the end. Under a unit of dispatcherd-generator TCP_NODELAY cannot be set:
    an answer in several small writes may be delayed by the client's acknowledgements; "systemctl edit
    dispatcherd-NAME-worker@.service" with SystemCallFilter=setsockopt allows it. Raises WorkerError if this process was not started by
    dispatcherd."""

    async def session(connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        over = _watch(protocol)
        transport = await _connect(connection, protocol, tls)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await handler(connection, reader, writer)
        finally:
            writer.close()
            await _wait_over(connection, writer.transport, over, close_timeout)

    await _run(session, start, stop)


async def serve_protocol(
    factory: ProtocolFactory,
    *,
    tls: Tls = None,
    close_timeout: float = CLOSE_TIMEOUT,
    start: Callable[[Worker], Any] | None = None,
    stop: Callable[[Worker], Any] | None = None,
) -> None:
    """As serve_async(), with `factory(connection)`, which returns a protocol of asyncio for each connection.
    The session is over when the protocol's connection_lost() has been called. When the transport was closed,
    a client that takes nothing of what was written for `close_timeout` to twice that many seconds is cut off."""

    async def session(connection: Connection) -> None:
        protocol = factory(connection)
        over = _watch(protocol)
        transport = await _connect(connection, protocol, tls)
        await _wait_over(connection, transport, over, close_timeout)

    await _run(session, start, stop)
