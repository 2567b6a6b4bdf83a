#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Connections on the event loop of asyncio, with a dispatcherd that the test plays."""

import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from dispatcher_worker import _messages as messages
from play import TLS, Dispatcherd, echoes, read_to_end

# The commands on standard input are obeyed by a thread. The channel is full when the test wants it.
FOREIGN = """
    import asyncio, dispatcher_worker, sys, threading, time

    gate = threading.Event()

    class Channel:
        def __init__(self, channel):
            self.channel, self.is_full = channel, False

        def __getattr__(self, name):
            return getattr(self.channel, name)

        def send(self, packet):
            if self.is_full:
                raise BlockingIOError
            return self.channel.send(packet)

    def obey(worker, loop):
        sys.stdin.readline()
        worker._outbox._channel.is_full = True
        print("full", file=sys.stderr, flush=True)
        while not any(unsent.sessions for unsent in list(worker._outbox._unsent)):
            time.sleep(0.01)
        blocked = threading.Event()
        loop.call_soon_threadsafe(lambda: blocked.set() or gate.wait(20))
        blocked.wait(20)
        worker._outbox._channel.is_full = False
        try:
            worker.alert("the back end is down")
        finally:
            print("alerted", file=sys.stderr, flush=True)
            gate.set()

    def start(worker):
        loop = asyncio.get_running_loop()
        worker._outbox._channel = Channel(worker._outbox._channel)
        threading.Thread(target=obey, args=(worker, loop), daemon=True).start()

    async def echo(connection, reader, writer):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()

    # It tells what is called on another thread.
    asyncio.run(dispatcher_worker.serve_async(echo, start=start), debug=True)
"""

# The first byte says what the session does: leave much behind, also as one that is cancelled; or echo. Both
# ways have the same.
LEAVES = """
    import asyncio, dispatcher_worker, os, ssl, sys

    MUCH = b"x" * 4000000
    context = None
    if os.environ.get("CERT"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["CERT"], os.environ["KEY"])

    async def handle(connection, reader, writer):
        while data := await reader.read(1):
            writer.write(MUCH if data in b"mc" else data)
            if data == b"c":
                asyncio.current_task().cancel()
            if data in b"mc":
                break

    class Protocol(asyncio.Protocol):
        def __init__(self, connection):
            self.task = asyncio.current_task()

        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(MUCH if data in b"mc" else data)
            if data == b"c":
                self.task.cancel()
            elif data == b"m":
                self.transport.close()

    seconds = float(os.environ["SECONDS"])
    if os.environ["WAY"] == "streams":
        asyncio.run(dispatcher_worker.serve_async(handle, tls=context, close_timeout=seconds))
    else:
        asyncio.run(dispatcher_worker.serve_protocol(Protocol, tls=context, close_timeout=seconds))
"""


def order(play):
    play.process.stdin.write(b"go on\n")
    play.process.stdin.flush()


