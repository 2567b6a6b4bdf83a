# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""An IDENT server (RFC 1413) that answers in one way, whatever it is asked."""

import socket
import threading


class IdentServer:
    def __init__(self, site, reply):
        """`reply` is a format with {ports}; b"" for ever where it is None: a flood; "": silence."""
        self.reply = reply
        self.questions = []
        self.sock = site.open_socket(socket.AF_INET)
        self.sock.bind(("0.0.0.0", 0))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        self.threads = [threading.Thread(target=self.serve, daemon=True)]
        self.threads[0].start()
        site.add_helper(self)

    def serve(self):
        while True:
            try:
                connection, peer = self.sock.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.talk, args=(connection, peer), daemon=True)
            self.threads.append(thread)
            thread.start()

    def talk(self, connection, peer):
        with connection:
            connection.settimeout(10)
            try:
                ports = connection.makefile().readline().strip()
                self.questions.append((peer[0], ports))
                if self.reply is None:
                    while True:
                        connection.sendall(b"x" * 65536)
                if self.reply:
                    connection.sendall(self.reply.format(ports=ports).encode())
                else:
                    connection.recv(1)  # until the other side has had enough
            except OSError:
                return

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for thread in self.threads:
            thread.join(12)
