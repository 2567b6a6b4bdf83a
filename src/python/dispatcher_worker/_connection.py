# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""One connection, as its session sees it."""

from __future__ import annotations

import socket
import ssl

from . import _messages as messages
from . import _tls
from ._exceptions import describe, is_by_client
from ._worker import Worker


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
            self.worker._outbox.add_tls([self._tls_message])

    def tls_failed(self, error: BaseException) -> None:
        """Counts a handshake that has failed, by the exception that ended it. Called as tls_began()."""
        self._count_tls_failure(_tls.failure_reason(error))

    def log(self, priority: int, text: str) -> None:
        """Logs one line, at a priority of syslog(3), with the connection's identifier and client."""
        worker = self.worker
        fields = {
            "DISPATCHER_CONNECTION": self.id,
            "DISPATCHER_CLIENT_ADDRESS": self.peer.host,
            "DISPATCHER_CLIENT_PORT": str(self.peer.port),
        }
        worker._line(priority, f"connection {self.id} from {self.peer.host}: {text}", fields)

    # What the ways of serving use.

    def _count_tls_failure(self, reason: str) -> None:
        self.worker._outbox.count_tls_failure(reason)

    def _report(self, priority: int, text: str, why: str) -> None:
        """Logs a line that clients can cause at will, unless there are too many."""
        if self.worker._may_line(priority, f"of {self.peer.host} ({why})"):
            self.log(priority, text)

    def _report_exception(self, error: BaseException) -> None:
        """Logs the exception that has ended the session."""
        kind = type(error).__name__
        if is_by_client(error):
            self._report(6, f"session ended: {str(error) or kind}", kind)
        else:
            self._report(3, f"session failed: {describe(error)}", kind)
