"""DNS lists and IDENT with real servers (spec 6 and 10).

Clients on loopback are never looked up, so a PROXY header says who they are, and which port they
came to.
"""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from harness.wait import wait_until

LISTED, UNLISTED, LISTED_6 = "198.51.100.7", "198.51.100.8", "2001:db8::7"
PROXY = {"PROXY_PROTOCOL": 1, "PROXY_UPSTREAMS": "127.0.0.1"}
TEXT_25 = "500 5.7.1 access_control: host found on DNS list and rejected\r\n"


def header(address, port=25):
    family, server = ("TCP6", "2001:db8::1") if ":" in address else ("TCP4", "192.0.2.1")
    return f"PROXY {family} {address} {server} 4711 {port}\r\n".encode()


def come(site, port, address, to_port=25):
    client = site.connect(port)
    client.sock.sendall(header(address, to_port))
    return client


def read_all(client, limit=20.0):
    client.sock.settimeout(limit)
    parts = []
    while part := client.sock.recv(4096):
        parts.append(part)
    return b"".join(parts).decode()


@pytest.fixture
def lists():
    """rbldnsd with lists. Yields ADDRESS:PORT."""
    if not (program := shutil.which("rbldnsd", path="/usr/sbin:/usr/bin")):
        pytest.skip("rbldnsd was not found; on Debian: apt-get install rbldnsd")
    tmp_path = pathlib.Path(tempfile.mkdtemp())
    tmp_path.chmod(0o755)  # for the user that rbldnsd becomes
    (tmp_path / "ip4").write_text(f":127.0.0.2:listed for $\n127.0.0.2\n{LISTED}\n")
    (tmp_path / "ip6").write_text(f":127.0.0.2:listed for $\n{LISTED_6}\n")
    (tmp_path / "all").write_text(":127.0.0.2:everybody\n0.0.0.0/0\n")
    (tmp_path / "code").write_text(":127.255.255.254:go away\n0.0.0.0/0\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    zones = [f"good.test:ip4set:{tmp_path}/ip4", f"good.test:ip6trie:{tmp_path}/ip6",
             f"world.test:ip4trie:{tmp_path}/all", f"code.test:ip4trie:{tmp_path}/code"]
    command = [program, "-n", "-f", "-b", f"127.0.0.1/{port}", "-u", "nobody", "-w", "/", *zones]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
        try:
            wait_until(lambda: answers(port), 10, "rbldnsd answers")
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            shutil.rmtree(tmp_path)


def answers(port):
    """Any answer to a question for 2.0.0.127.good.test."""
    name = b"".join(bytes([len(part)]) + part for part in b"2.0.0.127.good.test".split(b"."))
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0" + name + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        with contextlib.suppress(OSError):
            sock.sendto(question, ("127.0.0.1", port))
            return sock.recv(512)
    return b""


@pytest.fixture
def udp_server():
    """A name server that answers whatever the function it is given returns; None is nothing."""
    servers = []

    def start(answer):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        servers.append(sock)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    question, peer = sock.recvfrom(512)
                    if (text := answer(question)) is not None:
                        sock.sendto(text, peer)

        threading.Thread(target=serve, daemon=True).start()
        return "127.0.0.1:%d" % sock.getsockname()[1]

    yield start
    for sock in servers:
        sock.close()


def run(site, servers, **options):
    site.arguments += ["--dns-servers", servers]
    return site.run_service(**({"MIN_PROCS": 1, "DEBUG": "16%1000000"} | PROXY | options))


def test_a_listed_client_reads_why_and_an_unlisted_one_is_served(site_by_hand, lists):
    site = site_by_hand
    port = run(site, lists, DNS_VERIFY_DOMAIN="good.test")
    assert read_all(come(site, port, LISTED)) == TEXT_25
    assert read_all(come(site, port, LISTED, 110)).startswith("-ERR access_control: ")
    assert read_all(come(site, port, LISTED, 143)).startswith("* BYE access_control: ")
    assert read_all(come(site, port, LISTED, 587)) == ""
    assert read_all(come(site, port, LISTED_6)) == TEXT_25
    assert come(site, port, UNLISTED).ask("service") == "TEST"
    assert come(site, port, "2001:db8::8").ask("service") == "TEST"
    site.wait_for_log(f"access_control: host {LISTED} found on DNS list and rejected")
    assert site.statistics("TEST")["rejected"]["dns_list"] == 5


def test_an_entry_that_accepts_spares_the_lists(site_by_hand, lists):
    site = site_by_hand
    site.write_mappings(f"PORT_ACCESS\n\n  TCP|*|*|{LISTED}|*  $Y\n")
    port = run(site, lists, DNS_VERIFY_DOMAIN="good.test")
    assert come(site, port, LISTED).ask("service") == "TEST"
    assert read_all(come(site, port, LISTED_6)) == TEXT_25


def test_the_call_out_gives_the_text_of_the_list(site_by_hand, lists):
    site = site_by_hand
    site.write_mappings(
        "PORT_ACCESS\n\n  TCP|*|25|*|*  "
        "$C$[IMTA_LIB:dns_verify.so,dns_verify_domain_port,$1,good.test,Your$ host]$E\n"
    )
    port = run(site, lists)
    assert read_all(come(site, port, LISTED)) == f"500 5.7.1 listed for {LISTED}\r\n"
    assert come(site, port, UNLISTED).ask("service") == "TEST"


