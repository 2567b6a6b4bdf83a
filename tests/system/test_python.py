# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Workers in Python (dispatcher_worker): the whole way, with aiosmtpd and with forked scripts."""

import os
import re
import smtplib
import ssl
import subprocess

import pytest
from harness.mail import Client, Load, MailService
from harness.python import python_image
from harness.wait import holds_for, wait_until

LIMIT = 60


class PythonMail(MailService):
    """aiosmtpd in place of tcp_smtp_server."""

    def __init__(self, site, builddir, parameters=(), **options):
        pytest.importorskip("aiosmtpd")
        self.site = site
        self.port = site.free_port()
        self.maildir = site.prepare_maildir()
        parameters = list(parameters)
        if site.way == "hand":
            parameters.append(f"MAILDIR={self.maildir}")
        image = python_image(site, builddir, "SMTP", "aiosmtpd_worker.py")
        site.write_config(
            site.service("SMTP", PORT=self.port, IMAGE=image, PARAMETER=parameters, **options)
        )
        site.start()


def test_a_message_of_aiosmtpd_whose_250_was_said_is_kept_whatever_is_killed(site, builddir):
    """MESSAGES=2000 in the environment makes it long."""
    wanted = int(os.environ.get("MESSAGES", "200"))
    mail = PythonMail(site, builddir, MIN_PROCS=2, MAX_PROCS=4, MAX_CONNS=10)
    load = Load(mail, 6)
    killed = 0
    try:
        # A worker that is killed may have had no session: then another one is.
        while (n := len(load.acknowledged)) < wanted or (load.n_broken == 0 and killed < 30):
            # On a busy machine Python takes longer than a second to start.
            wait_until(
                lambda: len(load.acknowledged) > n or load.errors, LIMIT, "the next message"
            )
            holds_for(lambda: not load.is_over, 1, "the load goes on")
            # One that is being started has no sessions that a kill could break.
            workers = [pid for pid, item in site.workers("SMTP").items() if item["state"] == "ready"]
            if workers and (killed < wanted / 10 or load.n_broken == 0):
                site.kill(workers[0], "KILL")
                killed += 1
    finally:
        load.finish()
    load.check_delivery()
    assert killed > 0 and load.n_broken > 0, "nothing was interrupted"


@pytest.mark.parametrize("name", ["echo.py", "echo_async.py"])
def test_a_session_outlives_the_restart_of_its_service(site, builddir, name):
    port = site.free_port()
    image = python_image(site, builddir, "ECHO", name)
    site.write_config(site.service("ECHO", PORT=port, MIN_PROCS=1, IMAGE=image))
    if site.way == "systemd":
        site.write_drop_in("dispatcherd-echo-worker@.service", "[Service]\nWatchdogSec=5\n")
    site.start()
    client = site.connect(port)
    client.send("hello")
    assert client.receive() == "hello"
    (worker,) = site.workers("ECHO")
    site.control("restart", "ECHO")
    wait_until(lambda: len(site.workers("ECHO")) == 2, LIMIT, "a successor")
    # Longer than the watchdog waits.
    holds_for(lambda: worker in site.workers("ECHO"), 6, "its session goes on")
    client.send("still here")
    assert client.receive() == "still here"
    client.close()
    wait_until(lambda: worker not in site.workers("ECHO"), LIMIT, "its end")
    site.stop()
    assert site.count_log("ECHO: worker .* (was killed|died)|watchdog|cannot start") == 0


def test_a_worker_in_python_is_adopted_with_its_sessions(site, builddir):
    if site.way != "systemd":
        pytest.skip("by hand, nobody keeps the channels of workers")
    port = site.free_port()
    image = python_image(site, builddir, "ECHO", "echo_async.py")
    site.write_config(site.service("ECHO", PORT=port, MIN_PROCS=1, MAX_PROCS=1, IMAGE=image))
    site.start()
    client = site.connect(port)
    client.send("hello")
    assert client.receive() == "hello"
    (worker,) = site.workers("ECHO")
    site.kill(site.daemon_pid(), "KILL")
    wait_until(lambda: site.answers() and list(site.workers("ECHO")) == [worker], LIMIT, "adoption")
    client.send("again")
    assert client.receive() == "again"
    assert site.services()["ECHO"]["active"]["value"] == 1
    client.close()
    wait_until(lambda: site.services()["ECHO"]["active"]["value"] == 0, LIMIT, "its end is told")


def test_a_script_is_imported_once_and_forked_for_each_connection(site, builddir):
    port = site.free_port()
    image = python_image(site, builddir, "NET", "forked.py")
    site.write_config(site.service("NET", PORT=port, MIN_PROCS=1, MAX_PROCS=1, IMAGE=image))
    site.start()
    clients = [site.connect(port) for _ in range(3)]
    for client in clients:
        assert client.receive().startswith("220 127.0.0.1, OpenSSL ")
        client.send("Joe <joe@example.com>")
        assert client.receive() == "joe@example.com"
    assert site.services()["NET"]["active"]["value"] == 3
    for client in clients:
        client.close()
    wait_until(lambda: site.services()["NET"]["active"]["value"] == 0, LIMIT, "the sessions' ends")


def make_certificate(folder):
    paths = [str(folder / name) for name in ("cert.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-out", paths[0], "-keyout", paths[1]],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return paths


def test_aiosmtpd_speaks_tls(site, builddir, tmp_path):
    if site.way == "systemd":
        pytest.skip("the certificate is a file of the test's, and the worker another user")
    certificate, key = make_certificate(tmp_path)
    tls_port = site.free_port()
    mail = PythonMail(
        site, builddir, [f"TLS_CERT={certificate}", f"TLS_KEY={key}"], TLS_PORT=tls_port, MIN_PROCS=1
    )
    context = ssl.create_default_context(cafile=certificate)
    with Client(mail) as client:
        client._host = "localhost"
        client.starttls(context=context)
        client.sendmail("a@example.com", ["b@localhost"], "Subject: starttls\n\nhello\n")
    with smtplib.SMTP_SSL("localhost", tls_port, context=context, timeout=30) as client:
        client.sendmail("a@example.com", ["b@localhost"], "Subject: tls\n\nhello\n")
    wait_until(
        lambda: {message["Subject"] for message in mail.messages()} == {"starttls", "tls"}, LIMIT, "both"
    )
    # What is no TLS is counted, and no failure of the worker.
    with site.dial(tls_port) as client:
        client.sendall(b"EHLO me\r\n")
        wait_until(
            lambda: site.statistics("SMTP")["tls_failed"]["plain_text"] == 1, LIMIT, "the failed handshake"
        )
    # STARTTLS is aiosmtpd's own.
    assert site.statistics("SMTP")["n_tls"] == 1
    # The worker counts the failure before it logs it.
    line = "connection .* from 127.0.0.1: session ended: .*WRONG_VERSION_NUMBER"
    wait_until(lambda: site.count_log(line) == 1, LIMIT, "the line about it")
    assert not re.search("session failed", site.log_text())
