# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Postfix behind dispatcher-pass(8), as the example in units/examples installs it."""

import re

import pytest
from harness.client import Client
from harness.postfix import Postfix
from harness.shipped import Example
from harness.smtp_load import Attacker, SmtpLoad
from harness.soak import times
from harness.wait import holds_for, wait_until

# How exact the figures of sessions in other hands are: dispatcher-pass(8). After a kill, from the
# moment at which a dispatcherd answers again.
EXACT = 10


@pytest.fixture
def postfix(site_of_systemd):
    postfix = Postfix(site_of_systemd)
    site_of_systemd.add_helper(postfix)
    return postfix


def change(**options):
    """The section with other values of some options."""

    def apply(text):
        for name, value in options.items():
            text, n = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert n == 1, f"{name} is an option of the example"
        return text

    return apply


def install(site, **options):
    Example(site, "postfix-pass").install(change(**options))
    wait_until(lambda: site.services()["SMTP"]["n_ready"] >= 1, 20, "a worker is ready")


def session(site):
    """A session in Postfix's hands."""
    client = Client(site.dial(25))
    site.clients.append(client)
    assert client.receive(20).startswith("220 ")
    return client


def n_active(site):
    return site.services()["SMTP"]["active"]["value"]


def test_mail_reaches_postfix_with_starttls(site_of_systemd, postfix):
    site = site_of_systemd
    install(site)
    result = site.run(
        *"swaks --server 127.0.0.1:25 --tls --from a@example.org --to somebody@example.com".split()
    )
    assert "TLS started" in result.stdout
    wait_until(lambda: postfix.deliveries()["somebody@example.com"] == 1, 20, "the mail is there")
    assert re.search(r"smtpd\[\d+\]: connect from \S*\[127\.0\.0\.1\]", postfix.log())
    wait_until(lambda: site.statistics("SMTP")["n_ended"] == 1, EXACT, "the end is counted")
    site.stop()
    assert site.count_log(r"SMTP: worker .* (was killed|died)|cannot connect to TO") == 0


def test_kills_lose_no_session_that_postfix_has(site_of_systemd, postfix):
    site = site_of_systemd
    n_messages = times(1500, 4000)
    postfix.configure(smtpd_client_connection_count_limit=0, smtpd_peername_lookup="no")
    install(site, MAX_CONNS_PER_ADDRESS=0, MAX_CONNS_PER_NETWORK=0)
    attacker = Attacker(site, "SMTP")
    load = SmtpLoad(
        site,
        25,
        40,
        n_messages,
        lambda n: ("a@example.org", f"r{n}@example.com"),
        more=lambda: attacker.n_kills < 2,
    )
    wait_until(
        lambda: attacker.attend() or not load.is_busy(), 1200, lambda: f"the end: {vars(load)}"
    )
    assert not load.broken, "no session that Postfix had is lost"
    postfix.wait_idle()
    deliveries = postfix.deliveries()
    assert len(load.acknowledged) >= n_messages
    assert set(deliveries) == {f"r{n}@example.com" for n in load.acknowledged}, "every one is there"
    assert set(deliveries.values()) == {1}, "and none twice"
    print(f"{attacker.n_kills} kills, {load.n_not_greeted} clients had to come again")
    wait_until(
        lambda: site.control("status", check=False).returncode == 0, 20, "dispatcherd is back"
    )
    wait_until(lambda: n_active(site) == 0, EXACT, "the count is right again")
    site.stop()


def test_smtp_source_by_many_sessions(site_of_systemd, postfix):
    site = site_of_systemd
    n_messages = times(200, 4000)
    postfix.configure(smtpd_client_connection_count_limit=0, smtpd_peername_lookup="no")
    install(site, MAX_CONNS_PER_ADDRESS=0, MAX_CONNS_PER_NETWORK=0)
    site.run(
        *f"smtp-source -N -s 40 -m {n_messages} -f a@example.org -t r@example.com".split(),
        "127.0.0.1:25",
    )
    postfix.wait_idle()
    deliveries = postfix.deliveries()
    assert len(deliveries) == n_messages and set(deliveries.values()) == {1}
    wait_until(lambda: site.statistics("SMTP")["n_ended"] == n_messages, EXACT, "all are counted")
    site.stop()


