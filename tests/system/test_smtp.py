# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Mail through tcp_smtp_server: by every client that there is, and under fire."""

import random
import shutil
import time

import pytest
from harness.mail import Client, Load, MailService
from harness.wait import wait_until


def send_with_swaks(site, port, message):
    site.run(
        *"swaks --from sender@example.com --to somebody@localhost --data -".split(),
        f"--server=127.0.0.1:{port}",
        stdin=message,
    )


def send_with_msmtp(site, port, message):
    site.run(
        *"msmtp --host=127.0.0.1 --from=sender@example.com --tls=off".split(),
        f"--port={port}",
        "somebody@localhost",
        stdin=message,
    )


def send_with_curl(site, port, message):
    site.run(
        *"curl --silent --show-error --mail-from sender@example.com".split(),
        *"--mail-rcpt somebody@localhost --upload-file - --crlf".split(),
        f"smtp://127.0.0.1:{port}",
        stdin=message,
    )


def send_with_smtplib(site, port, message):
    site.run(
        "/usr/bin/python3",
        "-c",
        "import smtplib, sys\n"
        f"with smtplib.SMTP('127.0.0.1', {port}) as client:\n"
        "    client.sendmail('sender@example.com', 'somebody@localhost', sys.stdin.read())\n",
        stdin=message,
    )


@pytest.mark.parametrize(
    "send",
    [send_with_swaks, send_with_msmtp, send_with_curl, send_with_smtplib],
    ids=["swaks", "msmtp", "curl", "smtplib"],
)
def test_a_client_program_delivers_a_message(site, send):
    service = MailService(site)
    send(site, service.port, "Subject: hello\n\nA first line.\n.A dot.\n\nThe last.\n")
    (message,) = service.messages()
    assert message["Subject"] == "hello"
    assert message["Return-Path"] == "<sender@example.com>"
    assert message.get_payload().rstrip() == "A first line.\n.A dot.\n\nThe last."


def test_smtp_source_sends_5000_messages_and_each_is_there_once(site):
    smtp_source = shutil.which("smtp-source", path="/usr/sbin:/usr/bin")
    if not smtp_source:
        pytest.skip("smtp-source was not found; on Debian: apt-get install postfix")
    service = MailService(site, MIN_PROCS=2, MAX_PROCS=5, MAX_CONNS=10, BACKLOG=1024)
    site.run(
        smtp_source,
        *"-s 50 -m 5000 -l 2000 -f sender@example.com -t somebody@localhost".split(),
        f"127.0.0.1:{service.port}",
    )
    messages = service.messages()
    assert len(messages) == 5000
    assert len({message["Message-Id"] for message in messages}) == 5000
    bodies = {message.get_payload() for message in messages}
    assert len(bodies) == 1
    assert len(bodies.pop()) > 1500


def kill_one(site):
    """Kills a worker; False if the chosen one had just ended."""
    pids = sorted(site.worker_pids("SMTP"))
    try:
        if pids:
            site.kill(random.choice(pids), "KILL")
    except (AssertionError, ProcessLookupError):
        return False
    return bool(pids)


def test_nothing_acknowledged_is_lost_while_a_worker_is_killed_every_second(site):
    service = MailService(
        site, MIN_PROCS=3, MAX_PROCS=5, MIN_CONNS=5, MAX_CONNS=10, MAX_HANDOFFS=10, BACKLOG=1024
    )
    load = Load(service, n_sessions=50)
    n_kills = 0
    try:
        while (n_kills < 5 or len(load.acknowledged) < 5000) and not load.is_over:
            time.sleep(1)  # the rate of the killing, not a wait for something
            n_kills += kill_one(site)
            assert n_kills < 600, f"only {len(load.acknowledged)} messages in ten minutes"
    finally:
        load.finish()
    assert load.n_broken >= 1, "nothing was disturbed"
    assert load.n_broken <= 10 * n_kills, "sessions of workers that lived were disturbed"
    load.check_delivery()
    wait_until(lambda: len(site.worker_pids("SMTP")) >= 3, what="the pool is back at its size")
    site.wait_for_status(r"SMTP [345]/5 workers, 0/50 connections")


def test_a_session_can_go_on_while_dispatcherd_is_killed(site_of_systemd):
    site = site_of_systemd
    service = MailService(site, MIN_PROCS=1)
    with Client(service) as client:
        client.ehlo()
        client.mail("sender@example.com")
        client.rcpt("somebody@localhost")
        site.kill(site.daemon_pid(), "KILL")
        assert client.data("Subject: after\r\n\r\nstill whole\r\n")[0] == 250
    (message,) = service.messages()
    assert message["Subject"] == "after"
