# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Name servers: a real rbldnsd, behind one that can also say nothing, or nonsense."""

import os
import signal
import socket
import struct
import tempfile
import threading

from .wait import wait_until

# RFC 5782, 5: 127.0.0.2 is always listed.
LISTED_IPV4 = ":127.0.0.2:Listed ($)\n127.0.0.2\n198.51.100.7\n198.51.100.16/28\n"
LISTED_IPV6 = ":127.0.0.2:Listed ($)\n0:0:0:0:0:ffff:7f00:2\n2001:db8:1::7\n"
LISTED_SILENTLY = ":127.0.0.2:\n127.0.0.2\n198.51.100.7\n"


def name_of(packet):
    """The name that is asked for, in lower case, and where the question ends."""
    labels = []
    at = 12
    while length := packet[at]:
        labels.append(packet[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    return ".".join(labels), at + 5


def answer(packet, address):
    """An answer that holds one A record; none where the address is None."""
    _, end = name_of(packet)
    head = packet[:2] + struct.pack("!5H", 0x8580, 1, 1 if address else 0, 0, 0)
    record = b""
    if address:
        record = struct.pack("!3HIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)
    return head + packet[12:end] + record


class NameServer:
    """Asks rbldnsd about *.list.test, *.mute.test (no TXT) and whatever has no way of its own:

    *.silent.test   is never answered
    *.garbage.test  gets bytes that are no answer
    *.world.test    everybody is listed
    *.parked.test   everybody has an address that means nothing
    *.refusing.test 127.255.255.254: it does not answer our resolver
    """

    def __init__(self, site, address=("127.0.0.1", 0)):
        # rbldnsd gives up being root, and must still find its files.
        self.folder = tempfile.TemporaryDirectory()
        folder = self.folder.name
        os.chmod(folder, 0o755)
        for name, text in {"v4": LISTED_IPV4, "v6": LISTED_IPV6, "mute": LISTED_SILENTLY}.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        backend = site.free_port()
        self.backend = ("127.0.0.1", backend)
        self.questions = []
        self.sock = site.open_socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(address)
        self.forward = site.open_socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.forward.settimeout(1)
        self.log = open(os.path.join(folder, "rbldnsd.log"), "w")
        zones = ["list.test:ip4trie:v4", "list.test:ip6trie:v6", "mute.test:ip4trie:mute"]
        self.program = site.spawn(
            *f"rbldnsd -n -b 127.0.0.1/{backend} -w {folder}".split(), *zones, stdout=self.log
        )
        wait_until(self.is_up, what="an answer of rbldnsd")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        site.add_helper(self)

    @property
    def server(self):
        return "%s:%d" % self.sock.getsockname()

    def ask_backend(self, packet):
        try:
            self.forward.sendto(packet, self.backend)
            # After a pause, late answers to earlier questions come first.
            while (reply := self.forward.recv(4096))[:2] != packet[:2]:
                pass
            return reply
        except OSError:
            return b""

    def pause(self):
        """From now on the lists of rbldnsd are silent."""
        self.program.send_signal(signal.SIGSTOP)

    def resume(self):
        self.program.send_signal(signal.SIGCONT)

    def is_up(self):
        labels = [b"2", b"0", b"0", b"127", b"list", b"test"]
        name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
        packet = struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + name + struct.pack("!2H", 1, 1)
        return len(self.ask_backend(packet)) > len(packet)

    def reply_to(self, packet, name):
        zone = ".".join(name.split(".")[-2:])
        if zone == "silent.test":
            return None
        if zone == "garbage.test":
            return packet[:2] + os.urandom(60)
        if zone == "world.test":
            return answer(packet, "127.0.0.2")
        if zone == "parked.test":
            return answer(packet, "192.0.2.80")
        if zone == "refusing.test":
            return answer(packet, "127.255.255.254")
        return self.ask_backend(packet)

    def serve(self):
        while True:
            packet, peer = self.sock.recvfrom(4096)
            if not packet:
                return
            name, _ = name_of(packet)
            self.questions.append(name)
            reply = self.reply_to(packet, name)
            if reply:
                self.sock.sendto(reply, peer)

    def close(self):
        self.forward.sendto(b"", self.sock.getsockname())
        self.thread.join(5)
        self.sock.close()
        self.forward.close()
        self.log.close()
        self.folder.cleanup()
