# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The status page and the metrics, against a running dispatcherd."""

import contextlib
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

from harness.burst import need_descriptors
from harness.samples import samples_of
from harness.site import LIMIT
from harness.stream import Stream
from harness.wait import wait_until
from harness.web import Web, WebUnit

SRCDIR = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def start_web(site_by_hand):
    webs = []

    def start():
        webs.append(Web(site_by_hand))
        return webs[-1]

    yield start
    for web in webs:
        web.close()


def test_page_and_metrics_agree_with_dispatcherctl(site_by_hand, start_web):
    site = site_by_hand
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2, MAX_CONNS=10)
    site.connect_served(port, 3)
    web = start_web()
    page = web.ask()
    assert page.status == 200
    assert re.search(r"Active</span> <b>3<i>/20</i>", page.text)
    for worker in site.wait_for_workers("TEST", 2):
        assert f"<td>{worker}</td>" in page.text
    for client in site.list_of("connections"):
        assert client["id"] in page.text
    metrics = web.metrics()
    assert metrics["dispatcherd_up"] == "1"
    assert metrics['dispatcherd_active_connections{service="TEST"}'] == "3"
    assert metrics['dispatcherd_active_connections_max{service="TEST"}'] == "20"
    accepted = metrics['dispatcherd_accepted_connections_total{service="TEST"}']
    assert int(accepted) == site.statistics("TEST")["n_accepted"]


def test_headers_allow_nothing_from_outside(site_by_hand, start_web):
    site_by_hand.run_service()
    page = start_web().ask()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert "http://" not in page.text and "https://" not in page.text and "style=" not in page.text


def seccomp_of(pid):
    """2: it has a filter (proc(5))."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"^Seccomp:\s+(\d)", file.read(), re.MULTILINE).group(1))


def test_the_process_that_serves_cannot_connect(site_by_hand):
    site_by_hand.run_service()
    web = Web(site_by_hand)
    pid = web.process.pid
    # Its port is open a moment before: clients that come by then wait.
    wait_until(lambda: seccomp_of(pid) == 2, LIMIT, "the process forbids itself to connect")
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        (connector,) = map(int, file.read().split())
    assert seccomp_of(connector) == seccomp_of("self")
    assert web.metrics()["dispatcherd_up"] == "1"
    # Without the other one it is of no use: it ends, to be started anew.
    os.kill(connector, signal.SIGKILL)
    assert web.process.wait(LIMIT) == 1


def test_only_an_address_that_cannot_be_read_is_an_error_of_usage(site_by_hand):
    def run(address):
        return subprocess.run(
            [f"{site_by_hand.builddir}/dispatcherd-web", f"--listen={address}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run(f"127.0.0.1:{port}")
    assert ended.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in ended.stderr
    assert "--help" not in ended.stderr
    ended = run("127.0.0.1")
    assert ended.returncode == 2
    assert "invalid address '127.0.0.1'" in ended.stderr
    assert "Try 'dispatcherd-web --help'" in ended.stderr


def test_changes_nothing(site_by_hand, start_web):
    site_by_hand.run_service()
    web = start_web()
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        answer = web.ask(method=method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    head = web.ask(method="HEAD")
    assert (head.status, head.text) == (200, "")
    assert web.ask("/nothing").status == 404
    assert web.ask("/../etc/passwd").status == 404


def test_other_names_than_our_own_get_nothing(site_by_hand, start_web):
    site_by_hand.run_service()
    web = start_web()
    assert web.ask(Host="evil.example").status == 421
    assert web.ask(Host=f"localhost:{web.port}").status == 200


def status_of_request(port, request):
    """The status of the answer to a request as it is written here; 0 for none."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as sock:
        sock.sendall(request.encode())
        line = sock.makefile("rb").readline()
    return int(line.split()[1]) if line else 0


def test_there_must_be_one_host(site_by_hand, start_web):
    """RFC 9112, section 3.2."""
    site_by_hand.run_service()
    port = start_web().port
    for version, hosts, status in (
        ("1.1", ["localhost"], 200),
        ("1.1", [], 400),
        ("1.1", ["localhost", "localhost"], 400),
        ("1.1", ["localhost", "evil.example"], 400),
        ("1.1", ["localhost evil.example"], 400),
        ("1.1", ["evil.example"], 421),
        ("1.0", [], 200),
        ("1.0", ["localhost", "localhost"], 400),
    ):
        lines = [f"GET /metrics HTTP/{version}"] + [f"hOST: {host}" for host in hosts]
        assert status_of_request(port, "\r\n".join(lines) + "\r\n\r\n") == status, lines


