#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A thread for each connection, with a dispatcherd that the test plays."""

import unittest

from dispatcher_worker import _messages as messages
from play import Dispatcherd, read_to_end


class Threads(unittest.TestCase):
    def test_a_connection_is_closed_whatever_still_refers_to_it(self):
        program = """
            import dispatcher_worker

            kept = []

            def serve(connection):
                kept.append(connection.socket.makefile("rb"))
                connection.socket.sendall(kept[-1].readline())

            dispatcher_worker.serve(serve)
        """
        with Dispatcherd(program) as play:
            play.wait_for(messages.READY)
            for _ in range(2):
                client = play.connect()
                client.sendall(b"hello\n")
                play.wait_for(messages.ENDED)
                self.assertEqual(read_to_end(client), b"hello\n")

    def test_a_handler_may_close_or_detach_the_socket(self):
        program = """
            import dispatcher_worker, os

            def serve(connection):
                if connection.socket.recv(1) == b"c":
                    connection.socket.close()
                else:
                    os.close(connection.socket.detach())

            dispatcher_worker.serve(serve)
        """
        with Dispatcherd(program) as play:
            play.wait_for(messages.READY)
            for way in (b"c", b"d"):
                client = play.connect()
                client.sendall(way)
                play.wait_for(messages.ENDED)
                self.assertEqual(read_to_end(client), b"")
            self.assertNotIn("failed", play.log_text())


unittest.main()
