# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Workers of dispatcherd in Python: serve connections that a supervisor has accepted.

A worker is a process that dispatcherd(8), or systemd for it, starts. Over its control channel come the
connections of a service; this package speaks the protocol, which is in dispatcher-worker(7), and calls a
function for each. It is pure Python (3.11) and needs nothing else.

An echo server with a thread for each connection:

    import dispatcher_worker

    def echo(connection):
        connection.log(6, f"hello, {connection.peer}")
        while data := connection.socket.recv(4096):
            connection.socket.sendall(data)

    dispatcher_worker.serve(echo)

The same on the event loop of asyncio:

    import asyncio
    import dispatcher_worker

    async def echo(connection, reader, writer):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()

    asyncio.run(dispatcher_worker.serve_async(echo))

serve_protocol() takes a factory of asyncio protocols, such as the SMTP class of aiosmtpd.
`python3 -m dispatcher_worker.forkserver SCRIPT` serves each connection by a process that is forked from
one which has imported the script: see help("dispatcher_worker.forkserver").

The program is named by IMAGE in dispatcher.cnf(5). What the service's PARAMETER lines say is in
connection.worker.parameters; one that begins a drain finds it in connection.worker.drain.

What any client can cause is logged at info: one that goes away, speaks no TLS, or sends too long a line.
Of the lines about sessions that have failed or ended so, 500 of each priority are logged at once and 10 a
second after that; the others are summed up every ten seconds. Handshakes of TLS are reported to dispatcherd,
which counts them, by the two ways of asyncio for a TLS_PORT, and by connection.tls_began() and tls_failed()
for a program that makes them itself.

What a worker tells of its connections it can say by messages, or by a ring in shared memory, which spares
some of them. This package sends messages: the ring is moved by an atomic compare-and-swap, which tells the
worker that it was given up and must not serve, and pure Python has none (a store into an mmap is atomic on
no processor that Python promises anything about). So a session begins only when the kernel has taken its
acknowledgement."""

from ._asyncio import serve_async, serve_protocol
from ._channel import WorkerError
from ._connection import Connection
from ._drain import Drain
from ._messages import Address
from ._threads import serve
from ._worker import Worker

__all__ = [
    "Address",
    "Connection",
    "Drain",
    "Worker",
    "WorkerError",
    "serve",
    "serve_async",
    "serve_protocol",
]
