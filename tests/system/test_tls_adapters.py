# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""TLS that ends in inetd and in proxy: programs and servers behind it that know nothing of it."""

import contextlib
import hashlib
import os
import re
import shlex
import socket
import ssl
import struct
import threading

import pytest
from harness.back_end import (
    DROP_IN,
    SSL_CIPHER,
    SSL_CN,
    SSL_VERSION,
    BackEnd,
    is_reset,
    read_values,
    receive,
)
from harness.shipped import Example
from harness.tls import Certificate, make_certificate, shake_hands
from harness.wait import wait_until

LIMIT = 30
PIECE = os.urandom(1 << 20)


class Service:
    """A service NET with a TLS_PORT, started."""

    def __init__(self, site, tmp_path, image, parameters, drop_in="[Service]\n", **options):
        self.site = site
        self.tls_port = site.free_port()
        self.certificate = Certificate(site, tmp_path, "net", drop_in=drop_in)
        options.setdefault("MIN_PROCS", 1)
        options.setdefault("MAX_PROCS", 1)
        self.port = site.free_port()
        site.write_config(
            site.service(
                "NET",
                PORT=self.port,
                TLS_PORT=self.tls_port,
                IMAGE=site.delivered_image(image, "NET"),
                PARAMETER=[*parameters, *self.certificate.parameters],
                **options,
            )
        )
        site.start()

    def shake_hands(self, **options):
        return shake_hands(self.site, self.tls_port, suppress_ragged_eofs=False, **options)

    def wait_active(self, n):
        wait_until(lambda: self.site.services()["NET"]["active"]["value"] == n, LIMIT, f"{n} active")

    def failed(self, reason):
        return self.site.statistics("NET")["tls_failed"][reason]

    def s_client(self, *arguments, stdin=""):
        command = f"openssl s_client -quiet -connect 127.0.0.1:{self.tls_port} -servername mx.example"
        return self.site.run(*command.split(), *arguments, stdin=stdin).stdout


def inetd(site, tmp_path, command, *parameters, **options):
    return Service(site, tmp_path, "inetd", [f"COMMAND={command}", *parameters], **options)


def shell(script):
    return "/bin/sh -c " + shlex.quote(script)


def read_all(sock):
    """Until close_notify; an end without it is an error."""
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ssl.SSLZeroReturnError:
        pass  # the same, after our own close_notify
    return data


def end_output(client):
    """Says close_notify, and keeps reading: the module ssl has no call for that, unwrap() waits for
    the other side's."""
    client.settimeout(0)
    try:
        client.unwrap()
    except (ssl.SSLWantReadError, BlockingIOError):
        pass
    client.settimeout(LIMIT)


# inetd


TELL = 'read line; env | sort | tr "\\n" " "; echo "$line from $1"'


def test_openssl_is_loaded_for_a_certificate_alone(site_by_hand, tmp_path):
    site = site_by_hand
    certificate = Certificate(site, tmp_path, "net")
    ports = {"PLAIN": site.free_port(), "TLS": site.free_port()}
    site.write_config(
        "".join(
            site.service(
                name,
                PORT=ports[name],
                IMAGE=site.delivered_image("tcp_smtp_server", name),
                PARAMETER=[f"MAILDIR={tmp_path}", *parameters],
                MIN_PROCS=1,
                MAX_PROCS=1,
            )
            for name, parameters in (("PLAIN", []), ("TLS", certificate.parameters))
        )
    )
    site.start()

    def has_openssl(name):
        with socket.create_connection(("127.0.0.1", ports[name]), LIMIT) as client:
            assert client.recv(3) == b"220"
        [pid] = site.worker_pids(name)
        with open(f"/proc/{pid}/maps") as maps:
            return "libcrypto" in maps.read()

    assert has_openssl("TLS")
    assert not has_openssl("PLAIN")


def test_a_program_is_told_of_tls(site, tmp_path):
    service = inetd(site, tmp_path, shell(TELL) + " sh %a")
    said = service.s_client(stdin="hello\n")
    assert said.endswith("hello from 127.0.0.1\n")
    for setting in (
        "REMOTE_ADDR=127.0.0.1",
        "SSL_PROTOCOL=TLSv1.3",
        "SSL_CIPHER=TLS_AES_256_GCM_SHA384",
        "SSL_TLS_SNI_SERVERNAME=mx.example",
        f"TCPLOCALPORT={service.tls_port}",
    ):
        assert f"{setting} " in said, said
    assert "SSL_PEER_CERT_HASH" not in said
    # In plain text it has the connection itself, and hears of no TLS.
    client = site.connect(service.port)
    client.send("hello")
    assert "SSL_" not in client.receive(LIMIT)


