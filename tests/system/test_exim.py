# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Exim behind IMAGE=inetd, as the example in units/examples installs it on a Debian that has Exim."""

import re
import subprocess

import pytest
from harness.client import Client
from harness.exim import Exim
from harness.shipped import Example
from harness.smtp_load import Attacker, SmtpLoad
from harness.soak import times
from harness.wait import wait_until

# One process of pytest-xdist, so that one container gets Exim, which takes a minute.
pytestmark = pytest.mark.xdist_group("exim")

PORT = 2525

# Of lo, and neither a local client nor one whose mail Exim relays.
STRANGER = "192.0.2.25"


@pytest.fixture(scope="module")
def container(exim_container):
    return exim_container


@pytest.fixture
def exim(site_of_systemd):
    exim = Exim(site_of_systemd)
    site_of_systemd.add_helper(exim)
    return exim


def install(site, **options):
    """The example, with other values of some options, or with more of them."""

    def change(text):
        for name, value in options.items():
            text, n = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            text += f"{name}={value}\n" * (n == 0)
        return text

    Example(site, "exim-inetd").install(change)
    wait_until(lambda: site.services()["EXIM"]["n_ready"] >= 1, 30, "a worker is ready")


def greeted(site):
    """A client that Exim serves, or None if it is rejected."""
    client = Client(site.dial(PORT))
    greeting = client.receive(20) or ""
    if greeting.startswith("220 "):
        site.clients.append(client)
        return client
    client.close()
    return None


def swaks(site, recipient, *arguments):
    return site.run(
        *f"swaks --server 127.0.0.1:{PORT} --from a@example.org --to {recipient}".split(),
        *arguments,
        check=False,
    )


def test_mail_reaches_a_user_through_exim(site_of_systemd, exim):
    site = site_of_systemd
    install(site)
    result = swaks(site, "receiver@localhost")
    assert result.returncode == 0, result.stdout
    exim.deliver()
    assert "This is a test mailing" in site.run("cat", "/var/mail/receiver").stdout
    assert re.search(r"<= a@example\.org H=.*\[127\.0\.0\.1\]", exim.log()), "it knows its client"
    site.wait_for_log(r"from 127\.0\.0\.1: over, status 0")
    wait_until(lambda: site.statistics("EXIM")["n_ended"] == 1, 10, "the end is counted")
    assert site.run("pgrep", "-af", "exim4.*-q1m").stdout, "its daemon delivers once a minute"
    assert site.count_log("EXIM: .*(cannot|no effect)") == 0


def test_exim_relays_for_no_stranger(site_of_systemd, exim):
    site = site_of_systemd
    install(site)
    site.run("ip", "address", "replace", f"{STRANGER}/32", "dev", "lo")
    result = swaks(site, "somebody@example.com", "--local-interface", STRANGER)
    assert re.search(r"<\*\* 550 .*relay not permitted", result.stdout), result.stdout
    assert f"[{STRANGER}]" in exim.log(), "it knows its client's own address"


def test_no_mail_is_lost_while_workers_are_recycled(site_of_systemd, exim):
    site = site_of_systemd
    n_messages = times(300, 2000)
    install(
        site, MAX_LIFE_CONNS=100, MAX_PROCS=2, MAX_CONNS_PER_ADDRESS=0, MAX_CONNS_PER_NETWORK=0
    )
    # Postfix's own program, which is not in the container any more.
    command = f"smtp-source -s 20 -m {n_messages} -f a@example.org -t receiver@localhost"
    result = subprocess.run(
        site.in_network(*command.split(), f"127.0.0.1:{PORT}"),
        capture_output=True,
        text=True,
        timeout=1200,
        env={"PATH": "/usr/sbin:/usr/bin"},
    )
    assert result.returncode == 0, result.stderr
    exim.deliver()
    assert exim.deliveries() == {"a@example.org": n_messages}
    wait_until(lambda: site.statistics("EXIM")["n_ended"] == n_messages, 10, "all are counted")
    recycled = r"\d+ sessions: 0 failed, 0 ended by limits, 0 not started"
    wait_until(lambda: site.count_log(recycled) >= 2, 30, "workers were recycled")


def test_no_mail_is_lost_when_workers_are_killed(site_of_systemd, exim):
    site = site_of_systemd
    n_messages = times(300, 2000)
    install(site, MAX_LIFE_CONNS=100, MAX_CONNS_PER_ADDRESS=0, MAX_CONNS_PER_NETWORK=0)
    attacker = Attacker(site, "EXIM", every=2, victims=["worker"])
    load = SmtpLoad(
        site,
        PORT,
        20,
        n_messages,
        lambda n: (f"s{n}@example.org", "receiver@localhost"),
        more=lambda: attacker.n_kills < 2,
    )
    wait_until(lambda: attacker.attend() or not load.is_busy(), 1200, lambda: f"{vars(load)}")
    print(f"{attacker.n_kills} kills, {len(load.broken)} sessions broken by them")
    n_acknowledged = len(load.acknowledged)
    assert n_acknowledged >= n_messages
    # An Exim that was ended while it held a message's lock leaves nothing that stops the others.
    exim.deliver()
    deliveries = exim.deliveries()
    missing = {f"s{n}@example.org" for n in load.acknowledged} - set(deliveries)
    assert not missing, "what Exim has acknowledged is delivered"
    n_sent = n_acknowledged + len(load.broken)
    assert sum(deliveries.values()) <= n_sent, "again only if it was sent again"


def test_limits_that_exim_does_not_have_hold(site_of_systemd, exim):
    site = site_of_systemd
    install(site, MAX_CONNS_PER_ADDRESS=3)
    clients = [greeted(site) for _ in range(3)]
    assert all(clients)
    assert not greeted(site), "the fourth is one too many"
    assert site.statistics("EXIM")["rejected"]["address"] == 1
    assert clients[0].ask("QUIT\r", 20).startswith("221 ")
    wait_until(lambda: greeted(site), 20, "another one has its place")


def test_throttles_hold(site_of_systemd, exim):
    site = site_of_systemd
    site.write_mappings(
        "PORT_ACCESS\n\n"
        "  TCP|*|*|*|*  $C$[IMTA_LIB:conn_throttle.so,throttle,$2,3]$N421$ too$ many$E\n"
        "  *  $Y\n"
    )
    install(site)
    assert [bool(greeted(site)) for _ in range(4)] == [True] * 3 + [False]
    assert site.statistics("EXIM")["rejected"]["throttle"] == 1
