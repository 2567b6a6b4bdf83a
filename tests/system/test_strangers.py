# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The control socket under local users without rights: neither the services' clients nor the page,
root or other users notice them."""

import os
import statistics
import time

import pytest

from harness.site import LIMIT
from harness.strangers import Strangers
from harness.wait import wait_until
from harness.web import web_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become other users")

# Fewer services than the most, so that the test is over soon; each adds to what a call costs.
N_SERVICES = 20

# Unhindered strangers made it a hundred times as slow, and more. The rest is for busy machines.
RATIO_MAX = 5
QUICK = 0.01  # seconds: quick on any machine


def run_services(site):
    """Returns the port of one with a worker that is ready."""
    port = site.free_port()
    text = "MIN_PROCS=0\nMAX_PROCS=1\n" + site.service("TEST", PORT=port, MIN_PROCS=1)
    for i in range(N_SERVICES - 1):
        text += site.service(f"T{i}", PORT=site.free_port())
    site.write_config(text)
    site.start()
    return port


def median_greeting(site, port, n=60):
    """How long a client waits for its worker, in seconds."""
    spans = []
    for _ in range(n):
        from_ = time.monotonic()
        with site.connect(port) as client:
            client.pid()
            spans.append(time.monotonic() - from_)
    return statistics.median(spans)


def test_strangers_neither_slow_down_greetings_nor_crowd_out_others(site):
    strangers = Strangers(site)
    port = run_services(site)
    web = web_of(site)
    quiet = median_greeting(site, port)
    strangers.come(n_busy=16, n_idle=100)

    def is_quick():
        return median_greeting(site, port) < max(RATIO_MAX * quiet, QUICK)

    n_before = strangers.n_answered()
    wait_until(is_quick, 60, f"a greeting as quick as {quiet * 1000:.2f} ms before")
    wait_until(lambda: strangers.n_answered() > n_before, LIMIT, "strangers that are served")
    for _ in range(5):
        assert '"running"' in strangers.ask()
        assert len(site.services()) == N_SERVICES
        assert "dispatcherd_up 1" in web.text("/metrics")
        assert "No figures" not in web.text("/")
    site.wait_for_log("the control socket has too many clients")


def test_the_page_has_a_place_that_no_stranger_takes(site_of_systemd):
    """Its connection outlives any number of those that come after it."""
    site = site_of_systemd
    strangers = Strangers(site)
    site.run_service()
    web = web_of(site)
    assert "dispatcherd_up 1" in web.text("/metrics")

    def connection():
        """The inode of the page's end."""
        pid = site.run("systemctl", "show", "-P", "MainPID", "dispatcherd-web").stdout.strip()
        lines = site.run("ss", "-xpH", "state", "connected").stdout.splitlines()
        return [line.split()[4] for line in lines if f"pid={pid}," in line and "* 0" not in line]

    before = connection()
    strangers.come(n_busy=16, n_idle=200)
    assert "dispatcherd_up 1" in web.text("/metrics")
    assert before and connection() == before
