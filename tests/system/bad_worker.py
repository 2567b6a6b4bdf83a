#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A worker that breaks the protocol of dispatcher-worker(7), as its PARAMETER MODE= says.

Only the one in slot 0 does, so that another one is there to serve. The sessions know the commands
`pid` and `quit`.

At the start:       die-early, hang, ready-0, ready-too-many, ready-twice, flood, hello-twice;
                    version, if the program's name begins so; fork, likewise: a child says hello
                    and exits, and the first process stays
At a drain:         stubborn: takes no notice, and feeds its watchdog
At a connection:    silent, die, close, stranger, end-early, end-twice, acknowledge-twice, unknown,
                    ours, garbage, oversized, empty, descriptors, refuse

Where the program's name begins with "ring" it asks for a ring, and tells by it; at a connection:
                    ring-stranger, ring-end-early, ring-end-twice, ring-tail, ring-tail-back,
                    ring-type, ring-drain-twice, ring-message, ring-silent
"""

import array
import mmap
import os
import signal
import socket
import struct
import sys
import threading
import time

HELLO, READY, ACKNOWLEDGE, REFUSE, ENDED, DRAINING, HELD, NEWS = range(1, 9)
WELCOME, CONNECTION, DRAIN = range(65, 68)
RECORD = struct.Struct("=QQ24s24sIHH")

channel = socket.socket(fileno=3)
n_sessions = 0
is_draining = False
lock = threading.Lock()


def message(kind, value=0, body=b""):
    return struct.pack("=II", kind, value) + body


def send(kind, value=0, body=b""):
    try:
        channel.sendall(message(kind, value, body))
        return True
    except OSError:
        return False


def receive():
    """The next message with its descriptors; None at the end of the channel."""
    while True:
        try:
            data, control, _, _ = channel.recvmsg(65536, socket.CMSG_SPACE(64), socket.MSG_CMSG_CLOEXEC)
            break
        except ConnectionResetError:
            pass
    if not data:
        return None
    fds = array.array("i")
    for _, kind, payload in control:
        if kind == socket.SCM_RIGHTS:
            fds.frombytes(payload)
    return struct.unpack_from("=II", data), data[8:], fds.tolist()


class Ring:
    """What stands in the shared memory; see dispatcher-worker(7)."""

    TAIL, ENTRIES = 64, 256
    CLOSED = 1 << 63

    def __init__(self, fd, n_entries):
        self.lock = threading.Lock()
        self.n_entries = n_entries
        self.memory = mmap.mmap(fd, self.ENTRIES + 16 * n_entries)
        os.close(fd)

    def get(self, offset):
        return struct.unpack_from("=Q", self.memory, offset)[0]

    def write(self, *entries):
        """Entries (type, identifier); pokes in any case."""
        with self.lock:
            tail = self.get(self.TAIL)
            if tail & self.CLOSED:
                return False
            for kind, identifier in entries:
                at = self.ENTRIES + tail % self.n_entries * 16
                struct.pack_into("=8sII", self.memory, at, identifier, kind, 0)
                tail += 1
            return self.publish(tail)

    def publish(self, tail):
        # Not the compare-and-swap that it should be: these workers are never given up for nothing.
        struct.pack_into("=Q", self.memory, self.TAIL, tail)
        return send(NEWS)


ring = None


def tell(kind, identifier):
    """Of one connection, by the ring or by a message. False where dispatcherd has given us up."""
    if ring:
        return ring.write((kind, identifier))
    return send(kind, 1, identifier)


def leave_if_done():
    if is_draining and n_sessions == 0:
        os._exit(0)


def session(fd, identifier):
    global n_sessions
    try:
        with socket.socket(fileno=fd) as client:
            for line in client.makefile():
                if line.strip() == "pid":
                    client.sendall(b"%d\n" % os.getpid())
                else:
                    client.sendall(b"bye\n")
                    break
    except OSError:
        pass
    with lock:
        n_sessions -= 1
    tell(ENDED, identifier)
    leave_if_done()


def serve(fd, identifier):
    global n_sessions
    with lock:
        n_sessions += 1
    if tell(ACKNOWLEDGE, identifier):
        threading.Thread(target=session, args=(fd, identifier), daemon=True).start()
    else:
        os.close(fd)
        with lock:
            n_sessions -= 1


def drain():
    global is_draining
    is_draining = True
    leave_if_done()


# Faults at a connection. Each gets its descriptor and its identifier.


def silent(fd, identifier):
    os.close(fd)


def die(fd, identifier):
    os.kill(os.getpid(), signal.SIGKILL)


def close(fd, identifier):
    os.close(fd)
    channel.close()
    while True:
        signal.pause()


def stranger(fd, identifier):
    os.close(fd)
    send(ENDED, 1, struct.pack("=Q", 12345))


def end_early(fd, identifier):
    os.close(fd)
    send(ENDED, 1, identifier)


def end_twice(fd, identifier):
    os.close(fd)
    send(ACKNOWLEDGE, 1, identifier)
    send(ENDED, 2, identifier + identifier)


def acknowledge_twice(fd, identifier):
    send(ACKNOWLEDGE, 2, identifier + identifier)
    os.close(fd)


def unknown(fd, identifier):
    os.close(fd)
    send(99)


def ours(fd, identifier):
    os.close(fd)
    send(WELCOME)


def garbage(fd, identifier):
    os.close(fd)
    channel.sendall(b"xyz")


def oversized(fd, identifier):
    os.close(fd)
    send(ENDED, 15000, bytes(120000))


def empty(fd, identifier):
    os.close(fd)
    channel.send(b"")


def descriptors(fd, identifier):
    rights = array.array("i", [fd] * 16)
    try:
        channel.sendmsg(
            [message(ACKNOWLEDGE, 1, identifier)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
        )
    except PermissionError:
        send(99)  # from Linux 6.16 on the kernel refuses them
    os.close(fd)


def refuse(fd, identifier):
    os.close(fd)
    send(REFUSE, 1, identifier)


# Faults in a ring.


def ring_stranger(fd, identifier):
    os.close(fd)
    ring.write((ENDED, struct.pack("=Q", 12345)))


def ring_end_early(fd, identifier):
    os.close(fd)
    ring.write((ENDED, identifier))


def ring_end_twice(fd, identifier):
    os.close(fd)
    ring.write((ACKNOWLEDGE, identifier), (ENDED, identifier), (ENDED, identifier))


def ring_tail(fd, identifier):
    os.close(fd)
    ring.publish(ring.get(ring.TAIL) + ring.n_entries + 1)


def ring_tail_back(fd, identifier):
    os.close(fd)
    ring.publish(2**63 - 1)


def ring_type(fd, identifier):
    os.close(fd)
    ring.write((READY, identifier))


def ring_drain_twice(fd, identifier):
    os.close(fd)
    ring.write((DRAINING, identifier), (DRAINING, identifier))


def ring_message(fd, identifier):
    os.close(fd)
    send(REFUSE, 1, identifier)


def ring_silent(fd, identifier):
    os.close(fd)


FAULTS = {
    name.replace("_", "-"): globals()[name]
    for name in "silent die close stranger end_early end_twice acknowledge_twice unknown ours "
    "garbage oversized empty descriptors refuse ring_stranger ring_end_early ring_end_twice "
    "ring_tail ring_tail_back ring_type ring_drain_twice ring_message ring_silent".split()
}


def flood():
    """For three seconds, or until nobody reads."""
    end = time.monotonic() + 3
    while time.monotonic() < end and send(DRAINING):
        pass
    os._exit(0)


def become_ready(mode, max_conns):
    if mode == "die-early":
        os._exit(1)
    if mode == "hang":
        signal.pause()
    if mode == "hello-twice":
        send(HELLO, 0, b"VERSION_MIN=1\0VERSION_MAX=1\0")
    n_places = {"ready-0": 0, "ready-too-many": max_conns + 1}.get(mode, max_conns)
    send(READY, n_places)
    if mode == "ready-twice":
        send(READY, n_places)
    if mode == "flood":
        flood()


def notify(state):
    """To systemd, where this is a unit of it."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(state, path.replace("@", "\0", 1))


