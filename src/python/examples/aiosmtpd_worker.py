#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""aiosmtpd (Debian: python3-aiosmtpd) as a worker: its SMTP class as it is, with a maildir.

PARAMETER=MAILDIR=path (default: $STATE_DIRECTORY/mail); PARAMETER=TLS_CERT=file and TLS_KEY=file, for
STARTTLS on PORT and TLS on TLS_PORT.
"""

import asyncio
import mailbox
import os
import ssl

import dispatcher_worker
from aiosmtpd.handlers import AsyncMessage
from aiosmtpd.smtp import SMTP


class ToMaildir(AsyncMessage):
    """A message is on the disk before it is answered by 250."""

    def __init__(self, path):
        super().__init__()
        self.maildir = mailbox.Maildir(path)

    async def handle_message(self, message):
        await asyncio.to_thread(self.keep, message)

    def keep(self, message):
        self.maildir.add(message)  # written, synchronized, and moved to new


class Server:
    context = None

    def start(self, worker):
        folder = worker.parameter("MAILDIR", os.environ.get("STATE_DIRECTORY", ".") + "/mail")
        for path in (folder, f"{folder}/tmp", f"{folder}/new", f"{folder}/cur"):
            os.makedirs(path, mode=0o700, exist_ok=True)  # other workers may be doing the same
        self.handler = ToMaildir(folder)
        certificate = worker.parameter("TLS_CERT")
        if certificate:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.context.load_cert_chain(certificate, worker.parameter("TLS_KEY"))

    def protocol(self, connection):
        """One for each connection. A client of a TLS_PORT speaks TLS already."""
        starttls = None if connection.is_tls else self.context
        return SMTP(self.handler, hostname=connection.worker.host_name, tls_context=starttls)


async def main():
    server = Server()
    await dispatcher_worker.serve_protocol(server.protocol, tls=lambda connection: server.context, start=server.start)


asyncio.run(main())
