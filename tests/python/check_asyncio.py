#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Connections on the event loop of asyncio, with a dispatcherd that the test plays."""

import unittest

from dispatcher_worker import _messages as messages
from play import Dispatcherd, echoes

# The commands on standard input are obeyed by a thread.
FOREIGN = """
    import asyncio, dispatcher_worker, sys, threading

    gate = threading.Event()

    def obey(worker, loop):
        sys.stdin.readline()
        n = 0
        while not worker._unsent:  # the channel is full
            n += 1
            worker.alert(f"alert {n}")
        print("full", file=sys.stderr, flush=True)
        sys.stdin.readline()
        while not any(unsent.connections for unsent in list(worker._unsent)):
            pass
        blocked = threading.Event()
        loop.call_soon_threadsafe(lambda: blocked.set() or gate.wait(20))
        blocked.wait(20)
        print("blocked", file=sys.stderr, flush=True)
        sys.stdin.readline()
        try:
            worker.alert("the last")
        finally:
            print("alerted", file=sys.stderr, flush=True)
            gate.set()

    def start(worker):
        loop = asyncio.get_running_loop()
        threading.Thread(target=obey, args=(worker, loop), daemon=True).start()

    async def echo(connection, reader, writer):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()

    # It tells what is called on another thread.
    asyncio.run(dispatcher_worker.serve_async(echo, start=start), debug=True)
"""


def order(play):
    play.process.stdin.write(b"go on\n")
    play.process.stdin.flush()


class Asyncio(unittest.TestCase):
    def test_a_session_begins_on_the_loop_whoever_sends_its_acknowledgement(self):
        with Dispatcherd(FOREIGN) as play:
            play.wait_for(messages.READY)
            order(play)
            play.wait_log("full\n")
            client = play.offer()
            order(play)
            play.wait_log("blocked\n")
            # Room for all that waits, which the thread's alert() sends.
            while play.has_message():
                play.receive()
            order(play)
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
