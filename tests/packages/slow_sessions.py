#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Many SMTP sessions at once that stop in the middle of their message, and go on when they are told.

Usage: slow_sessions.py NUMBER

Writes "open" when the server waits for the rest of each message; reads a line; sends the rest, and
reads the answers. Exits with 0 if every message was accepted. To be run in the network of the server,
port 25 of 127.0.0.1.
"""

import smtplib
import sys

LIMIT_SEC = 120  # for each answer
FROM_ONE_ADDRESS = 25  # less than MAX_CONNS_PER_ADDRESS and MAX_CONNS_PER_NETWORK


def connect(n):
    source = (f"127.0.{1 + n // FROM_ONE_ADDRESS}.1", 0)
    client = smtplib.SMTP("127.0.0.1", 25, "client.example", LIMIT_SEC, source_address=source)
    client.ehlo()
    for command, code in (
        ("MAIL FROM:<slow@client.example>", 250),
        ("RCPT TO:<somebody@localhost>", 250),
        ("DATA", 354),
    ):
        answer = client.docmd(command)
        assert answer[0] == code, f"session {n}: {command}: {answer}"
    client.send(f"Subject: slow {n}\r\n\r\nhalf of ".encode())
    return client


def main():
    clients = [connect(n) for n in range(int(sys.argv[1]))]
    print("open", flush=True)
    sys.stdin.readline()
    n_lost = 0
    for n, client in enumerate(clients):
        try:
            client.send(b"a message\r\n.\r\n")
            answer = client.getreply()
            assert answer[0] == 250, answer
            client.quit()
        except (OSError, smtplib.SMTPException, AssertionError) as error:
            n_lost += 1
            print(f"session {n} is lost: {error!r}", flush=True)
    print(f"{len(clients) - n_lost} accepted, {n_lost} lost", flush=True)
    return 1 if n_lost else 0


if __name__ == "__main__":
    sys.exit(main())