def test_promtool_and_the_reference_parser_are_content(site_by_hand, start_web):
    site_by_hand.run_service()
    web = start_web()
    parser = pytest.importorskip(
        "prometheus_client.openmetrics.parser", reason="needs python3-prometheus-client"
    )
    answer = web.ask("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    families = {item.name for item in parser.text_string_to_metric_families(answer.text)}
    assert {"dispatcherd_up", "dispatcherd_accepted_connections"} <= families
    if not shutil.which("promtool"):
        pytest.skip("promtool was not found; on Debian: apt-get install prometheus")
    check = site_by_hand.run(
        "promtool", "check", "metrics", stdin=web.ask("/metrics").text, check=False
    )
    assert (check.returncode, check.stdout + check.stderr) == (0, "")


def test_the_dashboard_shows_metrics_that_exist(site_by_hand, start_web, tmp_path):
    site_by_hand.run_service()
    # Of summaries and counters each sample has a name of its own.
    names = {sample.partition("{")[0] for sample in start_web().metrics()}
    with open(SRCDIR / "units/examples/grafana-dashboard.json") as file:
        dashboard = json.load(file)
    expressions = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    queries = [item["query"] for item in dashboard["templating"]["list"]]
    shown = set(re.findall(r"\bdispatcherd_\w+", " ".join(expressions + queries)))
    assert len(expressions) > 10
    assert shown <= names | {"dispatcherd_kernel_dropped_connections_total"}, shown - names
    if not shutil.which("promtool"):
        pytest.skip("promtool was not found; on Debian: apt-get install prometheus")
    rules = [{"record": f"panel:{i}", "expr": text} for i, text in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    site_by_hand.run("promtool", "check", "rules", str(tmp_path / "rules.yml"))


def test_says_when_the_daemon_is_away_and_finds_the_next(site_by_hand, start_web):
    site = site_by_hand
    site.run_service()
    web = start_web()
    assert web.metrics()["dispatcherd_up"] == "1"
    site.stop()
    wait_until(lambda: web.metrics() == {"dispatcherd_up": "0"}, LIMIT, "dispatcherd_up 0")
    assert "No figures" in web.ask().text
    site.start()
    wait_until(lambda: web.metrics()["dispatcherd_up"] == "1", LIMIT, "dispatcherd_up 1")


class Requests:
    """Clients that ask for the page, all at once.

    All of them are this one process. If it is too busy to ask for one of them within its grace of
    200 ms, that one has to give way like others that are silent, and asks again."""

    def __init__(self, port):
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.answers = {}
        self.n_again = 0

    def add(self):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self.port))
        self.selector.register(sock, selectors.EVENT_WRITE)
        self.answers[sock] = b""

    def left(self):
        return len(self.selector.get_map())

    def end(self, sock):
        self.selector.unregister(sock)
        sock.close()
        if not self.answers[sock]:
            del self.answers[sock]
            self.n_again += 1
            self.add()

    def go_on(self, limit):
        for key, events in self.selector.select(limit):
            sock = key.fileobj
            try:
                if events & selectors.EVENT_WRITE:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.selector.modify(sock, selectors.EVENT_READ)
                elif data := sock.recv(65536):
                    self.answers[sock] += data
                else:
                    self.end(sock)
            except ConnectionError:
                self.end(sock)


def request_together(port, n, limit):
    """So many clients at once, each with a request for the page. Returns the first lines."""
    requests = Requests(port)
    for i in range(n):
        requests.add()
        # Whoever is connected asks before the others are made: the page has little time for the silent.
        if i % 50 == 0:
            requests.go_on(0)
    end = time.monotonic() + limit
    while requests.left():
        assert time.monotonic() < end, f"{requests.left()} requests are left"
        requests.go_on(1)
    assert requests.n_again <= 2 * n
    return [answer.partition(b"\r\n")[0] for answer in requests.answers.values()]


def test_ten_thousand_requests_at_once_are_answered_and_do_not_disturb(site_by_hand, start_web):
    """Most of them wait in the kernel, or knock again, until one of the page's few places is free."""
    need_descriptors(10000)
    site = site_by_hand
    port = site.run_service()
    web = start_web()
    assert web.ask().status == 200
    before, began = cpu_usec(site.daemon_pid()), time.monotonic()
    lines = request_together(web.port, 10000, 4 * LIMIT)
    used = cpu_usec(site.daemon_pid()) - before
    lasted = time.monotonic() - began
    assert lines == [b"HTTP/1.1 200 OK"] * 10000
    # At most two queries a second, of a millisecond each; a query a request would be seconds.
    assert used < 500_000 + 10_000 * lasted

    with Stream(site, port) as stream:
        request_together(web.port, 10000, 4 * LIMIT)
    assert stream.n_served > 0 and stream.refused == stream.broken == []
    assert web.ask().status == 200


