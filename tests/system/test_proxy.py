# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""IMAGE=proxy: servers that accept by themselves, and what a client or one of them may do."""

import hashlib
import json
import os
import re
import socket
import threading

import pytest
from harness.back_end import BackEnd, Header, ProxyService, is_reset, receive, reset
from harness.soak import times
from harness.wait import holds_for, wait_until

pytestmark = pytest.mark.one_way

PIECE = os.urandom(1 << 20)


@pytest.fixture
def back_end(site):
    return BackEnd(site)


def pair(service, back_end):
    """A client, and what the back end has of it."""
    client = service.dial()
    server, _ = back_end.accept()
    return client, server


def alerts(site):
    status = json.loads(site.control("--json", "status").stdout)
    return {alert["alert"]: alert for alert in status["alerts"]}


def test_bytes_go_both_ways_and_the_back_end_knows_the_client(site, back_end):
    service = ProxyService(site, back_end.name)
    client = service.dial()
    server, header = back_end.accept()
    assert header.peer == client.getsockname()
    assert header.local == ("127.0.0.1", service.port)
    (connection,) = site.list_of("connections")
    assert header.id == connection["id"]
    client.sendall(b"a question")
    assert receive(server, 10) == b"a question"
    server.sendall(b"the answer")
    assert receive(client, 10) == b"the answer"
    server.close()
    assert client.recv(1) == b""
    client.close()
    service.wait_active(0)


@pytest.mark.parametrize("first", ["client", "server"])
def test_each_side_may_end_first(site, back_end, first):
    service = ProxyService(site, back_end.name)
    a, b = pair(service, back_end)
    if first == "server":
        a, b = b, a
    a.sendall(b"all I have to say")
    a.shutdown(socket.SHUT_WR)
    assert receive(b, 17) == b"all I have to say"
    assert b.recv(1) == b""
    b.sendall(PIECE)
    assert receive(a, len(PIECE)) == PIECE
    service.wait_active(1)
    b.close()
    assert a.recv(1) == b""
    service.wait_active(0)


def test_version_1_of_the_header(site, back_end):
    service = ProxyService(site, back_end.name, parameters=["PROXY=v1"])
    client = service.dial()
    server = back_end.accept_raw()
    port = client.getsockname()[1]
    line = f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {service.port}\r\n".encode()
    assert receive(server, len(line)) == line


def test_no_header(site, back_end):
    service = ProxyService(site, back_end.name, parameters=["PROXY=none"])
    client = service.dial()
    server = back_end.accept_raw()
    client.sendall(b"x")
    assert receive(server, 1) == b"x"


class Sender(threading.Thread):
    """Sends pieces, and knows what they were."""

    def __init__(self, sock, n):
        super().__init__(daemon=True)
        self.sock = sock
        self.n = n
        self.n_sent = 0
        self.hash = hashlib.sha256()
        self.start()

    def run(self):
        for _ in range(self.n):
            self.sock.sendall(PIECE)
            self.hash.update(PIECE)
            self.n_sent += 1
        self.sock.shutdown(socket.SHUT_WR)


def hash_of(sock):
    result = hashlib.sha256()
    while data := sock.recv(1 << 20):
        result.update(data)
    return result.digest()


@pytest.mark.parametrize("sender", ["client", "server"])
def test_who_does_not_read_holds_the_other_back(site, back_end, sender):
    service = ProxyService(site, back_end.name)
    a, b = pair(service, back_end)
    if sender == "server":
        a, b = b, a
    n = 100
    a.settimeout(None)
    stream = Sender(a, n)
    seen = [-1, 0]

    def stands_still():
        seen[:] = [seen[1], stream.n_sent]
        return seen[0] == seen[1]

    wait_until(stands_still, what="the sender waits", interval=0.5)
    assert stream.n_sent < n / 2
    memory = site.run("cat", f"/proc/{service.worker()}/status").stdout
    assert int(re.search(r"RssAnon:\s+(\d+)", memory)[1]) < 20 * 1024
    assert hash_of(b) == stream.hash.digest() or stream.is_alive()
    stream.join()
    b.shutdown(socket.SHUT_WR)
    assert a.recv(1) == b""
    service.wait_active(0)


def test_streams_both_ways_at_once(site, back_end):
    n_pairs, n = 10, times(10, 100)
    service = ProxyService(site, back_end.name, MAX_CONNS=n_pairs)
    pairs = [pair(service, back_end) for _ in range(n_pairs)]
    senders, results = [], {}

    def read(sock):
        results[sock] = hash_of(sock)

    for a, b in pairs:
        senders += [(Sender(a, n), b), (Sender(b, n), a)]
    readers = [threading.Thread(target=read, args=(sock,)) for _, sock in senders]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    for sender, sock in senders:
        sender.join()
        assert results[sock] == sender.hash.digest()
    service.wait_active(0)