def test_a_program_knows_the_certificate_of_its_client(site, tmp_path):
    service = inetd(site, tmp_path, shell(TELL), "TLS_CLIENT=ask")
    text, key = make_certificate(tmp_path, 7, name="client.example")
    chain = tmp_path / "client.cert", tmp_path / "client.key"
    chain[0].write_text(text)
    chain[1].write_text(key)
    with service.shake_hands(chain=chain) as client:
        client.sendall(b"hello\n")
        said = read_all(client).decode()
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()
    assert f"SSL_PEER_CERT_HASH=SHA256:{digest} " in said


def test_all_of_a_stream_comes_back_and_its_end(site, tmp_path):
    service = inetd(site, tmp_path, "/bin/cat")
    with service.shake_hands() as client:
        client.sendall(b"a line\n")
        assert receive(client, 7) == b"a line\n"
        end_output(client)
        assert read_all(client) == b""
    piece = PIECE[: 1 << 16]
    with service.shake_hands() as client:
        for _ in range(200):
            client.sendall(piece)
            assert receive(client, len(piece)) == piece
        end_output(client)
        assert read_all(client) == b""
    service.wait_active(0)
    site.wait_for_log("over, status 0")


def test_what_a_program_wrote_before_its_end_arrives(site, tmp_path):
    service = inetd(site, tmp_path, "/usr/bin/head -c 3000000 /dev/zero")
    with service.shake_hands() as client:
        assert read_all(client) == bytes(3000000)
    service.wait_active(0)


@pytest.mark.parametrize("how", ["without close_notify", "reset"])
def test_a_program_does_not_take_a_part_for_the_whole(site, tmp_path, how):
    service = inetd(site, tmp_path, shell("cat; echo nothing >&2"))
    client = service.shake_hands()
    client.sendall(b"a part")
    assert receive(client, 6) == b"a part"
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(client.detach())
    site.wait_for_log("Connection reset by peer")
    service.wait_active(0)


