#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The fork server: what a session has of it, and how both end."""

import os
import signal
import unittest

from dispatcher_worker import _messages as messages
from play import Dispatcherd, read_line, read_to_end, wait_until

LISTING = """
    import os, socket, sys
    import dispatcher_worker._log as log

    # A journal.
    log._JOURNAL = os.environ["FOLDER"] + "/journal"
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(log._JOURNAL)
    os.environ["JOURNAL_STREAM"] = "%d:%d" % (os.fstat(2).st_dev, os.fstat(2).st_ino)

    LOG = open(os.environ["FOLDER"] + "/script.log", "w")
    MINE = {0, 1, 2, LOG.fileno(), journal.fileno()}

    def main():
        with open(os.environ["FOLDER"] + "/data", "w") as data:
            LOG.write("a line\\n")
            LOG.flush()
            data.flush()
            found = {int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)}
            others = found - MINE - {data.fileno()}
            print("others", sorted((fd, os.readlink(f"/proc/self/fd/{fd}")) for fd in others), flush=True)
        sys.stdin.read()
"""

ECHO = """
    import os, sys

    def main():
        for line in sys.stdin:
            print(os.getpid(), line, end="", flush=True)
"""


class ForkServer(unittest.TestCase):
    def test_a_session_has_the_files_of_the_script_and_nothing_of_the_worker(self):
        with Dispatcherd(LISTING, is_forked=True) as play:
            play.wait_for(messages.READY)
            # The second is forked while the first goes on.
            for n in (1, 2):
                client = play.connect()
                self.assertEqual(read_line(client), b"others []\n")
                with open(play.folder + "/script.log") as file:
                    self.assertEqual(file.read(), "a line\n" * n)
                self.assertEqual(os.stat(play.folder + "/data").st_size, 0)

    def test_a_session_dies_with_a_fork_server_that_is_killed(self):
        with Dispatcherd(ECHO, is_forked=True) as play:
            play.wait_for(messages.READY)
            client = play.connect()
            client.sendall(b"hello\n")
            pid = int(read_line(client).split()[0])
            play.process.kill()
            self.assertEqual(client.recv(4096), b"", "the session goes on")
            wait_until(lambda: not os.path.exists(f"/proc/{pid}/exe"), "its process has ended")

    def test_every_signal_that_kills_a_session_is_reported(self):
        program = """
            import os, sys

            def main():
                os.kill(os.getpid(), int(sys.stdin.readline()))
        """
        with Dispatcherd(program, is_forked=True) as play:
            play.wait_for(messages.READY)
            for number, name in (
                (signal.SIGKILL, "SIGKILL"),
                (signal.SIGRTMIN + 1, f"signal {signal.SIGRTMIN + 1}"),
                (signal.SIGTERM, "SIGTERM"),
            ):
                client = play.connect()
                client.sendall(b"%d\n" % number)
                play.wait_for(messages.ENDED)
                play.wait_log(f"killed by {name}\n")

    def test_a_session_has_no_descriptors_of_an_invalid_message(self):
        """It begins when the channel ends, if the channel was full before: its acknowledgement goes out
        as the last thing."""
        program = """
            import os, sys
            from dispatcher_worker._life import Life

            take = Life._take

            def late(self, message, fds):
                # As if the channel had been full until now.
                if message.kind == 65:
                    self._take_connections(self.waiting.records, self.fds)
                    take(self, message, fds)
                elif message.kind == 66:
                    self.waiting, self.fds = message, [os.dup(fd) for fd in fds]
                else:
                    take(self, message, fds)

            Life._take = late

            def main():
                for name in os.listdir("/proc/self/fd"):
                    if os.path.exists("/proc/self/fd/" + name):
                        print(os.readlink("/proc/self/fd/" + name))
        """
        with Dispatcherd(program, is_forked=True) as play:
            play.wait_for(messages.READY)
            client = play.offer()
            with open(play.folder + "/strange", "w") as file:
                play.send(messages.strings(messages.WELCOME, [("VERSION", "1")]), [file.fileno()])
            found = read_to_end(client).decode()
            self.assertIn("socket:", found)
            self.assertNotIn("strange", found)

    def test_lines_that_clients_can_cause_are_limited(self):
        program = '''
            import sys
            from dispatcher_worker import _limit

            _limit.BURST, _limit.PER_SECOND = 2, 0.001

            def main():
                line = sys.stdin.readline()
                if line == "reset\\n":
                    raise ConnectionResetError("gone")
                raise {"input": EOFError, "fault": KeyError}[line.strip()]("x")
        '''
        with Dispatcherd(program, is_forked=True) as play:
            play.wait_for(messages.READY)
            for text in (b"reset", b"input", b"fault", b"fault"):
                with play.connect() as client:
                    client.sendall(text + b"\n")
                    play.wait_for(messages.ENDED)
            play.drain()
            self.assertEqual(play.wait_exit(), 0)
            log = play.log_text()
            self.assertEqual(log.count("notice: TEST: connection "), 2)
            self.assertIn("notice: TEST: notices: 2 lines left out in ", log)
            self.assertIn("session ended: ConnectionResetError: gone\n", log)
            self.assertIn("session ended: EOFError: x\n", log)
            self.assertEqual(log.count("Traceback"), 2, "of faults of the program only")

    def test_a_session_ends_by_its_client(self):
        with Dispatcherd(ECHO, is_forked=True) as play:
            play.wait_for(messages.READY)
            with play.connect() as client:
                client.sendall(b"x\n")
                self.assertTrue(read_line(client).endswith(b" x\n"))
            play.wait_for(messages.ENDED)
            play.drain()
            self.assertEqual(play.wait_exit(), 0)


unittest.main()
