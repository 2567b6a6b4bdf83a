#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The neighbours of two workers that serve nobody themselves: an echo server at FOLDER/backend for proxy,
and one at FOLDER/taker that takes connections from pass. "ready" when both listen; ends with its
standard input.
"""

import array
import contextlib
import socket
import sys
import threading


def serve(client):
    with client, contextlib.suppress(OSError):
        while data := client.recv(4096):
            client.sendall(data)


def listen(name):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{sys.argv[1]}/{name}")
    listener.listen(256)
    return listener


def accept(listener):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


def take(listener):
    while True:
        with listener.accept()[0] as sender:
            _, ancillary, _, _ = sender.recvmsg(1, socket.CMSG_SPACE(4))
        if ancillary:
            client = socket.socket(fileno=array.array("i", ancillary[0][2])[0])
            threading.Thread(target=serve, args=(client,), daemon=True).start()


threading.Thread(target=accept, args=(listen("backend"),), daemon=True).start()
threading.Thread(target=take, args=(listen("taker"),), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
