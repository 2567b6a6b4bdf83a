#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Messages as bytes: what is read, and what is none."""

import struct
import unittest

from dispatcher_worker import _messages as messages


def address(family, port=0, scope=0, raw=b""):
    return struct.pack("=HHI16s", family, port, scope, raw)


def record(number, peer=address(0), local=address(0), flags=0, tag=b"", note=b""):
    head = struct.pack("=QQ24s24sIHH", number, 1500000, peer, local, flags, len(tag), len(note))
    return head + tag + note + bytes(-len(tag + note) % 8)


def connections(*records):
    return struct.pack("=II", messages.CONNECTION, len(records)) + b"".join(records)


class Reading(unittest.TestCase):
    def read_one(self, *arguments, **options):
        (found,) = messages.read(connections(record(7, *arguments, **options))).records
        return found

    def test_a_connection_has_all_that_is_known_of_it(self):
        peer = address(10, 25, 2, bytes([0xFE, 0x80] + [0] * 13 + [1]))
        found = self.read_one(peer, address(2, 26, 0, bytes([192, 0, 2, 1])), 0xFFFFFFFF, b"tag", b"a note")
        self.assertEqual((found.identifier, found.accepted_at, found.is_tls), (7, 1.5, True))
        self.assertEqual((found.peer.host, found.peer.port), ("fe80::1%2", 25))
        self.assertEqual(str(found.local), "192.0.2.1:26")
        self.assertEqual((found.access_tag, found.access_note), ("tag", "a note"))

    def test_addresses_without_a_host(self):
        self.assertEqual(self.read_one(address(1)).peer.host, "unix")
        self.assertEqual(self.read_one(address(99)).peer.host, "unknown")
        self.assertFalse(self.read_one().is_tls)

    def test_every_length_of_texts_is_padded(self):
        for n in (*range(20), 1024):
            records = [record(i, tag=b"t" * n, note=b"n" * i) for i in range(9)]
            found = messages.read(connections(*records)).records
            self.assertEqual([each.identifier for each in found], list(range(9)))
            self.assertEqual(messages.held(found)[8:], b"".join(records))

    def test_a_number_is_repeated_as_it_came(self):
        question = messages.read(messages.strings(messages.ADOPT, [("VERSION", "1"), ("NUMBER", str(2**64 - 1))]))
        answer = messages.strings(messages.ANSWER, [("NUMBER", question.string("NUMBER"))])
        self.assertEqual(answer, b"\x11\0\0\0\0\0\0\0NUMBER=18446744073709551615\0")

    def test_strings_keep_their_order_and_what_is_no_utf_8(self):
        packet = messages.strings(messages.WELCOME, [("A", "1"), ("P", "x=\udcff"), ("P", "")])
        found = messages.read(packet)
        self.assertEqual(found.strings, [("A", "1"), ("P", "x=\udcff"), ("P", "")])
        self.assertEqual((found.string("P"), found.string("Q"), found.number("A")), ("x=\udcff", None, 1))
        for name in ("P", "Q"):
            self.assertRaises(messages.InvalidMessage, found.number, name)

    def test_what_is_no_message(self):
        whole = connections(record(1, tag=b"tag"))
        for packet in (
            b"",
            b"1234567",
            bytes(8),
            struct.pack("=II", messages.ENDED, 0),
            struct.pack("=IIB", messages.DRAIN, 1, 0),
            struct.pack("=II", messages.WELCOME, 0) + b"A=1",
            whole[:-8],
            whole + bytes(8),
            connections()[:4] + struct.pack("=I", 2) + record(1),
            connections(record(1, tag=b"a\0b")),
            connections(record(1, note=b"n" * 1025)),
            connections(*[record(i) for i in range(17)]),
            struct.pack("=II", messages.WELCOME, 0) + bytes(65529),
        ):
            with self.subTest(packet=packet[:40]):
                self.assertRaises(messages.InvalidMessage, messages.read, packet)


unittest.main()