def cpu_usec(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // os.sysconf("SC_CLK_TCK")


class SlowClients:
    """So many connections that send nothing, or a byte now and then, and are made anew when they are
    closed."""

    def __init__(self, port, n):
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.is_over = threading.Event()
        self.n_closed = 0
        for i in range(n):
            self.add(is_silent=i % 2 == 0)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def add(self, is_silent):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self.port))
        self.selector.register(sock, selectors.EVENT_READ, is_silent)

    def work(self):
        while not self.is_over.wait(0.05):
            for key, _ in self.selector.select(0):
                self.n_closed += 1
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
                self.add(key.data)
            for key in list(self.selector.get_map().values()):
                if not key.data:
                    with contextlib.suppress(OSError):
                        key.fileobj.send(b"G")

    def close(self):
        self.is_over.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def test_an_honest_client_is_served_beside_hundreds_of_slow_ones(site_by_hand, start_web):
    """Without any that give way, it would wait for 40 seconds."""
    site_by_hand.run_service()
    web = start_web()
    slow = SlowClients(web.port, 300)
    site_by_hand.add_helper(slow)
    for _ in range(3):
        begin = time.monotonic()
        assert web.ask().status == 200
        assert time.monotonic() - begin < LIMIT / 2
    assert slow.n_closed > 0


def test_silent_clients_are_closed(site_by_hand, start_web):
    """They hold every place; whoever comes then is served all the same."""
    site_by_hand.run_service()
    web = start_web()
    silent = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(64)]
    assert web.ask().status == 200
    for sock in silent:
        sock.settimeout(LIMIT)
        assert sock.recv(1) == b""
        sock.close()


def test_a_real_prometheus_scrapes_it(site_by_hand, start_web):
    site = site_by_hand
    if not shutil.which("prometheus"):
        pytest.skip("prometheus was not found; on Debian: apt-get install prometheus")
    port = site.run_service()
    site.connect_served(port, 2)
    web, own_port = start_web(), site.free_port()
    config = os.path.join(site.folder, "prometheus.yml")
    with open(config, "w") as file:
        file.write(
            "scrape_configs: [{job_name: d, scrape_interval: 1s,"
            f" static_configs: [{{targets: ['127.0.0.1:{web.port}']}}]}}]\n"
        )
    prometheus = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={site.folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{own_port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    query = "dispatcherd_accepted_connections_total%7Bservice%3D%22TEST%22%7D"

    def value():
        try:
            url = f"http://127.0.0.1:{own_port}/api/v1/query?query={query}"
            with urllib.request.urlopen(url, timeout=LIMIT) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            return None
        return result and result[0]["value"][1]

    try:
        wait_until(lambda: value() == "2", 6 * LIMIT, "the counter in Prometheus", 0.2)
    finally:
        prometheus.terminate()
        prometheus.wait(6 * LIMIT)


def test_the_unit_answers_and_is_told_no_client(site_of_systemd):
    site = site_of_systemd
    port = site.run_service()
    site.connect_served(port, 1)
    web = WebUnit(site)
    try:
        for host in ("127.0.0.1", "[::1]"):
            metrics = web.text("/metrics", host)
            assert 'dispatcherd_active_connections{service="TEST"} 1' in metrics
        assert "Clients are hidden" in web.text("/")
    finally:
        web.close()


def status_of(site, name):
    """What the page answers to a request for a host of that name."""
    head = site.run("curl", "-sSI", "-H", f"Host: {name}", "http://127.0.0.1:7633/").stdout
    return int(head.split()[1])


def test_the_page_follows_the_name_of_the_host(site_of_systemd):
    site = site_of_systemd
    site.run_service()
    old = site.run("hostname").stdout.strip()
    web = WebUnit(site)
    try:
        assert status_of(site, "renamed.example.com") == 421
        site.run("hostname", "renamed.example.com")
        assert status_of(site, "renamed.example.com") == 200
        assert status_of(site, old) == 421
    finally:
        site.run("hostname", old)
        web.close()


def test_the_unit_takes_another_name_of_the_host(site_of_systemd):
    """As dispatcherd-web(8) says: in a drop-in, without another ExecStart=."""
    site = site_of_systemd
    site.run_service()
    (sample,) = [sample for sample in samples_of("man/dispatcherd-web.8") if "OPTIONS=" in sample.text]

    def status_for(name):
        return status_of(site, name)

    web = WebUnit(site)
    assert status_for("mail.example.com") == 421
    web.close()
    site.write_drop_in("dispatcherd-web.service", sample.text)
    site.systemctl("daemon-reload")
    web = WebUnit(site)
    try:
        assert [status_for(name) for name in ("mail.example.com", "mail", "localhost")] == [200] * 3
        assert status_for("elsewhere.example") == 421
    finally:
        web.close()
