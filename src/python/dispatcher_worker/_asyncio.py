# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""All connections on the event loop of asyncio."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from ._worker import Connection, Worker, report_exception

AsyncHandler = Callable[[Connection, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ProtocolFactory = Callable[[Connection], asyncio.BaseProtocol]
Session = Callable[[Connection], Awaitable[None]]

# A context for connections that came to a TLS_PORT, or a function that returns it for one.
Tls = ssl.SSLContext | Callable[[Connection], ssl.SSLContext | None] | None


class _Socket(socket.socket):
    """asyncio sets TCP_NODELAY on each connection; the units that dispatcherd-generator writes deny
    setsockopt(2). The session does without the option then."""

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
        self.worker = Worker(self._begin, lambda: self._call_soon(self._look))
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
            report_exception(connection, error)
        finally:
            connection.worker._end(connection)

    def _terminate(self) -> None:
        # A second one ends the process at once.
        self._loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self.worker._terminate()
        self._look()

    def _readable(self) -> None:
        self.worker._receive()
        self._look()

    def _writable(self) -> None:
        self.worker._flush()
        self._look()

    def _look(self) -> None:
        worker = self.worker
        if self._timer:
            self._timer.cancel()
        seconds = worker._attend()
        self._timer = self._loop.call_later(seconds, self._look) if seconds is not None else None
        if not worker._is_open:
            self._loop.remove_reader(worker._channel)
        if worker._wants_room() and not self._is_writing:
            self._loop.add_writer(worker._channel, self._writable)
        elif self._is_writing and not worker._wants_room():
            self._loop.remove_writer(worker._channel)
        self._is_writing = worker._wants_room()
        if worker._is_done():
            self._done.set()

    async def run(self) -> None:
        self.worker._start()
        self._loop.add_reader(self.worker._channel, self._readable)
        self._look()
        await self._done.wait()
        if self._timer:
            self._timer.cancel()
        self._loop.remove_reader(self.worker._channel)
        self.worker._flush()


def _context(tls: Tls, connection: Connection) -> ssl.SSLContext | None:
    if not connection.is_tls:
        return None
    context = tls if tls is None or isinstance(tls, ssl.SSLContext) else tls(connection)
    if context is None:
        raise RuntimeError("a connection came to a TLS_PORT, and there is no certificate")
    return context


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
    start: Callable[[Worker], Any] | None = None,
    stop: Callable[[Worker], Any] | None = None,
) -> None:
    """Serves each connection by `await handler(connection, reader, writer)`, streams of asyncio, until this
    worker is told to end: asyncio.run(serve_async(handler)). The connection is closed when the handler
    returns; an exception ends its session alone, and is logged.

    `tls` is the context for connections that came to a TLS_PORT, or a function that returns it. `start` and `stop` are as for serve(), and
    may be coroutine functions. A handler must not block: while it does, nobody is served, and systemd's
    watchdog ends the process in the end. Under a unit of dispatcherd-generator TCP_NODELAY cannot be set:
    an answer in several small writes may be delayed by the client's acknowledgements; "systemctl edit
    dispatcherd-NAME-worker@.service" with SystemCallFilter=setsockopt allows it. Raises WorkerError if this process was not started by
    dispatcherd."""

    async def session(connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, connection.socket, ssl=_context(tls, connection)
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await handler(connection, reader, writer)
        finally:
            writer.close()
            try:
                await writer.wait_closed()
            except Exception:  # the client is gone
                pass

    await _run(session, start, stop)


async def serve_protocol(
    factory: ProtocolFactory,
    *,
    tls: Tls = None,
    start: Callable[[Worker], Any] | None = None,
    stop: Callable[[Worker], Any] | None = None,
) -> None:
    """As serve_async(), with `factory(connection)`, which returns a protocol of asyncio for each connection.
    The session is over when the protocol's connection_lost() has been called."""

    async def session(connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        protocol = factory(connection)
        connection_lost = protocol.connection_lost

        # On the instance: STARTTLS may put other protocols between this one and the transport. The
        # transport closes the socket right after the call.
        def lost(error: Exception | None) -> None:
            try:
                connection_lost(error)
            finally:
                loop.call_soon(over.set)

        protocol.connection_lost = lost  # type: ignore[method-assign]
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, connection.socket, ssl=_context(tls, connection)
        )
        try:
            await over.wait()
        finally:
            transport.close()

    await _run(session, start, stop)