def make_certificate(folder):
    paths = [os.path.join(folder, name) for name in ("cert.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/O=a\\, b/CN=localhost",
         "-out", paths[0], "-keyout", paths[1]],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return paths


class Asyncio(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.certificate, cls.key = make_certificate(folder.name)

    def play(self, way, seconds, is_tls=False):
        environment = {"WAY": way, "SECONDS": str(seconds)}
        if is_tls:
            environment |= {"CERT": self.certificate, "KEY": self.key}
        play = Dispatcherd(LEAVES, environment=environment)
        play.wait_for(messages.READY)
        return play

    def wrap(self, client):
        context = ssl.create_default_context(cafile=self.certificate)
        return context.wrap_socket(client, server_hostname="localhost")

    def test_a_client_that_does_not_read_keeps_no_place(self):
        for way in ("streams", "protocol"):
            for is_tls in (False, True):
                with self.subTest(way=way, tls=is_tls), self.play(way, 0.5, is_tls) as play:
                    client = play.connect(is_tls)
                    if is_tls:
                        client = self.wrap(client)
                    client.sendall(b"m")
                    play.wait_for(messages.ENDED)
                    play.wait_log("info: .* session ended: the client has taken nothing for 0.5 s")
                    self.assertTrue(echoes(play.connect()), "the next one")
                    client.close()

    def test_a_client_that_reads_gets_all(self):
        """Also one that takes longer than the limit in all."""
        for way in ("streams", "protocol"):
            with self.subTest(way), self.play(way, 4) as play:
                client = play.connect()
                client.sendall(b"m")
                n, end = 0, time.monotonic() + 8
                while time.monotonic() < end:
                    n += len(client.recv(10000))
                    time.sleep(0.1)
                self.assertEqual(n + len(read_to_end(client)), 4000000)
                play.wait_for(messages.ENDED)

    def test_a_session_that_is_cancelled_leaves_the_loop_without_its_socket(self):
        for way in ("streams", "protocol"):
            with self.subTest(way), self.play(way, 30) as play:
                client = play.connect()
                client.sendall(b"c")
                play.wait_for(messages.ENDED)
                # It has the same descriptor.
                self.assertTrue(echoes(play.connect(), b"e"))
                self.assertTrue(echoes(play.connect(), b"e"))

    def test_handshakes_are_reported(self):
        for way in ("streams", "protocol"):
            with self.subTest(way), self.play(way, 30, True) as play:
                client = self.wrap(play.connect(is_tls=True))
                self.assertTrue(echoes(client, b"e"))
                known = {"CONNECTION": "0000000000000001", "PROTOCOL": client.version(), "CIPHER": client.cipher()[0]}
                self.assertEqual(play.texts(TLS), known)
                # A new dispatcherd is told again.
                play.send(messages.strings(messages.ADOPT, [("VERSION", "1"), ("TLS", "1")]))
                self.assertEqual(play.texts(TLS), known)
                self.assertEqual(play.seen[-3:], [messages.HELD, messages.READY, TLS])
                client.close()
                play.wait_for(messages.ENDED)
                for text in (b"EHLO me\r\n", b"GET / HTTP/1.0\r\n\r\n"):
                    play.connect(is_tls=True).sendall(text)
                    self.assertEqual(play.texts(TLS), {"FAILED_plain_text": "1"})
                    play.wait_for(messages.ENDED)
                play.connect(is_tls=True).shutdown(socket.SHUT_WR)
                self.assertEqual(play.texts(TLS), {"FAILED_gone": "1"})
                stranger = play.connect(is_tls=True)
                with self.assertRaises(ssl.SSLError):
                    ssl.create_default_context().wrap_socket(stranger, server_hostname="localhost")
                self.assertEqual(play.texts(TLS), {"FAILED_bad_certificate": "1"})
                play.wait_for(messages.ENDED)
                self.assertEqual(play.log_text().count("info: TEST: "), 4)
                self.assertNotIn("err: ", play.log_text())

    def test_a_tls_port_without_a_certificate(self):
        with self.play("streams", 30) as play:
            play.connect(is_tls=True)
            self.assertEqual(play.texts(TLS), {"FAILED_no_certificate": "1"})
            play.wait_log("err: .* came to a TLS_PORT")

    def test_a_dispatcherd_that_does_not_know_the_message_does_not_get_it(self):
        environment = {"WAY": "streams", "SECONDS": "30", "CERT": self.certificate, "KEY": self.key}
        with Dispatcherd(LEAVES, environment=environment, knows_tls=False) as play:
            play.wait_for(messages.READY)
            play.connect(is_tls=True).sendall(b"EHLO me\r\n")
            play.wait_for(messages.ENDED)
            self.wrap(play.connect(is_tls=True)).close()
            play.wait_for(messages.ENDED)
            self.assertNotIn(TLS, play.seen)
            # A new one knows it: nothing is left to tell.
            play.send(messages.strings(messages.ADOPT, [("VERSION", "1"), ("TLS", "1")]))
            play.wait_for(messages.READY)
            play.drain()
            self.assertEqual(play.wait_exit(), 0)
            self.assertEqual(play.receive()[0], 0)

    def test_what_clients_can_cause_is_information_and_limited(self):
        program = """
            import asyncio, dispatcher_worker
            from dispatcher_worker import _limit

            _limit.BURST, _limit.PER_SECOND = 3, 0.001

            async def serve(connection, reader, writer):
                kind = await reader.readexactly(1)
                if kind == b"e":
                    await reader.readexactly(10)
                elif kind == b"l":
                    await reader.readline()
                else:
                    raise KeyError(kind)

            asyncio.run(dispatcher_worker.serve_async(serve))
        """
        with Dispatcherd(program) as play:
            play.wait_for(messages.READY)
            for text in (b"e", b"l" + b"x" * 70000, b"e", b"e", b"f", b"e", b"f", b"f", b"f"):
                with play.connect() as client:
                    client.sendall(text)
                    client.shutdown(socket.SHUT_WR)
                    play.wait_for(messages.ENDED)
            log = play.log_text()
            self.assertEqual((log.count("info: "), log.count("err: ")), (3, 3))
            self.assertEqual(log.count("session failed: KeyError: b'f' at worker.py:"), 3)
            # Within ten seconds, without any further cause.
            play.wait_log(r"info: TEST: sessions: 2 lines left out in \d+ s: 2 of unix \(IncompleteReadError\)\n")
            play.wait_log(r"err: TEST: errors: 1 line left out in \d+ s: 1 of unix \(KeyError\)\n")
            with play.connect() as client:
                client.sendall(b"f")
                play.wait_for(messages.ENDED)
            play.drain()
            self.assertEqual(play.wait_exit(), 0)
            self.assertEqual(play.log_text().count("errors: 1 line left out"), 2, "the rest, at the end")

    def test_a_session_begins_on_the_loop_whoever_sends_its_acknowledgement(self):
        with Dispatcherd(FOREIGN) as play:
            play.wait_for(messages.READY)
            order(play)
            play.wait_log("full\n")
            client = play.offer()
            play.wait_for(messages.ACKNOWLEDGE)
            play.wait_log("alerted\n")
            self.assertTrue(echoes(client))
            self.assertNotIn("Traceback", play.log_text())

    def test_alerts_and_sigterm_while_an_asynchronous_start_is_under_way(self):
        program = """
            import asyncio, dispatcher_worker, os, signal, sys

            async def start(worker):
                worker.alert("the back end is down")
                await asyncio.to_thread(sys.stdin.readline)
                print(worker.drain, file=sys.stderr)

            async def serve(connection, reader, writer):
                pass

            asyncio.run(dispatcher_worker.serve_async(serve, start=start))
        """
        with Dispatcherd(program) as play:
            # Before it is ready.
            self.assertEqual(play.texts(messages.ALERT), {"TEXT": "the back end is down"})
            play.process.terminate()
            order(play)
            play.wait_for(messages.DRAINING)
            self.assertEqual(play.seen[1:], [messages.ALERT, messages.READY, messages.DRAINING])
            self.assertEqual(play.wait_exit(), 0)
            self.assertNotIn("Traceback", play.log_text())


unittest.main()