def stay():
    """For ever, but for SIGKILL."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        notify(b"READY=1\nWATCHDOG=1")
        time.sleep(1)


def fork_and_stay():
    child = os.fork()
    if child == 0:
        send(HELLO, 0, b"VERSION_MIN=1\0VERSION_MAX=1\0")
        receive()
        os._exit(0)
    stay()


def greet():
    """Returns what dispatcherd told."""
    is_stranger = os.path.basename(sys.argv[0]).startswith("version")
    version = b"77" if is_stranger else b"1"
    wants_ring = os.path.basename(sys.argv[0]).startswith("ring")
    hello = b"VERSION_MIN=%s\0VERSION_MAX=%s\0" % (version, version)
    send(HELLO, 0, hello + (b"RING=1\0" if wants_ring else b""))
    answer = receive()
    if not answer:
        sys.exit(1)
    (kind, _), body, fds = answer
    assert kind == WELCOME
    told = dict(line.split("=", 1) for line in body.decode().split("\0")[:-1])
    if wants_ring:
        global ring
        ring = Ring(fds[0], int(told["RING"]))
    assert len(fds) >= int(wants_ring)
    if len(fds) > int(wants_ring):
        os.dup2(fds[-1], 1)
    return told["PARAMETER"].removeprefix("MODE=") if told["SLOT"] == "0" else "good", told


def main():
    if os.path.basename(sys.argv[0]).startswith("fork"):
        fork_and_stay()
    mode, told = greet()
    become_ready(mode, int(told["MAX_CONNS"]))
    if mode == "stubborn":
        stay()
    notify(b"READY=1")
    while answer := receive():
        (kind, value), body, fds = answer
        if kind == DRAIN:
            drain()
        offset = 0
        for fd in fds:
            identifier = body[offset : offset + 8]
            *_, tag, note = RECORD.unpack_from(body, offset)
            offset += (RECORD.size + tag + note + 7) & ~7
            FAULTS.get(mode, serve)(fd, identifier)
    drain()
    while True:
        signal.pause()


main()