def test_nothing_is_lost_of_a_client_that_never_reads(site, tmp_path):
    """Whatever was sent to it would make its kernel reset the connection when it closes its end."""
    service = inetd(site, tmp_path, shell("sleep 1; wc -c >&2"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    read, written = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(read, written)
    with site.dial(service.tls_port) as sock:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(written.read())
                read.write(sock.recv(65536))
        client.write(PIECE)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.unwrap()
        sock.sendall(written.read())
    site.wait_for_log(rf"\b{len(PIECE)}$")
    service.wait_active(0)


def test_a_client_notices_a_program_that_closes(site, tmp_path):
    service = inetd(site, tmp_path, shell("echo bye; exec <&- >&-; exec sleep 1000"), "LINGER=1")
    with service.shake_hands() as client:
        assert read_all(client) == b"bye\n"
    site.wait_for_log("ended, since its program has closed the connection")
    service.wait_active(0)


def test_handshakes_that_fail_start_no_program(site, tmp_path):
    service = inetd(site, tmp_path, shell("echo hello; echo it has run >&2"))
    plain = site.dial(service.tls_port)
    plain.sendall(b"hello\r\n")
    wait_until(lambda: service.failed("plain_text") == 1, LIMIT, "it is counted")
    site.dial(service.tls_port).close()
    wait_until(lambda: service.failed("gone") == 1, LIMIT, "it is counted, too")
    assert site.count_log("it has run") == 0
    with service.shake_hands() as client:
        assert read_all(client) == b"hello\n"


def test_a_renewed_certificate_is_taken_up(site, tmp_path):
    service = inetd(site, tmp_path, "/bin/cat", MIN_PROCS=1, MAX_PROCS=3)

    def shown():
        with service.shake_hands() as client:
            return client.getpeercert(binary_form=True)

    first = shown()
    with service.shake_hands() as session:
        service.certificate.renew(2)
        site.control("restart", "NET")
        wait_until(lambda: shown() != first, LIMIT, "the new one is shown")
        session.sendall(b"still here")
        assert receive(session, 10) == b"still here"


def test_rsync_over_tls(site_of_systemd, tmp_path):
    site = site_of_systemd
    site.run("sh", "-euc", "mkdir -p /srv/pub && head -c 2000000 /dev/urandom >/srv/pub/file")
    site.write_file("/etc/rsyncd.conf", "[pub]\npath = /srv/pub\nuse chroot = no\n")
    service = inetd(site, tmp_path, "/usr/bin/rsync --daemon")
    connect = f"openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:{service.tls_port} 2>/dev/null"
    site.run(
        "env", f"RSYNC_CONNECT_PROG={connect}",
        *"rsync -a --timeout=20 rsync://127.0.0.1/pub/ /run/rsync-tls".split(),
    )
    site.run("cmp", "/srv/pub/file", "/run/rsync-tls/file")
    site.wait_for_log("over, status 0")


CHECKS = {
    "no certificate": ([], r"TLS_PORT needs a certificate"),
    "passed on": (["TLS=pass"], None),
    "both": (["TLS=pass", "TLS_CERT=/nowhere"], r"TLS=pass leaves TLS to the program"),
    "unknown": (["TLS=none"], r"must be end or pass"),
    "exim": (["CERT", "COMMAND=PATH/exim4 -bs -odq"], r"exim -bs behind TLS sees no client's address"),
    "exim with an address": (["CERT", "COMMAND=PATH/exim4 -bs -odq -oMa %a"], None),
    "sendmail": (["CERT", "COMMAND=PATH/sendmail -bs"], r"sendmail -bs behind TLS sees no client's"),
    "exim that speaks TLS": (["TLS=pass", "COMMAND=PATH/exim4 -bs -odq -tls-on-connect"], None),
}


@pytest.mark.parametrize("what", CHECKS)
@pytest.mark.parametrize("image", ["inetd", "proxy"])
def test_check(site_by_hand, tmp_path, image, what):
    site = site_by_hand
    parameters, error = CHECKS[what]
    if image == "proxy" and any(line.startswith("COMMAND") for line in parameters):
        return
    text, key = make_certificate(tmp_path, 1)
    (tmp_path / "both.pem").write_text(text + key)
    for name in ("exim4", "sendmail"):
        (tmp_path / name).write_text("")
    parameters = [line.replace("PATH", str(tmp_path)) for line in parameters]
    parameters = [f"TLS_CERT={tmp_path}/both.pem" if line == "CERT" else line for line in parameters]
    if image == "proxy":
        parameters.append("BACKEND=127.0.0.1:10143")
    elif not any(line.startswith("COMMAND") for line in parameters):
        parameters.append("COMMAND=/bin/cat")
    config = site.service(
        "NET", IMAGE=f"{site.builddir}/{image}", TLS_PORT=2465, PARAMETER=parameters
    )
    site.write_config(config)
    result = site.run(f"{site.builddir}/dispatcherd", "--check", "--config", site.config, check=False)
    said = result.stdout + result.stderr
    assert result.returncode == (1 if error else 0), said
    assert not error or re.search("error: .*" + error, said), said


# proxy


@pytest.fixture
def back_end(site):
    return BackEnd(site)


def proxy(site, tmp_path, back_end, *parameters, **options):
    return Service(
        site, tmp_path, "proxy", [f"BACKEND={back_end.name}", *parameters], drop_in=DROP_IN, **options
    )


def pair(service, back_end, **options):
    client = service.shake_hands(**options)
    server, header = back_end.accept()
    return client, server, header


def test_the_back_end_is_told_of_tls(site, tmp_path, back_end):
    service = proxy(site, tmp_path, back_end)
    client, server, header = pair(service, back_end)
    assert header.peer == client.getsockname()
    assert header.local == ("127.0.0.1", service.tls_port)
    assert header.server_name == "mx.example"
    assert header.tls[:5] == b"\x01\0\0\0\x01"
    assert read_values(header.tls[5:]) == {
        SSL_VERSION: b"TLSv1.3",
        SSL_CIPHER: b"TLS_AES_256_GCM_SHA384",
    }
    (connection,) = site.list_of("connections")
    assert connection["tls"]["protocol"] == "TLSv1.3"
    client.sendall(b"a question")
    assert receive(server, 10) == b"a question"
    server.sendall(b"the answer")
    assert receive(client, 10) == b"the answer"
    server.close()
    assert read_all(client) == b""
    client.close()
    service.wait_active(0)
    # What comes in plain text is passed on as ever.
    plain = site.dial(service.port)
    server, header = back_end.accept()
    assert header.tls is None and header.server_name == ""
    plain.sendall(b"x")
    assert receive(server, 1) == b"x"


def test_the_back_end_knows_the_client_by_its_certificate(site, tmp_path, back_end):
    text, key = make_certificate(tmp_path, 7, name="client.example")
    chain = tmp_path / "client.cert", tmp_path / "client.key"
    chain[0].write_text(text)
    chain[1].write_text(key)
    service = proxy(site, tmp_path, back_end, "TLS_CLIENT=ask")
    _, _, header = pair(service, back_end, chain=chain)
    assert header.tls[:5] == b"\x07\0\0\0\x01", "not verified"
    assert read_values(header.tls[5:])[SSL_CN] == b"client.example"


@pytest.mark.parametrize("first", ["client", "server"])
def test_each_side_may_end_first(site, tmp_path, back_end, first):
    service = proxy(site, tmp_path, back_end)
    client, server, _ = pair(service, back_end)
    if first == "client":
        client.sendall(b"all I have to say")
        end_output(client)
        assert receive(server, 17) == b"all I have to say"
        assert server.recv(1) == b""
        server.sendall(PIECE)
        server.close()
        assert read_all(client) == PIECE
    else:
        server.sendall(b"all I have to say")
        server.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"all I have to say"
        sender = threading.Thread(target=client.sendall, args=(PIECE,), daemon=True)
        sender.start()
        assert receive(server, len(PIECE)) == PIECE
        sender.join(LIMIT)
    client.close()
    service.wait_active(0)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_streams_arrive_whole(site, tmp_path, back_end, version):
    service = proxy(site, tmp_path, back_end)
    client, server, _ = pair(service, back_end)
    n = 20

    def send(sock):
        for _ in range(n):
            sock.sendall(PIECE)

    for a, b in ((client, server), (server, client)):
        sender = threading.Thread(target=send, args=(a,), daemon=True)
        sender.start()
        for _ in range(n):
            assert receive(b, len(PIECE)) == PIECE
        sender.join(LIMIT)
    client.close()


@pytest.mark.parametrize("how", ["without close_notify", "reset"])
def test_the_back_end_does_not_take_a_part_for_the_whole(site, tmp_path, back_end, how):
    service = proxy(site, tmp_path, back_end)
    client, server, _ = pair(service, back_end)
    client.sendall(b"a part")
    assert receive(server, 6) == b"a part"
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(client.detach())
    assert is_reset(server)
    service.wait_active(0)


def test_a_back_end_that_resets_is_no_end_for_the_client(site, tmp_path, back_end):
    service = proxy(site, tmp_path, back_end)
    client, server, _ = pair(service, back_end)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    with pytest.raises(OSError):
        read_all(client)


def test_a_handshake_that_stalls_is_cut_and_others_are_served(site, tmp_path, back_end):
    service = proxy(site, tmp_path, back_end, MAX_CONNS=4)
    stalled = [site.dial(service.tls_port, limit=60) for _ in range(3)]
    for sock in stalled:  # more than half of the places: three seconds
        sock.sendall(b"\x16\x03\x01")
    client, server, _ = pair(service, back_end)
    client.sendall(b"x")
    assert receive(server, 1) == b"x"
    wait_until(lambda: service.failed("timeout") >= 1, LIMIT, "one is cut, so that it is no crowd")
    plain = site.dial(service.tls_port)
    plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
    wait_until(lambda: service.failed("plain_text") == 1, LIMIT, "plain text is counted")


def test_a_client_is_turned_away_over_tls(site, tmp_path, back_end):
    service = proxy(site, tmp_path, back_end, "PROTOCOL=smtp", "CONNECT_TIMEOUT=1")
    back_end.close()
    with service.shake_hands() as client:
        assert read_all(client).startswith(b"421 ")


def test_a_client_at_rest_is_told_when_the_service_stops(site, tmp_path, back_end):
    service = proxy(site, tmp_path, back_end)
    client, server, _ = pair(service, back_end)
    client.sendall(b"x")
    assert receive(server, 1) == b"x"
    site.control("stop", "NET")
    assert read_all(client) == b"", "close_notify"
    assert server.recv(1) == b""


def test_nginx_serves_https_to_curl(site_of_systemd, tmp_path):
    """The example for nginx, with TLS in front of it."""
    site = site_of_systemd
    if site.run("sh", "-c", "command -v nginx", check=False).returncode != 0:
        pytest.skip("nginx was not found; on Debian: apt-get install nginx")
    site.write_file("/var/www/html/hello", "hello\n" * 100000)
    example = Example(site, "nginx-proxy")
    example.install(lambda text: text.replace("IMAGE=proxy", "IMAGE=proxy\nTLS_PORT=443"))
    Certificate(site, tmp_path, "http", drop_in="[Service]\n")
    site.systemctl("daemon-reload")
    site.control("restart", "HTTP")
    curl = ["curl", "-sS", "--fail", "--max-time", "20", "--interface", "127.0.0.7", "--insecure"]
    url = "https://127.0.0.1/hello"
    wait_until(lambda: site.run(*curl, url, check=False).returncode == 0, LIMIT, "it is served")
    assert site.run(*curl, url, url).stdout == "hello\n" * 200000
    assert "127.0.0.7 - - " in site.run("cat", "/var/log/nginx/access.log").stdout
    site.systemctl("stop", "nginx.service", check=False)
