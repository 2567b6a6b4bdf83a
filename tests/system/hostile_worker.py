#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A worker that a client has taken over, and that turns against everybody else, as its PARAMETER
MODE= says. What it tries, and what becomes of that, stands in its log: "hostile: CALL: ERROR".

It serves one connection. Most modes make whoever closes that socket last wait for LINGER_SEC:

    linger      dispatcherd, with its own copy, after an acknowledgement
    refuse      likewise, after a refusal
    back        dispatcherd, with the copy that it is sent in a packet
    behind      likewise, behind a packet that is too long
    unread      systemd, with what lies unread in the channel that it keeps
    notify      systemd, by sd_notify(3)
    journal     journald, by a datagram
    nested      dispatcherd, with a socket in which the socket lies unread

    net         nobody: it makes a connection to 127.0.0.1:PORT, and a
                listener at OTHER, of the socket
"""

import array
import ctypes
import errno
import os
import socket
import struct
import time

HELLO, READY, ACKNOWLEDGE, REFUSE, ENDED = range(1, 6)

LINGER_SEC = 40

channel = socket.socket(fileno=3)
libc = ctypes.CDLL(None, use_errno=True)


def send(kind, value=0, body=b"", fds=()):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    channel.sendmsg([struct.pack("=II", kind, value) + body], control)


def attempt(name, function, *arguments):
    try:
        function(*arguments)
        result = "done"
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(f"hostile: {name}: {result}", flush=True)
    return result == "done"


def over():
    """Said before it closes what it has not passed on: then it may have to wait itself."""
    print("hostile: over", flush=True)


def notify(text, fds=()):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendmsg([text], control, 0, path)


def make_linger(client):
    option = struct.pack("ii", 1, LINGER_SEC)
    attempt("linger", client.setsockopt, socket.SOL_SOCKET, socket.SO_LINGER, option)
    client.setblocking(False)
    try:
        while True:
            client.send(bytes(65536))
    except BlockingIOError:
        pass


def linger(client, identifier):
    client.close()
    send(ACKNOWLEDGE, 1, identifier)
    over()


def refuse(client, identifier):
    client.close()
    send(REFUSE, 1, identifier)
    over()


def back(client, identifier):
    send(ACKNOWLEDGE, 1, identifier)
    attempt("back", send, ENDED, 0, b"", [client.fileno()])
    over()
    client.close()


def behind(client, identifier):
    """dispatcherd is kept busy, so that all lies there when it finds the first one."""
    send(ACKNOWLEDGE, 1, identifier)
    for packet in [struct.pack("=II", ENDED, 0) * 1024] * 8 + [bytes(9000)] * 2:
        channel.send(packet)
    attempt("behind", send, ENDED, 0, b"", [client.fileno()])
    over()
    client.close()


def nested(client, identifier):
    send(ACKNOWLEDGE, 1, identifier)
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [client.fileno()]))]
    a.sendmsg([b"x"], rights)
    client.close()
    attempt("nested", send, ENDED, 0, b"", [b.fileno()])
    over()
    b.close()


def tell_systemd(client, identifier):
    send(ACKNOWLEDGE, 1, identifier)
    attempt("notify", notify, b"FDSTORE=1\nFDNAME=hostile", [client.fileno()])
    over()
    client.close()


def tell_journal(client, identifier):
    send(ACKNOWLEDGE, 1, identifier)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [client.fileno()]))]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    attempt("journal", sock.sendmsg, [b"MESSAGE=x"], rights, 0, "/run/systemd/journal/socket")
    over()
    client.close()


def call(function, *arguments):
    if function(*arguments) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def net(client, identifier):
    port = int(parameters["PORT"])
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, bytes([127, 0, 0, 1]))
    send(ACKNOWLEDGE, 1, identifier)
    attempt("free", call, libc.connect, client.fileno(), bytes(16), 16)
    if attempt("connect", call, libc.connect, client.fileno(), address, 16):
        client.sendall(b"from the sandbox\n")
    attempt("fastopen", client.sendto, b"from the sandbox\n", socket.MSG_FASTOPEN, ("127.0.0.1", port))
    attempt("free", call, libc.connect, client.fileno(), bytes(16), 16)
    attempt("bind", client.bind, ("127.0.0.1", int(parameters["OTHER"])))
    attempt("listen", client.listen)
    attempt("accept4", call, libc.accept4, client.fileno(), None, None, os.O_NONBLOCK)
    attempt("io_uring", call, libc.syscall, 425, 1, bytes(120))
    attempt("socket", socket.socket, socket.AF_INET, socket.SOCK_STREAM)
    over()


MODES = {
    "linger": linger,
    "refuse": refuse,
    "back": back,
    "behind": behind,
    "unread": behind,
    "notify": tell_systemd,
    "journal": tell_journal,
    "nested": nested,
    "net": net,
}

send(HELLO, 0, b"VERSION_MIN=1\0VERSION_MAX=1\0")
welcome = channel.recv(65536).split(b"\0")
parameters = dict(word[10:].decode().split("=", 1) for word in welcome if word.startswith(b"PARAMETER="))
send(READY, 1)
notify(b"READY=1")
data, control, _, _ = channel.recvmsg(65536, 64)
connection = socket.socket(fileno=array.array("i", control[0][2])[0])
if parameters["MODE"] != "net":
    make_linger(connection)
MODES[parameters["MODE"]](connection, data[8:16])
time.sleep(5 if parameters["MODE"] == "unread" else 90)
