#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A thread for each connection, with a dispatcherd that the test plays."""

import signal
import unittest

from dispatcher_worker import _messages as messages
from play import TLS, Dispatcherd, echoes, read_to_end


# A function for drains that fails, and one that waits for all sessions.
DRAINED = """
    import dispatcher_worker, sys, threading

    told = threading.Event()

    def fail(drain):
        raise RuntimeError("not prepared")

    def wait(drain):
        told.set()
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(20)
                print("joined" if not thread.is_alive() else "deadlock", file=sys.stderr)

    def start(worker):
        worker.on_drain(globals()[sys.stdin.readline().strip()])

    def serve(connection):
        while data := connection.socket.recv(4096):
            connection.socket.sendall(data)
            if data == b"wait":
                told.wait(20)
                break

    dispatcher_worker.serve(serve, start=start)
"""

WAYS = {
    "DRAIN": lambda play: play.drain(),
    "STOP": lambda play: play.drain(messages.STOP),
    "SIGTERM": lambda play: play.process.send_signal(signal.SIGTERM),
    "end": lambda play: play.channel.close(),
    "invalid": lambda play: play.send(b"invalid"),
}


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

    def test_a_function_for_drains_that_fails_ends_no_session(self):
        for name, begin in WAYS.items():
            with self.subTest(name), Dispatcherd(DRAINED) as play:
                play.process.stdin.write(b"fail\n")
                play.process.stdin.flush()
                play.wait_for(messages.READY)
                client = play.connect()
                self.assertTrue(echoes(client))
                begin(play)
                play.wait_log("err: TEST: .* drain has failed: RuntimeError: not prepared at worker.py:7\n")
                self.assertTrue(echoes(client), "the session goes on")
                client.close()
                self.assertEqual(play.wait_exit(), 0)

    def test_a_function_for_drains_may_wait_for_the_sessions(self):
        for name, begin in WAYS.items():
            with self.subTest(name), Dispatcherd(DRAINED) as play:
                play.process.stdin.write(b"wait\n")
                play.process.stdin.flush()
                play.wait_for(messages.READY)
                client = play.connect()
                self.assertTrue(echoes(client, b"wait"))
                begin(play)
                play.wait_log("joined\n|deadlock\n")
                self.assertEqual(play.wait_exit(), 0)
                self.assertNotIn("deadlock", play.log_text())

    def test_a_handshake_of_a_thread_is_reported_if_it_says_so(self):
        program = '''
            import dispatcher_worker, ssl

            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

            def serve(connection):
                try:
                    context.wrap_socket(connection.socket, server_side=True).close()
                except ssl.SSLError as error:
                    connection.tls_failed(error)
                    raise

            dispatcher_worker.serve(serve)
        '''
        with Dispatcherd(program) as play:
            play.wait_for(messages.READY)
            play.connect(is_tls=True).sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertEqual(play.texts(TLS), {"FAILED_plain_text": "1"})
            play.wait_for(messages.ENDED)
            play.wait_log("info: .* session ended: .*HTTP_REQUEST")

    def test_sigterm_during_the_start_drains_when_the_worker_is_ready(self):
        program = """
            import dispatcher_worker, os, signal

            def start(worker):
                worker.alert("the back end is down")
                os.kill(os.getpid(), signal.SIGTERM)

            dispatcher_worker.serve(None, start=start)
        """
        with Dispatcherd(program) as play:
            play.wait_for(messages.DRAINING)
            self.assertEqual(play.seen[1:], [messages.ALERT, messages.READY, messages.DRAINING])
            self.assertEqual(play.wait_exit(), 0)


unittest.main()
