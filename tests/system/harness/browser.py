# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A Chromium without a window, driven through its debugging protocol on a pair of pipes."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

from .wait import wait_until

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
    " --disable-dev-shm-usage --remote-debugging-pipe"
).split()
LIMIT = 120.0


def find_browser():
    """The path of one, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def of_origin(entry, origin):
    """Whether a line of the browser's log is about that server, or about none."""
    return entry.get("url", origin).startswith(origin)


class Browser:
    """One browser with one page."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix="dispatcherd-browser-")
        self.numbers = itertools.count(1)
        self.events = []
        self.unread = b""
        self.session = None
        from_us, to_us = os.pipe(), os.pipe()
        # The browser reads its descriptor 3, and writes its 4; ours must be none of these.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (from_us[0], to_us[1])]
        redirections = f"3<&{theirs[0]} 4>&{theirs[1]} {theirs[0]}<&- {theirs[1]}>&-"
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" {redirections}', "browser", program]
            + [f"--user-data-dir={self.profile}", *OPTIONS],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (from_us[0], to_us[1], *theirs):
            os.close(fd)
        self.writer, self.reader = from_us[1], to_us[0]
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def receive(self, end):
        """The next message."""
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.reader], [], [], max(0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            data = os.read(self.reader, 1 << 20)
            assert data, "the browser has ended"
            self.unread += data
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + LIMIT
        while True:
            answer = self.receive(end)
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer}"
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, expression):
        """The value of a script's expression, which may be a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def complaints(self):
        """What the browser has said against the page since it was opened: errors of scripts and styles, and of
        what the page's policy forbids."""
        origin = self.evaluate("location.origin")
        told = [event for event in self.events if event["method"] == "Log.entryAdded"]
        # The page before may still be told that its server has gone.
        told = [event for event in told if of_origin(event["params"]["entry"], origin)]
        thrown = [event for event in self.events if event["method"] == "Runtime.exceptionThrown"]
        return [event["params"] for event in told + thrown]

    def look_as(self, width, height, is_dark=False, has_scripts=True):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not has_scripts)

    def open(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)
        wait_until(
            lambda: self.evaluate("document.readyState") == "complete"
            and self.evaluate("location.href") == url,
            LIMIT,
            f"the browser shows {url}",
        )

    def picture(self, path, is_whole=True):
        """Writes a picture of the page as a PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=is_whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.writer)
        os.close(self.reader)
        shutil.rmtree(self.profile, ignore_errors=True)