@pytest.mark.parametrize("who", ["client", "server"])
@pytest.mark.parametrize("when", ["at once", "after bytes", "with bytes unread"])
def test_a_reset_reaches_the_other_side(site, back_end, who, when):
    service = ProxyService(site, back_end.name)
    a, b = pair(service, back_end)
    if who == "server":
        a, b = b, a
    if when == "after bytes":
        a.sendall(b"x")
        assert receive(b, 1) == b"x"
    elif when == "with bytes unread":
        b.sendall(b"x")
        receive(a, 1)
        b.sendall(PIECE)
    reset(a)
    assert is_reset(b)
    service.wait_active(0)


def test_last_words_of_a_server_that_takes_no_more_arrive(site, back_end):
    service = ProxyService(site, back_end.name)
    client, server = pair(service, back_end)
    server.shutdown(socket.SHUT_RD)
    server.sendall(b"421 go away\r\n")
    client.sendall(b"x")
    assert receive(client, 13) == b"421 go away\r\n"


def closed_port(site):
    return site.free_port()


def test_the_next_back_end_is_taken_if_one_refuses(site, back_end):
    service = ProxyService(site, f"127.0.0.1:{closed_port(site)}", back_end.name)
    for _ in range(5):
        client, server = pair(service, back_end)
        client.sendall(b"x")
        assert receive(server, 1) == b"x"


def test_a_back_end_that_is_down_is_reported_once_and_used_when_it_is_back(site):
    port = closed_port(site)
    service = ProxyService(
        site, f"127.0.0.1:{port}", parameters=["CONNECT_TIMEOUT=3", "PROTOCOL=imap"], MAX_CONNS=50
    )
    clients = [service.dial() for _ in range(10)]
    for client in clients:
        assert client.recv(100).startswith(b"* BYE [UNAVAILABLE] "), "the text of its protocol"
        assert client.recv(1) == b""
    line = rf"cannot connect to back end 127\.0\.0\.1:{port}: Connection refused; trying again"
    site.wait_for_log(r"turned away: no back end; ")
    wait_until(lambda: site.statistics("TEST")["n_sent_away"] == 10, what="they are counted")
    assert site.count_log(line) == 1
    alert = wait_until(lambda: alerts(site).get("backend"), what="the alert")
    assert f"127.0.0.1:{port}: Connection refused" in alert["text"]

    back_end = BackEnd(site, port)
    site.wait_for_log(rf"back end 127\.0\.0\.1:{port} can be reached again, after \d+ s")
    wait_until(lambda: "backend" not in alerts(site), 100, "the alert is over")
    client, server = pair(service, back_end)
    client.sendall(b"x")
    assert receive(server, 1) == b"x"


def test_a_client_waits_while_the_back_end_restarts(site):
    port = closed_port(site)
    service = ProxyService(site, f"127.0.0.1:{port}")
    client = service.dial()
    client.sendall(b"hello")
    service.wait_active(1)
    back_end = BackEnd(site, port)
    server, _ = back_end.accept()
    assert receive(server, 5) == b"hello"
    assert site.count_log("cannot connect to back end") == 0, "it was back soon"


def test_a_client_that_leaves_while_it_waits_leaves_nothing(site):
    port = closed_port(site)
    service = ProxyService(site, f"127.0.0.1:{port}", MAX_CONNS=20)
    service.wait_active(0)
    clients = [service.dial() for _ in range(20)]
    service.wait_active(20)
    for client in clients:
        reset(client)
    service.wait_active(0)


def fill(back_end):
    """Connections that nobody accepts, until the kernel takes no more."""
    while True:
        sock = back_end.site.open_socket(socket.AF_INET)
        back_end.site.clients.append(sock)
        sock.settimeout(0.3)
        try:
            sock.connect(("127.0.0.1", back_end.port))
        except TimeoutError:
            return


def test_a_back_end_that_does_not_answer_costs_its_share_of_the_time(site, back_end):
    silent = BackEnd(site, backlog=0)
    fill(silent)
    service = ProxyService(site, silent.name, back_end.name, parameters=["CONNECT_TIMEOUT=2"])
    pair(service, back_end)
    pair(service, back_end)


def test_a_client_that_takes_nothing_is_ended(site, back_end):
    service = ProxyService(site, back_end.name, parameters=["STALL_TIMEOUT=1"])
    client, server = pair(service, back_end)
    quiet, quiet_server = pair(service, back_end)
    stream = threading.Thread(target=lambda: pytest.raises(OSError, server.sendall, PIECE * 64))
    stream.start()
    stream.join(20)
    assert not stream.is_alive()
    assert is_reset(client)
    # One at rest holds nothing back, and stays.
    quiet.sendall(b"x")
    assert receive(quiet_server, 1) == b"x"
    service.wait_active(1)


