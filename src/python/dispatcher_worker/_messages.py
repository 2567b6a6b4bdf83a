# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Messages of dispatcher-worker(7), version 1, as bytes: nothing here does any input or output."""

from __future__ import annotations

import dataclasses
import ipaddress
import struct
from collections.abc import Iterable, Iterator

HELLO, READY, ACKNOWLEDGE, REFUSE, ENDED, DRAINING, HELD = range(1, 8)
ALERT = 9
TLS = 14
ANSWER = 17
WELCOME, CONNECTION, DRAIN, DEBUG, ADOPT, STOP, LOG, STRESS = range(65, 73)

MESSAGE_BYTES_MAX = 65536
FDS_MAX = 16  # connections, and descriptors, in one message
IDENTIFIERS_MAX = 1024
TEXT_BYTES_MAX = 1024  # of a tag, and of a note
ALERT_BYTES_MAX = 255

FLAG_TLS = 1

_HEADER = struct.Struct("=II")
_RECORD = struct.Struct("=QQ24s24sIHH")
_ADDRESS = struct.Struct("=HHI16s")
_IDENTIFIER = struct.Struct("=Q")

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10

# Messages without a body.
_VALUES = {DRAIN, DEBUG, STOP, LOG, STRESS}


class InvalidMessage(Exception):
    """What dispatcherd has sent is no message."""


@dataclasses.dataclass(frozen=True)
class Address:
    """One end of a connection."""

    host: str  # "192.0.2.1", "2001:db8::1", "fe80::1%2", "unix", or "unknown"
    port: int  # 0 for a Unix socket

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclasses.dataclass(frozen=True)
class Record:
    """A connection as CONNECTION has it. `raw` is what HELD sends back."""

    identifier: int
    accepted_at: float  # seconds of CLOCK_MONOTONIC
    peer: Address
    local: Address
    is_tls: bool
    access_tag: str
    access_note: str
    raw: bytes = dataclasses.field(repr=False)


def _read_address(raw: bytes) -> Address:
    family, port, scope, address = _ADDRESS.unpack(raw)
    if family == _AF_INET:
        return Address(str(ipaddress.IPv4Address(address[:4])), port)
    if family == _AF_INET6:
        return Address(str(ipaddress.IPv6Address(address)) + (f"%{scope}" if scope else ""), port)
    return Address("unix" if family == _AF_UNIX else "unknown", 0)


def _read_records(body: bytes) -> Iterator[Record]:
    offset = 0
    while offset < len(body):
        if offset + _RECORD.size > len(body):
            raise InvalidMessage("a connection is cut")
        identifier, accepted_at, peer, local, flags, n_tag, n_note = _RECORD.unpack_from(body, offset)
        start = offset + _RECORD.size
        end = start + n_tag + n_note
        padded = (end + 7) & ~7
        if max(n_tag, n_note) > TEXT_BYTES_MAX or padded > len(body) or 0 in body[start:end]:
            raise InvalidMessage("a tag or a note is too long, cut, or has a NUL")
        yield Record(
            identifier,
            accepted_at / 1e6,
            _read_address(peer),
            _read_address(local),
            bool(flags & FLAG_TLS),
            body[start : start + n_tag].decode(errors="replace"),
            body[start + n_tag : end].decode(errors="replace"),
            body[offset:padded],
        )
        offset = padded


def _read_strings(body: bytes) -> list[tuple[str, str]]:
    if body and body[-1] != 0:
        raise InvalidMessage("the last string has no end")
    pairs = (text.decode(errors="surrogateescape").partition("=") for text in body.split(b"\0")[:-1])
    return [(name, value) for name, _, value in pairs]


@dataclasses.dataclass(frozen=True)
class Message:
    """One that dispatcherd has sent, checked for form."""

    kind: int
    value: int
    strings: list[tuple[str, str]]
    records: list[Record]

    def string(self, name: str) -> str | None:
        """The first of that name."""
        return next((value for each, value in self.strings if each == name), None)

    def number(self, name: str, default: int | None = None) -> int:
        text = self.string(name)
        if text is None and default is not None:
            return default
        if text is None or not text.isascii() or not text.isdigit():
            raise InvalidMessage(f"{name} is no number")
        return int(text)


def read(packet: bytes) -> Message:
    """Raises InvalidMessage."""
    if not _HEADER.size <= len(packet) <= MESSAGE_BYTES_MAX:
        raise InvalidMessage("too short or too long")
    kind, value = _HEADER.unpack_from(packet)
    body = packet[_HEADER.size :]
    if kind in _VALUES:
        if body:
            raise InvalidMessage("a body where there is none")
        return Message(kind, value, [], [])
    if kind in (WELCOME, ADOPT):
        return Message(kind, value, _read_strings(body), [])
    if kind == CONNECTION:
        records = list(_read_records(body))
        if len(records) != value or value > FDS_MAX:
            raise InvalidMessage("another number of connections")
        return Message(kind, value, [], records)
    raise InvalidMessage("an unknown type")


def value(kind: int, number: int = 0) -> bytes:
    return _HEADER.pack(kind, number)


def strings(kind: int, pairs: Iterable[tuple[str, str]]) -> bytes:
    body = "".join(f"{name}={text}\0" for name, text in pairs)
    return _HEADER.pack(kind, 0) + body.encode(errors="surrogateescape")


def identifiers(kind: int, numbers: list[int]) -> bytes:
    return _HEADER.pack(kind, len(numbers)) + b"".join(map(_IDENTIFIER.pack, numbers))


def held(records: list[Record]) -> bytes:
    return _HEADER.pack(HELD, len(records)) + b"".join(record.raw for record in records)
