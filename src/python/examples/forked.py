#!/usr/bin/env -S python3 -m dispatcher_worker.forkserver
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Says what it knows of a line that the client sends; as a program of inetd or, forked, as a worker."""

import email.utils
import os
import ssl
import sys


def main():
    print(f"220 {os.environ['TCPREMOTEIP']}, {ssl.OPENSSL_VERSION}", flush=True)
    for line in sys.stdin:
        print(email.utils.parseaddr(line.strip())[1] or "no address", flush=True)


if __name__ == "__main__":
    main()