@pytest.mark.parametrize("first", ["client", "server"])
def test_a_session_may_end_on_one_side_after_a_long_rest(site, back_end, first):
    """The limit for that begins then, and not with the last byte."""
    service = ProxyService(site, back_end.name, parameters=["STALL_TIMEOUT=2"])
    a, b = pair(service, back_end)
    if first == "server":
        a, b = b, a
    a.sendall(b"x")
    assert receive(b, 1) == b"x"
    holds_for(lambda: site.list_of("connections"), 2.5, "it rests")
    a.shutdown(socket.SHUT_WR)
    assert b.recv(1) == b""
    b.sendall(b"the rest")
    assert receive(a, 8) == b"the rest"
    b.close()
    assert a.recv(1) == b""
    service.wait_active(0)


def test_sessions_go_on_while_dispatcherd_is_killed_and_come_back(site_of_systemd):
    site = site_of_systemd
    back_end = BackEnd(site)
    service = ProxyService(site, back_end.name)
    client, server = pair(service, back_end)
    site.kill(site.daemon_pid(), "KILL")
    site.wait_for_log("taking over")
    client.sendall(b"x")
    assert receive(server, 1) == b"x"
    server.close()
    assert client.recv(1) == b""
    client.close()
    service.wait_active(0)


def test_a_drain_waits_for_sessions(site, back_end):
    service = ProxyService(site, back_end.name, MAX_PROCS=2)
    old = service.worker()
    client, server = pair(service, back_end)
    site.control("restart", "TEST")
    wait_until(lambda: site.worker_pids("TEST") - {old}, what="a successor")
    client.sendall(b"x")
    assert receive(server, 1) == b"x"
    holds_for(lambda: old in site.worker_pids("TEST"), 0.5)
    client.close()
    server.close()
    wait_until(lambda: old not in site.worker_pids("TEST"), what="the old worker ends")


def test_nothing_is_left_of_many_sessions(site, back_end):
    service = ProxyService(
        site, back_end.name, MAX_CONNS=50, MAX_LIFE_CONNS=0, MAX_CONNS_PER_ADDRESS=0
    )
    client, server = pair(service, back_end)
    reset(client)
    server.close()
    service.wait_active(0)
    before = service.descriptors()
    n_rounds, n = times(40, 2000), 50
    for i in range(n_rounds):
        clients = [service.dial() for _ in range(n)]
        servers = [back_end.accept()[0] for _ in range(n)]
        for k, (a, b) in enumerate(zip(clients, servers)):
            if i % 10 == 0 and k % 10 == 0:
                a.sendall(PIECE[:100000])
            (reset if (i + k) % 2 else socket.socket.close)(a)
            (reset if (i + k) % 3 else socket.socket.close)(b)
        site.clients.clear()
    service.wait_active(0)
    after = service.descriptors()
    # Up to eight pipes are kept for the next that needs one; of all others not one more is open.
    pipes = [name for name in after if name.startswith("pipe:")]
    assert len(pipes) <= 16
    assert len(after) - len(pipes) == len([name for name in before if not name.startswith("pipe:")])
    assert site.statistics("TEST")["n_ended"] == n_rounds * n + 1


def test_a_unix_socket(site_by_hand):
    site = site_by_hand
    path = os.path.join(site.folder, "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(10)
    service = ProxyService(site, path)
    client = service.dial()
    server, _ = listener.accept()
    assert Header(server).peer == client.getsockname()
    sender = Sender(client, 20)
    assert hash_of(server) == sender.hash.digest()
    server.sendall(PIECE)
    server.close()
    assert receive(client, len(PIECE)) == PIECE
    assert client.recv(1) == b""
    listener.close()


@pytest.mark.parametrize(
    "parameter, text",
    [
        (["BACKEND=127.0.0.1:99999"], "must be the path of a Unix socket, or host:port"),
        ([], "PARAMETER=BACKEND= is missing"),
        (["BACKEND=/x", "PROXY=v3"], "PARAMETER=PROXY=v3: must be "),
        (["BACKEND=127.0.0.1:25", "PROXY=none"], "open relay"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(site, parameter, text):
    site.write_config(
        site.service(
            "TEST",
            PORT=site.free_port(),
            MIN_PROCS=1,
            IMAGE=site.delivered_image("proxy", "TEST"),
            PARAMETER=parameter,
        )
    )
    site.start()
    site.wait_for_log(text)
