# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A fork server: imports a script once, and serves each connection by a process that is forked from there.

    python3 -m dispatcher_worker.forkserver SCRIPT [ARGUMENT]...

or, as the first line of the script itself, which is then the IMAGE of dispatcher.cnf(5):

    #!/usr/bin/env -S python3 -m dispatcher_worker.forkserver

The script is run once, under another name than __main__, so that all that it imports and prepares is there.
For each connection its function main() is called in a new process, with the connection as descriptors 0 and
1, which are sys.stdin and sys.stdout, and the log as descriptor 2, and with the environment that IMAGE=inetd
gives: PROTO, TCPREMOTEIP, TCPREMOTEPORT, TCPLOCALIP, TCPLOCALPORT, REMOTE_ADDR, REMOTE_PORT,
DISPATCHER_CONNECTION, DISPATCHER_SERVICE. The session is over when that process has ended. So a script that
inetd starts needs no change if it has the usual last lines:

    if __name__ == "__main__":
        main()

What is shared by all sessions is what the script has made before: files that it has opened, connections,
threads (which do not survive fork(2)). Open in main() what is not to be shared.

A session is killed if the fork server is, since the service gives its place away then."""

from __future__ import annotations

import ctypes
import gc
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ._channel import WorkerError
from ._connection import Connection
from ._exceptions import is_by_client
from ._threads import Loop

RUN_NAME = "__dispatcher_worker__"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_prctl = ctypes.CDLL(None).prctl


def _environment(connection: Connection) -> dict[str, str]:
    peer, local = connection.peer, connection.local
    mine = {"DISPATCHER_CONNECTION": connection.id, "DISPATCHER_SERVICE": connection.worker.service}
    if peer.host == "unix":
        return mine | {"PROTO": "UNIX"}
    return mine | {
        "PROTO": "TCP",
        "TCPREMOTEIP": peer.host,
        "TCPREMOTEPORT": str(peer.port),
        "TCPLOCALIP": local.host,
        "TCPLOCALPORT": str(local.port),
        "REMOTE_ADDR": peer.host,
        "REMOTE_PORT": str(peer.port),
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have none
        return f"signal {number}"


def _die_with(parent: int) -> None:
    """By hand nobody else ends the sessions of a fork server that was killed."""
    _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it was killed before
        os._exit(1)


def _become_session(connection: Connection, main: Callable[[], Any], loop: Loop) -> int:
    """In the new process. Returns its exit status."""
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.environ.update(_environment(connection))
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        os.environ.pop(name, None)
    fd = connection.socket.detach()
    os.dup2(fd, 0)
    os.dup2(fd, 1)
    if fd > 1:
        os.close(fd)
    for standard in (0, 1):
        os.set_inheritable(standard, True)  # if it was `fd` itself
    loop._leave()
    try:
        main()
        sys.stdout.flush()
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        # A client that goes away is worth no traceback.
        if not is_by_client(error):
            traceback.print_exc()
        elif not isinstance(error, BrokenPipeError):
            print(f"session ended: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


class _Server:
    def __init__(self, main: Callable[[], Any]) -> None:
        self._main = main
        self._sessions: dict[int, Connection] = {}
        self.loop = Loop(self._begin, self._on_signal)
        self.loop.life.on_cut = self._kill_all
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _begin(self, connection: Connection) -> None:
        server = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError as error:
            text = f"cannot make a process for the session: {error.strerror}"
            connection._report(3, text, error.strerror)
            self.loop.life.end(connection)
            return
        if pid == 0:
            status = 1
            try:
                _die_with(server)
                status = _become_session(connection, self._main, self.loop)
                sys.stdout.flush()
            finally:
                os._exit(status)
        self._sessions[pid] = connection
        connection.socket.close()

    def _on_signal(self, number: int) -> None:
        if number != signal.SIGCHLD:
            return
        while self._sessions:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            connection = self._sessions.pop(pid, None)
            if connection:
                self._end(connection, os.waitstatus_to_exitcode(status))

    def _end(self, connection: Connection, code: int) -> None:
        if code < 0:
            name = _signal_name(-code)
            connection._report(4, f"its process was killed by {name}", name)
        elif code:
            text = f"its process has ended with status {code}"
            connection._report(5, text, f"status {code}")
        self.loop.life.end(connection)

    def _kill_all(self) -> None:
        for pid in self._sessions:
            os.kill(pid, signal.SIGKILL)


def run(script: str) -> None:
    """Imports the script and serves, until this worker is told to end."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    main = runpy.run_path(script, run_name=RUN_NAME).get("main")
    if not callable(main):
        raise WorkerError(f"{script} has no function main()")
    # What is there by now stays, and its pages are to stay shared.
    gc.collect()
    gc.freeze()
    _Server(main).loop.run()


def _main() -> None:
    if len(sys.argv) < 2:
        print("Usage: python3 -m dispatcher_worker.forkserver SCRIPT [ARGUMENT]...", file=sys.stderr)
        sys.exit(2)
    sys.argv = sys.argv[1:]
    run(sys.argv[0])


if __name__ == "__main__":
    _main()