def test_lists_that_are_none_are_set_aside(site_by_hand, lists):
    site = site_by_hand
    port = run(site, lists, DNS_VERIFY_DOMAIN=["world.test", "code.test"])
    assert come(site, port, UNLISTED).ask("service") == "TEST"
    site.wait_for_log("DNS list world.test is set aside")
    site.wait_for_log("DNS list code.test is set aside")
    assert come(site, port, LISTED).ask("service") == "TEST"
    assert site.count_log("is set aside") == 2


def test_garbage_for_an_answer_serves(site_by_hand, udp_server):
    site = site_by_hand
    port = run(site, udp_server(lambda question: os.urandom(80)), DNS_VERIFY_DOMAIN="bad.test")
    assert come(site, port, LISTED).ask("service", 20) == "TEST"


def median_greeting(site, port, n=60):
    times = []
    for i in range(n):
        began = time.monotonic()
        with come(site, port, f"203.0.113.{i + 1}") as client:
            client.pid()
        times.append(time.monotonic() - began)
    return sorted(times)[n // 2]


def test_a_thousand_that_wait_for_a_silent_server_delay_nobody(site_by_hand, udp_server):
    site = site_by_hand
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|203.0.113.*|*  $Y\n")
    options = {"MAX_CONNS": 50, "MAX_PROCS": 25, "MAX_HANDOFFS": 50, "BACKLOG": 4096}
    port = run(site, udp_server(lambda question: None), DNS_VERIFY_DOMAIN="silent.test", **options)
    quiet = median_greeting(site, port)
    began = time.monotonic()
    waiting = [come(site, port, f"198.51.{i // 250}.{i % 250}") for i in range(1000)]
    busy = median_greeting(site, port)
    assert time.monotonic() < began + 5, "too slow for this test"
    assert waiting[-1].is_waiting(0.05)
    assert busy <= 2 * quiet + 0.002, f"{quiet * 1e6:.0f} us alone, {busy * 1e6:.0f} us beside them"
    # The rule for servers that do not answer: all come in.
    assert waiting[0].ask("service", 20) == waiting[-1].ask("service", 20) == "TEST"
    site.wait_for_log("DNS list silent.test is set aside")


def test_a_client_that_leaves_while_it_is_checked_is_forgotten(site_by_hand, udp_server):
    site = site_by_hand
    port = run(site, udp_server(lambda question: None), DNS_VERIFY_DOMAIN="silent.test")
    come(site, port, LISTED).close()
    wait_until(lambda: site.statistics("TEST")["n_gone"] == 1, 3, "it is seen to be gone")


@pytest.fixture
def ident_server():
    """A server that sends what it is given to every question. Yields a function for that."""
    servers = []

    def start(answer):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    sock, _ = server.accept()
                    with sock, contextlib.suppress(OSError):
                        question = sock.recv(100).decode().strip()
                        sock.sendall(answer(question))
                        sock.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        server.close()


def user_of(site):
    (connection,) = site.list_of("connections")
    return connection["ident_user"]


@pytest.mark.parametrize(
    "answer, user",
    [
        (lambda question: f"{question} : USERID : UNIX : joe\r\n".encode(), "joe"),
        (lambda question: f"{question} : USERID : UNIX : <script>\r\n".encode(), "<script>"),
        (lambda question: f"{question} : ERROR : NO-USER\r\n".encode(), None),
        (lambda question: b"x" * 1000000, None),
    ],
    ids=["joe", "script", "error", "flood"],
)
def test_ident_is_noted_and_not_waited_for(site_by_hand, ident_server, answer, user):
    site = site_by_hand
    site.arguments += ["--ident-port", str(ident_server(answer))]
    port = site.run_service(MIN_PROCS=1, IDENT=1)
    (client,) = site.connect_served(port)
    if user:
        wait_until(lambda: user_of(site) == user, 5, "the user is noted")
    else:
        time_over = time.monotonic() + 0.5
        while time.monotonic() < time_over:
            assert user_of(site) is None
    assert client.ask("echo still here") == "still here"


@pytest.mark.skipif(not shutil.which("haproxy", path="/usr/sbin"), reason="haproxy was not found")
@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
def test_behind_haproxy_the_client_is_the_client(site_by_hand, tmp_path, send):
    site = site_by_hand
    port, front = site.free_port(), site.free_port()
    site.run_service(PORT=port, MIN_PROCS=1, **PROXY)
    (tmp_path / "haproxy.cfg").write_text(
        "defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n"
        f"frontend f\n bind 127.0.0.1:{front}\n default_backend b\n"
        f"backend b\n server s 127.0.0.1:{port} {send}\n"
    )
    command = ["/usr/sbin/haproxy", "-f", str(tmp_path / "haproxy.cfg")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as proxy:
        try:
            wait_until(lambda: not site.refuses(front), 10, "haproxy listens")
            client = site.connect(front, source="127.0.0.77")
            assert client.ask("peer") == "127.0.0.77 %d" % client.sock.getsockname()[1]
        finally:
            proxy.terminate()
