# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherd-web, and what it tells."""

import http.client
import signal
import socket
import subprocess

from .site import LIMIT
from .wait import wait_until


def figures_of(text):
    """A text in Prometheus' format, as a dictionary."""
    lines = text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


class Web:
    """A dispatcherd-web started by hand, beside the site's dispatcherd."""

    def __init__(self, site):
        self.port = site.free_port()
        self.process = subprocess.Popen(
            [
                f"{site.builddir}/dispatcherd-web",
                f"--socket={site.control_path}",
                f"--listen=127.0.0.1:{self.port}",
            ],
            stdin=subprocess.DEVNULL,
        )
        wait_until(self.is_listening, LIMIT, "dispatcherd-web listens")

    def is_listening(self):
        assert self.process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", self.port), LIMIT).close()
        except ConnectionRefusedError:
            return False
        return True

    def ask(self, path="/", method="GET", **headers):
        """The answer, its text read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def text(self, path):
        return self.ask(path).text

    def metrics(self):
        return figures_of(self.ask("/metrics").text)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT) == 0


class WebUnit:
    """The one that is installed, as a unit of the site's systemd."""

    UNITS = ("dispatcherd-web.socket", "dispatcherd-web.service")

    def __init__(self, site):
        self.site = site
        site.run("systemctl", "start", self.UNITS[0])

    def text(self, path, host="127.0.0.1"):
        return self.site.run("curl", "-sS", f"http://{host}:7633{path}").stdout

    def close(self):
        self.site.run("systemctl", "stop", *self.UNITS)


def web_of(site):
    """One of them, which ends with the test. Its text(path) is for both ways."""
    web = Web(site) if site.way == "hand" else WebUnit(site)
    site.add_helper(web)
    return web