def test_sessions_end_when_postfix_ends_them(site_of_systemd, postfix):
    site = site_of_systemd
    n = times(40, 200)
    postfix.configure(smtpd_client_connection_count_limit=0, default_process_limit=2 * n)
    install(
        site, MIN_PROCS=1, MAX_CONNS=n // 2, MIN_CONNS=n // 2, MAX_CONNS_PER_ADDRESS=0, MAX_CONNS_PER_NETWORK=0
    )
    clients = [session(site) for _ in range(n)]
    assert n_active(site) == n
    # The worker may still be about to say so of the last one.
    wait_until(
        lambda: {item["state"] for item in site.list_of("connections")} == {"passed-on"},
        what="all are passed on",
    )
    connections = site.list_of("connections")
    names = {item["client"]["port"] for item in connections}
    assert names == {client.sock.getsockname()[1] for client in clients}
    status = site.control("status").stdout
    assert f"{n} of the active connections were passed on" in status, "status says so"
    assert re.search(r"noticed within \d+\.\d s", status), "and how exact it is"

    # One more waits, whatever dies.
    late = Client(site.dial(25))
    site.clients.append(late)
    site.kill(site.daemon_pid(), "KILL")
    site.wait_for_log("taking over")
    wait_until(site.answers, 20, "dispatcherd is back")
    wait_until(lambda: n_active(site) == n, EXACT, "all are there after a kill of dispatcherd")
    (worker,) = site.wait_for_workers("SMTP", 1)
    site.kill(worker, "KILL")
    site.wait_for_log(rf"worker {worker} died of signal KILL; 0 sessions")
    assert n_active(site) == n, "and of the worker"
    site.systemctl("restart", "dispatcherd.service")
    wait_until(lambda: n_active(site) == n, EXACT, "and after a restart")
    assert late.is_waiting(0.5), "one more than there are places waits"

    # Postfix ends half of them; the one that waited is served.
    for client in clients[: n // 2]:
        assert client.ask("QUIT\r").startswith("221 ")
    wait_until(lambda: n_active(site) == n - n // 2 + 1, EXACT, "a second later they are over")
    assert late.receive(20).startswith("220 ")
    site.systemctl("restart", "dispatcherd.service")
    wait_until(lambda: n_active(site) == n - n // 2 + 1, EXACT, "still right")
    holds_for(lambda: n_active(site) == n - n // 2 + 1, 1, "and stays so")

    # What ends while dispatcherd is away, or a worker.
    left = [*clients[n // 2 :], late]
    for victim in (site.daemon_pid(), *site.workers("SMTP")):
        site.kill(victim, "KILL")
        for _ in range(5):
            left.pop().close()
        wait_until(site.answers, 20, "dispatcherd answers")
        wait_until(lambda: n_active(site) == len(left), EXACT, "the count is right again")
    for client in [*clients, late]:
        client.close()
    wait_until(lambda: n_active(site) == 0, EXACT, "none is left")
    site.stop()


def test_waiting_clients_survive_every_kill(site_of_systemd, postfix):
    site = site_of_systemd
    n = 50
    postfix.configure(smtpd_client_connection_count_limit=0)
    install(site, MAX_CONNS_PER_ADDRESS=0, MAX_CONNS_PER_NETWORK=0)
    postfix.stop()
    clients = [Client(site.dial(25)) for _ in range(n)]
    site.clients.extend(clients)

    def are_waiting():
        if site.control("status", check=False).returncode != 0:
            return False
        # One of them may be on offer again at any moment.
        states = [item["state"] for item in site.list_of("connections")]
        return len(states) == n and set(states) <= {"waiting", "hand-off"}

    wait_until(are_waiting, 20, "they wait")
    holds_for(are_waiting, 1, "and are stored by now")
    for _ in range(3):
        daemon = site.daemon_pid()
        site.kill(daemon, "KILL")
        wait_until(lambda: site.daemon_pid() not in (None, daemon), 20, "another one is there")
        wait_until(are_waiting, 20, "they wait after a kill of dispatcherd")
        worker = min(site.wait_for_workers("SMTP", 2))
        site.kill(worker, "KILL")
        wait_until(lambda: worker not in site.workers("SMTP"), 20, "the worker is gone")
        wait_until(are_waiting, 20, "and of the worker")
    site.systemctl("restart", "dispatcherd.service")
    wait_until(are_waiting, 20, "and after a restart")
    assert all(client.is_waiting(0.001) for client in clients)
    postfix.start()
    for client in clients:
        assert client.receive(30).startswith("220 ")

    def n_served():
        return postfix.log().count("]: connect from ")

    # Postfix writes its log by a process of its own.
    wait_until(lambda: n_served() >= n, 20, "all are in the log")
    holds_for(lambda: n_served() == n, 0.5, "none is served twice")
    for client in clients:
        assert client.ask("QUIT\r").startswith("221 ")
    wait_until(lambda: n_active(site) == 0, EXACT, "none is left")
    assert site.statistics("SMTP")["n_broken"] == 0
    site.stop()


def test_clients_wait_for_a_postfix_that_is_away(site_of_systemd, postfix):
    site = site_of_systemd
    install(site)
    postfix.stop()
    clients = [Client(site.dial(25)) for _ in range(5)]
    site.clients.extend(clients)
    site.wait_for_log("cannot pass connections to TO=")
    wait_until(lambda: site.services()["SMTP"]["waiting"]["value"] == 5, 10, "they wait")
    assert clients[0].is_waiting()
    postfix.start()
    for client in clients:
        assert client.receive(30).startswith("220 ")
    site.wait_for_log("takes connections again")
    site.stop()
