# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""TLS of tcp_smtp_server: with every client that there is, with clients that stall, and while its
certificate is renewed."""

import contextlib
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
import time

import pytest
from harness.mail import Client
from harness.site import LIMIT
from harness.soak import times
from harness.tls import TlsMailService, make_certificate
from harness.wait import wait_until

MESSAGE = "Subject: hello\n\nA first line.\n.A dot.\n\nThe last.\n"
ADDRESSES = "--from sender@example.com --to somebody@localhost".split()


def swaks(service, *options):
    return ["swaks", *ADDRESSES, "--data", "-", *options]


def curl(service, url):
    return (
        "curl --silent --show-error --insecure --ssl-reqd --mail-from sender@example.com".split()
        + f"--mail-rcpt somebody@localhost --upload-file - --crlf {url}".split()
    )


CLIENTS = {
    "swaks-starttls": lambda s: swaks(s, "--tls", f"--server=127.0.0.1:{s.port}"),
    "swaks-port": lambda s: swaks(s, "--tls-on-connect", f"--server=127.0.0.1:{s.tls_port}"),
    "curl-starttls": lambda s: curl(s, f"smtp://127.0.0.1:{s.port}"),
    "curl-port": lambda s: curl(s, f"smtps://127.0.0.1:{s.tls_port}"),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_client_program_delivers_a_message(site, tmp_path, client, kind):
    service = TlsMailService(site, tmp_path, kind=kind)
    site.run(*CLIENTS[client](service), stdin=MESSAGE)
    (message,) = service.messages()
    assert message["Subject"] == "hello"
    assert message.get_payload().rstrip() == "A first line.\n.A dot.\n\nThe last."
    received = " ".join(message["Received"].split())
    site.wait_for_log(r"delivered \d+ bytes from .* as \S+, over TLSv1\.3 with TLS_\w+$")
    assert re.search(r" with ESMTPS id [0-9a-f]{16} for <\S+> tls TLS_\w+ \(TLSv1\.3\);", received)


def quit_after(site, sign, *command):
    """Runs a client that takes lines from its standard input: QUIT, when it has printed the sign.
    Returns all that it printed."""
    with subprocess.Popen(
        site.in_network(*command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as program:
        limit = threading.Timer(LIMIT, program.kill)
        limit.start()
        said = b""
        while not re.search(sign, said) and (data := program.stdout.read1(4096)):
            said += data
        with contextlib.suppress(BrokenPipeError):
            said += program.communicate(b"QUIT\r\n")[0]
        limit.cancel()
    return said.decode(errors="replace")


def test_other_client_programs_connect(site, tmp_path):
    service = TlsMailService(site, tmp_path, kind="rsa")
    server, tls_server = f"127.0.0.1:{service.port}", f"127.0.0.1:{service.tls_port}"

    def s_client(*arguments):
        return quit_after(site, rb"\n?2[25]0 ", "openssl", "s_client", "-quiet", *arguments)

    assert "221 " in s_client("-connect", server, "-starttls", "smtp")
    assert "221 " in s_client("-connect", tls_server)
    assert "221 " in s_client("-connect", tls_server, "-tls1_2")
    for version in ("-tls1", "-tls1_1"):
        said = s_client("-connect", tls_server, version, "-cipher", "ALL:@SECLEVEL=0")
        assert "221 " not in said and "protocol version" in said, said

    gnutls = ["gnutls-cli", "--insecure", "127.0.0.1", "-p"]
    said = quit_after(site, rb"\n220 ", *gnutls, str(service.tls_port))
    assert "Handshake was completed" in said and "221 " in said, said
    said = quit_after(
        site, rb"Client Mode:", *gnutls, str(service.port), "--starttls-proto=smtp"
    )
    assert "Handshake was completed" in said and "221 " in said, said

    finger = shutil.which("posttls-finger", path="/usr/sbin:/usr/bin")
    assert finger, "posttls-finger was not found; on Debian: apt-get install postfix"
    result = site.run(finger, "-c", "-l", "encrypt", f"[127.0.0.1]:{service.port}", check=False)
    said = result.stdout + result.stderr
    assert re.search(r"TLS connection established to 127.0.0.1.*TLSv1.3", said), said


def run_testssl(site, tmp_path, *arguments):
    """What testssl.sh finds: the severity by the finding's name."""
    program = shutil.which("testssl")
    assert program, "testssl was not found; on Debian: apt-get install testssl.sh"
    file = tmp_path / "findings.json"
    # Protocols and kinds of ciphers; with SOAK=1 also the server's preferences and certificate,
    # forward secrecy and known vulnerabilities: some hundred handshakes, each by several processes.
    looks = times("-p -s", "-p -P -S -s -f -U")
    command = [program, "--quiet", "--jsonfile", str(file), "--warnings", "batch"]
    subprocess.run(
        site.in_network(*command, *looks.split(), *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=900,
    )
    return {item["id"]: (item["severity"], item["finding"]) for item in json.loads(file.read_text())}


def test_a_client_that_stalls_is_cut_and_others_are_served(site, tmp_path):
    """1,000 of them, each of which stops in the middle of its handshake."""
    service = TlsMailService(
        site, tmp_path, MIN_PROCS=2, MAX_PROCS=4, MAX_CONNS=50, MAX_HANDOFFS=50, BACKLOG=2048
    )
    hello = client_hello()
    stalled = []
    began = time.monotonic()
    for i in range(1000):
        sock = site.dial(service.tls_port, limit=120)
        sock.sendall(hello[: len(hello) // 2] if i % 2 else hello)
        stalled.append(sock)
    with service.shake_hands() as client:  # behind all of them in the queue
        assert client.recv(100).startswith(b"220 ")
    served_after = time.monotonic() - began
    for sock in stalled:
        while sock.recv(65536):  # our part of the handshake, an alert, and the end
            pass
    assert served_after < 60, "others waited for those that stalled"
    assert time.monotonic() - began < 90


def client_hello():
    """The first message of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="mx.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_a_client_is_cut_in_each_state(site, tmp_path):
    """None has the five minutes of RFC 5321 before TLS is on."""
    service = TlsMailService(site, tmp_path)
    hello = client_hello()
    starttls = site.dial(service.port, limit=60)
    stream = starttls.makefile("rwb")
    stream.readline()
    stream.write(b"EHLO client.example\r\n")
    stream.flush()
    while not stream.readline().startswith(b"250 "):
        pass
    stream.write(b"STARTTLS\r\n")
    stream.flush()
    assert stream.readline().startswith(b"220 ")
    silent, half, unfinished = (site.dial(service.tls_port, limit=60) for _ in range(3))
    half.sendall(hello[:100])
    unfinished.sendall(hello)
    for sock in (starttls, silent, half, unfinished):
        while sock.recv(65536):
            pass


def test_plain_text_on_a_tls_port_is_closed(site, tmp_path):
    service = TlsMailService(site, tmp_path)
    sock = site.dial(service.tls_port)
    sock.sendall(b"EHLO client.example\r\n")
    with open(os.devnull, "wb") as nobody:
        try:
            while data := sock.recv(4096):
                nobody.write(data)
        except ConnectionResetError:
            pass
    assert service.messages() == []


def test_what_is_injected_after_starttls_is_not_executed(site, tmp_path):
    service = TlsMailService(site, tmp_path)
    sock = site.dial(service.port)
    sock.settimeout(LIMIT)
    sock.recv(1000)
    sock.sendall(b"EHLO client.example\r\n")
    assert b"250-STARTTLS\r\n" in sock.recv(1000)
    sock.sendall(b"STARTTLS\r\nRSET\r\n")
    assert sock.recv(1000).startswith(b"554 5.5.0 ")
    assert sock.recv(1000) == b""


def test_mail_in_plain_text_can_be_refused(site, tmp_path):
    service = TlsMailService(site, tmp_path, parameters=["TLS_REQUIRED=yes"])
    with Client(service) as client:
        client.ehlo()
        assert client.docmd("MAIL", "FROM:<sender@example.com>")[0] == 530
    site.run(*CLIENTS["swaks-starttls"](service), stdin=MESSAGE)
    assert len(service.messages()) == 1


def test_check_reports_a_bad_certificate_at_its_line(site_by_hand, tmp_path):
    site = site_by_hand
    certificate, key = make_certificate(tmp_path, 1)
    other = make_certificate(tmp_path, 2)[1]
    for name, text in (("c", certificate), ("k", key), ("other", other), ("broken", "nothing")):
        (tmp_path / name).write_text(text)

    def check(*parameters):
        site.write_config(
            site.service(
                "SMTP", IMAGE=f"{site.builddir}/tcp_smtp_server", TLS_PORT=2465, PARAMETER=list(parameters)
            )
        )
        command = [f"{site.builddir}/dispatcherd", "--check", "--config", site.config]
        result = site.run(*command, check=False)
        return result.returncode, result.stdout + result.stderr

    certificate, key = f"TLS_CERT={tmp_path}/c", f"TLS_KEY={tmp_path}/k"
    assert check(certificate, key)[0] == 0
    status, text = check()
    assert status == 1 and ":2: error: TLS_PORT needs a certificate" in text, text
    status, text = check(f"TLS_CERT={tmp_path}/broken", key)
    assert status == 1 and ":4: error: " in text and "holds no certificate" in text, text
    status, text = check(certificate, f"TLS_KEY={tmp_path}/other")
    assert status == 1 and ":5: error: the private key in " in text, text
    (tmp_path / "c").write_text(make_certificate(tmp_path, 3, days=3)[0])
    (tmp_path / "k").write_text((tmp_path / "new.key").read_text())
    status, text = check(certificate, key)
    assert status == 0 and ":4: warning: " in text and "expires on " in text, text


def test_a_renewed_certificate_is_taken_up_and_no_session_is_lost(site, tmp_path):
    """The short form of 100 renewals under 200 sessions."""
    n_renewals = int(os.environ.get("TLS_RENEWALS", "3"))
    service = TlsMailService(
        site,
        tmp_path,
        MIN_PROCS=2,
        MAX_PROCS=20,
        MIN_CONNS=50,
        MAX_CONNS=50,
        MAX_SHUTDOWN=18,
    )
    sessions = [service.shake_hands() for _ in range(200)]
    for session in sessions:
        assert session.recv(1000).startswith(b"220 ")
    for serial in range(2, 2 + n_renewals):
        service.renew(serial)
        site.control("restart", "SMTP")
        wait_until(lambda: service.serial() == serial, LIMIT, f"the certificate {serial} is shown")
        # Each session goes on, or came to its end and begins anew.
        for session in sessions[serial % 7 :: 7]:
            session.sendall(b"NOOP\r\n")
            assert session.recv(1000).startswith(b"250 ")
    for session in sessions:
        session.sendall(b"QUIT\r\n")
        assert session.recv(1000).startswith(b"221 ")
        session.close()


def test_a_reload_takes_a_certificate_up_with_more_workers_than_the_least(site, tmp_path):
    """The one that goes to see leaves enough behind: none would be started in its place."""
    service = TlsMailService(site, tmp_path, MIN_PROCS=1, MAX_PROCS=5, MIN_CONNS=1)
    sessions = [service.shake_hands()]
    for n in (2, 3):
        wait_until(lambda: site.services()["SMTP"]["n_ready"] == n, what=f"{n} workers")  # noqa: B023
        sessions.append(service.shake_hands())
    service.renew(2)
    for session in sessions:
        session.close()
    site.reload()
    wait_until(lambda: service.serial() == 2, LIMIT, "the new certificate is shown")


def test_a_broken_certificate_leaves_the_old_workers(site, tmp_path):
    service = TlsMailService(site, tmp_path, MIN_PROCS=1, MAX_PROCS=3)
    assert service.serial() == 1
    service.write("tls.key", make_certificate(tmp_path, 2)[1])
    site.control("restart", "SMTP")
    site.wait_for_log(r"SMTP: has a certificate that cannot be used: the private key in ")
    assert "certificate" in alerts_of(site)
    assert service.serial() == 1
    service.renew(3)
    site.control("restart", "SMTP")
    wait_until(lambda: service.serial() == 3, LIMIT * 2, "the mended certificate is shown")
    site.wait_for_log(r"SMTP: has a valid certificate again after \d+ s")
    assert "certificate" not in alerts_of(site)


def alerts_of(site):
    return [alert["alert"] for alert in site.status()["alerts"]]


def test_a_certificate_that_expires_soon_is_an_alert(site, tmp_path):
    service = TlsMailService(site, tmp_path, days=3)
    site.wait_for_log(
        r"SMTP: has a certificate that expires on \d{4}-\d\d-\d\d \d\d:\d\d UTC; renew it, and "
        "restart the service: dispatcherctl restart SMTP$"
    )
    assert alerts_of(site) == ["certificate"]
    expires_at = site.services()["SMTP"]["certificate"]["expires_at"]
    assert abs(expires_at - time.time() - 3 * 86400) < 3600
    service.renew(2)
    site.reload()  # which takes up a new certificate, too
    wait_until(lambda: alerts_of(site) == [], LIMIT, "the alert ends")
    wait_until(lambda: service.serial() == 2, LIMIT, "the new certificate is shown")


def test_what_is_known_of_tls_is_shown(site, tmp_path):
    service = TlsMailService(site, tmp_path, HISTORICAL_TIME=3600)
    with service.shake_hands() as client:
        assert client.recv(1000).startswith(b"220 ")
        (connection,) = wait_until(
            lambda: [item for item in site.list_of("connections") if item["tls"]],
            what="the worker's report",
        )
        assert connection["is_tls"]
        assert connection["tls"]["protocol"] == "TLSv1.3"
        assert connection["tls"]["cipher"].startswith("TLS_")
        assert connection["tls"]["client_sha256"] is None
        assert "TLSv1.3" in site.control("connections").stdout
    wait_until(
        lambda: site.statistics("SMTP")["n_ended"] == 1, what="the connection is over"
    )
    assert "TLSv1.3" in site.control("history").stdout
    sock = site.dial(service.tls_port)
    sock.sendall(b"EHLO client.example\r\n")
    wait_until(
        lambda: site.statistics("SMTP")["tls_failed"]["plain_text"] == 1,
        what="the handshake that failed is counted",
    )
    statistics = site.statistics("SMTP")
    assert statistics["n_tls"] == 1
    assert statistics["n_tls_failed"] == 1


@pytest.mark.parametrize("port", ["starttls", "port"])
def test_testssl_finds_nothing_above_low(site_by_hand, tmp_path, port):
    service = TlsMailService(site_by_hand, tmp_path, kind="rsa", MIN_PROCS=2)
    if port == "starttls":
        found = run_testssl(site_by_hand, tmp_path, "-t", "smtp", f"127.0.0.1:{service.port}")
    else:
        found = run_testssl(site_by_hand, tmp_path, f"127.0.0.1:{service.tls_port}")
    # That the certificate is self-signed is the test's.
    bad = {
        name: finding
        for name, finding in found.items()
        if finding[0] in ("MEDIUM", "HIGH", "CRITICAL") and not name.startswith("cert")
    }
    assert not bad
    assert found["TLS1_2"][0] == "OK" and found["TLS1_3"][0] == "OK"
    assert found["TLS1"][1].startswith("not offered")
    assert found["TLS1_1"][1].startswith("not offered")
