# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A stop is no recycling: sessions that do nothing do not hold it up, others have their time."""

from harness.mail import Client, MailService
from harness.wait import wait_until


def is_told_to_come_back(client):
    """True if the server says so, unasked, and closes."""
    status, text = client.getreply()
    return status == 421 and text.startswith(b"4.3.2 ") and client.file.read() == b""


def begin_message(client):
    client.ehlo()
    client.mail("sender@example.com")
    assert client.rcpt("somebody@localhost")[0] == 250
    assert client.docmd("DATA")[0] == 354


def test_an_idle_smtp_session_does_not_delay_a_stop(site):
    service = MailService(site)
    idle = [Client(service) for _ in range(3)]
    idle[1].ehlo()
    site.begin_stop()
    for client in idle:
        assert is_told_to_come_back(client)
        client.close()
    site.wait_stopped()
    assert site.count_log("time limit for (sessions|stopping) reached|was lost|were lost") == 0


def test_a_message_under_way_is_taken_before_a_stop(site):
    service = MailService(site)
    busy, idle = Client(service), Client(service)
    begin_message(busy)
    site.begin_stop()
    assert is_told_to_come_back(idle)
    idle.close()
    busy.send("Subject: in time\r\n\r\nA line.\r\n.\r\n")
    assert busy.getreply()[0] == 250
    assert is_told_to_come_back(busy)
    busy.close()
    site.wait_stopped()
    assert len(service.messages()) == 1


def test_a_recycled_worker_lets_its_idle_sessions_be(site):
    service = MailService(site, MIN_PROCS=1, MAX_PROCS=2)
    client = Client(service)
    client.ehlo()
    site.control("restart", "SMTP")
    wait_until(lambda: site.services()["SMTP"]["n_draining"] == 1, 20, "the old worker drains")
    assert client.noop()[0] == 250
    # And then the service stops: one that drains already is told that, too.
    site.control("stop", "SMTP")
    assert is_told_to_come_back(client)
    client.close()


def test_a_stopped_service_ends_its_idle_sessions_at_once(site):
    service = MailService(site)
    client = Client(service)
    site.control("stop", "SMTP")
    assert is_told_to_come_back(client)
    client.close()
    wait_until(lambda: site.services()["SMTP"]["state"] == "stopped", 20, "it has stopped")


def test_an_adopted_worker_knows_a_stop_as_well(site_of_systemd):
    site = site_of_systemd
    service = MailService(site)
    client = Client(service)
    old = site.daemon_pid()
    site.kill(old, "KILL")
    wait_until(lambda: site.daemon_pid() not in (0, old), 20, "it is back")
    assert client.noop()[0] == 250
    site.begin_stop()
    assert is_told_to_come_back(client)
    client.close()
    site.wait_stopped()


def test_sigterm_to_a_worker_is_a_stop(site):
    service = MailService(site, MIN_PROCS=1)
    client = Client(service)
    (worker,) = site.workers("SMTP")
    site.kill(worker, "TERM")
    assert is_told_to_come_back(client)
    client.close()
    wait_until(lambda: worker not in site.workers("SMTP"), 20, "it has ended")


def test_without_a_service_it_waits_and_a_stop_is_no_wait(site):
    site.write_config("! no service yet\n")
    site.start()
    assert site.status_text() == "dispatcher.cnf has no service, nothing is served"
    site.begin_stop()
    site.wait_stopped()
