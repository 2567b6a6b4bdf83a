# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Calls to the control socket without a process for each: what tests look at often.

dispatcherctl itself is tested by those that call Site.control()."""

import json
import socket

INTERFACE = "io.dispatcherd.Control"
TRIES_MAX = 4  # as dispatcherctl: of too many clients dispatcherd closes some


class CallFailed(AssertionError):
    """dispatcherd cannot be reached, or answers with an error."""


def call_once(path, limit, method, parameters):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(limit)
        sock.connect(path)
        sock.sendall(json.dumps({"method": f"{INTERFACE}.{method}", "parameters": parameters}).encode() + b"\0")
        reply = b""
        while not reply.endswith(b"\0"):
            part = sock.recv(1 << 18)
            if not part:
                raise ConnectionResetError
            reply += part
    return json.loads(reply[:-1])


def call(path, limit, method, **parameters):
    """Returns the parameters of the reply."""
    for i in range(TRIES_MAX):
        try:
            reply = call_once(path, limit, method, parameters)
            break
        except ConnectionResetError as error:
            if i + 1 == TRIES_MAX:
                raise CallFailed(f"{method}: {error}") from error
        except OSError as error:
            raise CallFailed(f"{method}: {error}") from error
    if "error" in reply:
        raise CallFailed(f"{method}: {reply}")
    return reply["parameters"]


def list_of(path, limit, method, key):
    """The whole of a list that comes in parts."""
    items, after = [], {}
    while True:
        reply = call(path, limit, method, **after)
        items += reply[key]
        if not reply.get("next"):
            return items
        after = {"after": reply["next"]}
