# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Messages to dispatcherd: they wait here until the channel takes them."""

from __future__ import annotations

import collections
import errno
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from . import _messages as messages
from ._channel import Channel

Session = TypeVar("Session")


class _Unsent(NamedTuple):
    kind: int  # with `identifiers`, which may become more
    identifiers: list[int]
    packet: bytes | None  # or the message as it is
    sessions: Sequence  # those that it takes over


class Outbox(Generic[Session]):
    """A message may take over sessions, which begin when it has been sent, and are another worker's if it
    cannot be. All methods may be called from any thread."""

    def __init__(
        self,
        channel: Channel,
        lock: threading.RLock,
        *,
        wake: Callable[[], None],
        begin: Callable[[Session], None],
        lose: Callable[[Session], None],
    ) -> None:
        """`wake` is called when messages wait for room; `begin` or `lose`, with the lock held, for a session
        that was taken over, or cannot be."""
        self._channel = channel
        self._lock = lock
        self._wake = wake
        self._begin = begin
        self._lose = lose
        self._unsent: collections.deque[_Unsent] = collections.deque()
        self._knows_alert = False
        self._alert_text = ""
        self._knows_tls = False
        self._tls_failures: collections.Counter[str] = collections.Counter()  # not sent yet, by reason

    def __len__(self) -> int:
        return len(self._unsent)

    def wants_room(self) -> bool:
        return bool(self._unsent or self._tls_failures) and self._channel.is_open

    def set_partner(self, message: messages.Message) -> None:
        """By WELCOME or ADOPT: which messages this dispatcherd knows."""
        with self._lock:
            self._knows_alert = message.string("ALERT") is not None
            self._knows_tls = message.string("TLS") is not None
            if not self._knows_tls:
                self._tls_failures.clear()

    def add(self, packet: bytes, sessions: Sequence[Session] = ()) -> None:
        with self._lock:
            self._unsent.append(_Unsent(0, [], packet, sessions))

    def acknowledge(self, numbers: list[int], sessions: Sequence[Session]) -> None:
        with self._lock:
            self._unsent.append(_Unsent(messages.ACKNOWLEDGE, numbers, None, sessions))

    def add_identifier(self, kind: int, number: int) -> None:
        """What waits together goes out together."""
        with self._lock:
            last = self._unsent[-1] if self._unsent else None
            if last and last.kind == kind and len(last.identifiers) < messages.IDENTIFIERS_MAX:
                last.identifiers.append(number)
            else:
                self._unsent.append(_Unsent(kind, [number], None, ()))

    def alert(self, text: str) -> None:
        """The alert of the worker; empty: there is none."""
        with self._lock:
            if text != self._alert_text:
                self._alert_text = text
                self._add_alert()
                self.flush()
        self._wake()

    def repeat_alert(self) -> None:
        """For a new dispatcherd."""
        with self._lock:
            if self._alert_text:
                self._add_alert()

    def add_tls(self, facts: Iterable[bytes | None]) -> None:
        """Messages about sessions that are protected by TLS. The channel has room for few of them if it is
        full: then no sessions begin."""
        with self._lock:
            if self._knows_tls:
                self._unsent.extend(_Unsent(0, [], packet, ()) for packet in facts if packet)
        self.flush()
        if self._unsent:
            self._wake()

    def count_tls_failure(self, reason: str) -> None:
        with self._lock:
            if self._knows_tls:
                self._tls_failures[reason] += 1
        self.flush()
        if self._tls_failures:
            self._wake()

    def flush(self) -> None:
        """Sends what waits, as far as the channel takes it."""
        with self._lock:
            while self.wants_room():
                unsent = self._unsent[0] if self._unsent else self._tls_failures_message()
                try:
                    self._channel.send(unsent.packet or messages.identifiers(unsent.kind, unsent.identifiers))
                except (BlockingIOError, InterruptedError):
                    return
                except OSError as error:
                    if error.errno not in (errno.ENOBUFS, errno.ENOMEM):
                        self.give_up()
                    return
                if self._unsent:
                    self._unsent.popleft()
                else:
                    self._tls_failures.clear()
                for session in unsent.sessions:
                    self._begin(session)

    def give_up(self) -> None:
        """Nothing can be sent any more: what could not be acknowledged is another worker's."""
        with self._lock:
            for session in self.clear():
                self._lose(session)
            self._tls_failures.clear()

    def clear(self) -> list[Session]:
        """Forgets what waits, save failures of TLS. Returns the sessions that have not begun."""
        with self._lock:
            sessions = [session for unsent in self._unsent for session in unsent.sessions]
            self._unsent.clear()
        return sessions

    def _add_alert(self) -> None:
        if self._knows_alert:
            pairs = [("TEXT", self._alert_text)] if self._alert_text else []
            self.add(messages.strings(messages.ALERT, pairs))

    def _tls_failures_message(self) -> _Unsent:
        pairs = [(f"FAILED_{reason}", str(n)) for reason, n in self._tls_failures.items()]
        return _Unsent(0, [], messages.strings(messages.TLS, pairs), ())
