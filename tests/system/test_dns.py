# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Who may come in, as others see it: DNS lists and IDENT (dispatcher.cnf(5)), with real servers."""

import json
import pathlib
import time

import pytest
from harness.identd import IdentServer
from harness.names import NameServer
from harness.wait import wait_until
from test_access import connect_from, proxied, read_all, rejected

pytestmark = pytest.mark.one_way

REFUSED = {
    25: "500 5.7.1 access_control: host found on DNS list and rejected\r\n",
    110: "-ERR access_control: host found on DNS list and rejected\r\n",
    143: "* BYE access_control: host found on DNS list and rejected\r\n",
    587: "",
}
SILENCE_LIMIT = 5.0  # seconds that a question may take (dispatcher.cnf(5))
IDENT_LIMIT = 2.0


@pytest.fixture
def names(site):
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    return server


def header(client, port=25):
    """The PROXY header of a client: nobody asks lists about this host's own addresses."""
    family, local = ("TCP6", "2001:db8:2::1") if ":" in client else ("TCP4", "192.0.2.1")
    return f"PROXY {family} {client} {local} 4711 {port}\r\n".encode()


def run_behind_proxy(site, table=None, **options):
    if table:
        site.write_mappings("PORT_ACCESS\n\n" + table)
    options = {"MIN_PROCS": 1, "PROXY_PROTOCOL": 1, "PROXY_UPSTREAMS": "127.0.0.1"} | options
    return site.run_service(**options)


def come(site, port, client, local_port=25):
    return proxied(site, port, header(client, local_port))


def time_to_be_served(site, port, client):
    began = time.monotonic()
    assert come(site, port, client).ask("service") == "TEST"
    return time.monotonic() - began


def checking(site):
    return site.services()["TEST"]["checking"]["value"]


def wait_for_checks(site, n):
    wait_until(lambda: checking(site) == n, what=f"{n} connections being checked")


@pytest.mark.parametrize("client", ["198.51.100.7", "198.51.100.20", "2001:db8:1::7"])
def test_a_listed_client_reads_the_text_of_its_port(site, names, client):
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="list.test", DEBUG="16%1000000")
    for local_port, text in REFUSED.items():
        assert read_all(come(site, port, client, local_port)) == text
    site.wait_for_log(f"access_control: host {client} found on DNS list and rejected; "
                      rf"list list\.test: 127\.0\.0\.2, \"Listed \({client}\)\"$")
    assert rejected(site)["dns_list"] == len(REFUSED)
    # One question and one for the text, and the answers are remembered.
    assert sum(not name.endswith(".0.0.127.list.test") for name in names.questions) == 2


def test_others_are_served(site, names):
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="list.test")
    assert come(site, port, "198.51.100.8").ask("peer") == "198.51.100.8 4711"
    assert come(site, port, "2001:db8:1::8").ask("peer") == "2001:db8:1::8 4711"
    questions = len(names.questions)
    # About these no list can know anything (dispatcher.cnf(5)).
    for client in ["127.0.0.2", "10.1.2.3", "192.168.7.7", "fd00::7"]:
        assert come(site, port, client).ask("service") == "TEST"
    assert len(names.questions) == questions
    assert site.count_log("set aside") == 0


def test_who_is_accepted_by_an_entry_is_not_asked_about(site, names):
    port = run_behind_proxy(site, "  TCP|*|*|198.51.100.*|*  $Y\n", DNS_VERIFY_DOMAIN="list.test")
    assert come(site, port, "198.51.100.7").ask("service") == "TEST"
    assert names.questions == []
    assert read_all(come(site, port, "2001:db8:1::7")) == REFUSED[25]


CALLOUT = "  TCP|*|*|*|*  $C$[IMTA_LIB:dns_verify.so,dns_verify_domain_port,$2,%s]$E\n"


def test_the_callout_gives_the_text_of_the_list(site, names):
    port = run_behind_proxy(site, CALLOUT % "list.test", DEBUG="16%1000000")
    text = "500 5.7.1 Listed (198.51.100.7)\r\n"
    assert read_all(come(site, port, "198.51.100.7")) == text
    assert come(site, port, "198.51.100.8").ask("service") == "TEST"
    site.wait_for_log(r"host 198.51.100.7 rejected by PORT_ACCESS, .*: 500 5.7.1 Listed .*; "
                      r"list list\.test: 127\.0\.0\.2, \"Listed \(198.51.100.7\)\"$")


def test_without_a_text_of_the_list_the_callout_gives_its_own(site, names):
    port = run_behind_proxy(site, CALLOUT % "mute.test,Go$ away$ ($2)")
    assert read_all(come(site, port, "198.51.100.7")) == "500 5.7.1 Go away (198.51.100.7)\r\n"


def test_one_list_that_says_yes_decides(site, names):
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN=["silent.test", "list.test"])
    began = time.monotonic()
    assert read_all(come(site, port, "198.51.100.7")) == REFUSED[25]
    assert time.monotonic() - began < SILENCE_LIMIT


def test_a_silent_list_refuses_nobody_and_is_set_aside(site, names):
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="silent.test")
    duration = time_to_be_served(site, port, "198.51.100.7")
    assert SILENCE_LIMIT - 1.5 < duration < SILENCE_LIMIT + 4
    site.wait_for_log("DNS list silent.test is set aside, and rejects nobody: it does not answer")
    assert time_to_be_served(site, port, "198.51.100.9") < SILENCE_LIMIT / 2


def test_an_answer_that_is_garbage_refuses_nobody(site, names):
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="garbage.test")
    assert time_to_be_served(site, port, "198.51.100.7") < SILENCE_LIMIT + 4


@pytest.mark.parametrize("zone", ["world.test", "refusing.test", "parked.test"])
def test_a_list_that_is_none_is_set_aside_and_told_once(site, names, zone):
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN=[zone, "list.test"])
    for i in range(5):
        assert time_to_be_served(site, port, f"203.0.113.{i + 1}") < SILENCE_LIMIT / 2
    site.wait_for_log(f"DNS list {zone} is set aside, and rejects nobody: ")
    assert site.count_log("is set aside") == 1
    # The other one is asked as before.
    assert read_all(come(site, port, "198.51.100.7")) == REFUSED[25]


def test_a_name_server_that_is_gone_refuses_nobody(site):
    site.add_arguments("--dns-servers", f"127.0.0.1:{site.free_port()}")
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="list.test")
    assert time_to_be_served(site, port, "198.51.100.7") < SILENCE_LIMIT + 4


def refusals(site, port):
    """How the listed client is answered."""
    with come(site, port, "198.51.100.7") as client:
        return client.ask("service")


def test_name_servers_of_dispatcher_cnf_are_taken_up_at_a_reload(site):
    server = NameServer(site)
    options = dict(
        PORT=site.free_port(),
        MIN_PROCS=1,
        PROXY_PROTOCOL=1,
        PROXY_UPSTREAMS="127.0.0.1",
        DNS_VERIFY_DOMAIN="list.test",
    )
    head = "[SERVICE=DISPATCHER]\nDNS_SERVERS=127.0.0.1:%d\n"
    site.write_config(head % site.free_port() + site.service("TEST", **options))
    site.start()
    # Failures are failures, however fast: said at once, not in five minutes.
    for _ in range(3):
        assert refusals(site, options["PORT"]) == "TEST"
    site.wait_for_log(
        "DNS list list.test is set aside, and rejects nobody: no name server accepts queries about it"
    )
    port = int(server.server.split(":")[1])
    site.reload(head % port + site.service("TEST", **options))
    site.wait_for_log(f"other name servers: {server.server}, from DNS_SERVERS$")
    # Tested anew at once, and taken back.
    wait_until(lambda: refusals(site, options["PORT"]).startswith("500"), what="a refusal")


def test_name_servers_of_the_host_are_followed(site_of_systemd):
    site = site_of_systemd
    server = NameServer(site, ("127.0.0.77", 53))
    set_server = ["sh", "-c", 'echo "nameserver $0" > /etc/resolv.conf']
    site.run(*set_server, "127.0.0.76")
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="list.test")
    assert refusals(site, port) == "TEST"
    site.run(*set_server, "127.0.0.77")
    wait_until(lambda: refusals(site, port).startswith("500"), what="a refusal")
    site.wait_for_log(f"name servers: {server.server}, from /etc/resolv.conf$")


def test_a_thousand_waiting_checks_delay_nobody_else(site, names):
    # Few enough a list that none is set aside for the crowd that waits for it.
    table = "  TCP|*|*|203.0.113.*|*  $Y\n" + "".join(
        f"  TCP|*|*|198.18.{i}.*|*  "
        f"$C$[IMTA_LIB:dns_verify.so,dns_verify_domain_port,198.18.{i}.$2,net{i}.silent.test]$E\n"
        for i in range(4)
    )
    # A place for each, in whichever order their checks end.
    port = run_behind_proxy(site, table, MAX_PROCS=21, MAX_CONNS=50, BACKLOG=2000)

    def median():
        times = []
        for i in range(60):
            began = time.monotonic()
            with come(site, port, f"203.0.113.{i + 1}") as client:
                client.pid()
            times.append(time.monotonic() - began)
        return sorted(times)[30]

    quiet = median()
    # A slow machine brings fewer in a time in which none of the checks ends by itself.
    began, waiting = time.monotonic(), []
    while len(waiting) < 1000 and time.monotonic() < began + 2:
        i = len(waiting)
        waiting.append(come(site, port, f"198.18.{i // 250}.{i % 250 + 1}"))
    busy = median()
    assert checking(site) == len(waiting) >= 200, "the checks were over too soon to say anything"
    assert busy < 3 * quiet + 0.05, f"{quiet * 1e6:.0f} us quiet, {busy * 1e6:.0f} us then"
    for client in waiting:
        with client:
            assert client.ask("service") == "TEST"


def test_a_client_that_leaves_frees_its_place(site, names):
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="silent.test", MAX_CONNS_PER_ADDRESS=2)
    clients = [come(site, port, "198.51.100.7") for _ in range(2)]
    wait_for_checks(site, 2)
    too_many = "421 4.7.0 too many connections from your address"
    assert come(site, port, "198.51.100.7").receive() == too_many
    clients[0].close()
    wait_for_checks(site, 1)
    third = come(site, port, "198.51.100.7")
    wait_for_checks(site, 2)
    assert clients[1].ask("service") == third.ask("service") == "TEST"


def test_a_reload_leaves_waiting_checks_alone(site, names):
    table = "  TCP|*|*|203.0.113.1|*  $Y\n"
    port = run_behind_proxy(site, table, DNS_VERIFY_DOMAIN="silent.test")
    clients = [come(site, port, f"198.51.100.{i + 1}") for i in range(5)]
    wait_for_checks(site, 5)
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|198.51.100.*|*  $N500$ no\n")
    site.reload()
    assert checking(site) == 5
    # The tables are the new ones for whoever comes now; a check ends as it began.
    assert read_all(come(site, port, "198.51.100.99")) == "500 no\r\n"
    for client in clients:
        assert client.ask("service") == "TEST"


def test_a_service_that_goes_ends_its_checks(site_by_hand):
    site = site_by_hand
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="silent.test")
    client = come(site, port, "198.51.100.7")
    wait_for_checks(site, 1)
    site.reload(site.service("OTHER", PORT=site.free_port()))
    # It had been accepted: it is served, by the last of the workers, or closed. Nothing hangs.
    client.send("service")
    assert client.receive(20) in ("TEST", None)


# IDENT


def connection_of(site, source):
    connections = json.loads(site.control("--json", "connections").stdout)["connections"]
    (found,) = [item for item in connections if item["client"]["address"] == source]
    return found


@pytest.mark.parametrize(
    "reply, user",
    [
        ("{ports} : USERID : UNIX : joe\r\n", "joe"),
        ("{ports} : ERROR : HIDDEN-USER\r\n", None),
        ("nonsense\r\n", None),
    ],
)
def test_the_user_of_a_client_is_noted(site, reply, user):
    server = IdentServer(site, reply)
    site.add_arguments("--ident-port", str(server.port))
    port = site.run_service(MIN_PROCS=1, IDENT=1)
    client = connect_from(site, "127.0.0.5", port)
    assert client.ask("service") == "TEST"
    wait_until(lambda: server.questions, what="a question")
    if user:
        wait_until(
            lambda: connection_of(site, "127.0.0.5")["ident_user"] == user, what="the user's name"
        )
    assert connection_of(site, "127.0.0.5")["ident_user"] == user
    # The client is asked from where it knows us, about the two ports (RFC 1413).
    client_port = client.sock.getsockname()[1]
    asker, ports = server.questions[0]
    assert (asker, ports.replace(" ", "")) == ("127.0.0.1", f"{client_port},{port}")


@pytest.mark.parametrize("reply", ["", None], ids=["silence", "flood"])
def test_a_bad_ident_server_delays_nobody(site, reply):
    server = IdentServer(site, reply)
    site.add_arguments("--ident-port", str(server.port))
    port = site.run_service(MIN_PROCS=1, IDENT=1)
    clients = []
    for i in range(5):
        began = time.monotonic()
        clients.append(connect_from(site, f"127.0.0.{i + 5}", port))
        assert clients[-1].ask("service") == "TEST"
        assert time.monotonic() - began < IDENT_LIMIT
    wait_until(lambda: server.questions, what="a question")
    assert connection_of(site, "127.0.0.5")["ident_user"] is None


def test_no_ident_server(site):
    site.add_arguments("--ident-port", str(site.free_port()))
    port = site.run_service(MIN_PROCS=1, IDENT=1)
    client = connect_from(site, "127.0.0.5", port)
    assert client.ask("service") == "TEST"
    assert connection_of(site, "127.0.0.5")["ident_user"] is None


# HAProxy

HAPROXY = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen test
  bind 127.0.0.1:{front}
  server dispatcherd 127.0.0.1:{port} {how}
"""


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2"])
def test_behind_haproxy_the_worker_sees_the_client(site, tmp_path, how):
    port = run_behind_proxy(site)
    front = site.free_port()
    config = tmp_path / "haproxy.cfg"
    config.write_text(HAPROXY.format(front=front, port=port, how=how))
    site.spawn("haproxy", "-db", "-f", str(config))

    def is_up():
        return not site.refuses(front)

    wait_until(is_up, what="HAProxy listens")
    client = connect_from(site, "127.0.0.9", front)
    assert client.ask("peer") == "127.0.0.9 %d" % client.sock.getsockname()[1]
    assert client.ask("local") == f"127.0.0.1 {front}"
    assert client.ask("service") == "TEST"


# A dispatcherd that goes while checks wait


def kill(site):
    old = site.daemon_pid()
    site.kill(old, "KILL")
    wait_until(lambda: site.daemon_pid() not in (0, old), what="another dispatcherd")


def restart(site):
    began = time.monotonic()
    site.systemctl("restart", "dispatcherd.service")
    assert time.monotonic() - began < SILENCE_LIMIT, "the checks held it up"


def n_stored(site):
    return int(site.show("NFileDescriptorStore"))


@pytest.mark.parametrize("interrupt", [kill, restart])
def test_waiting_checks_outlive_the_daemon(site_of_systemd, interrupt):
    site = site_of_systemd
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    # One worker alone: each is in the store as well.
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="silent.test", MAX_PROCS=1)
    before = n_stored(site)
    clients = [come(site, port, f"198.51.100.{i + 1}") for i in range(10)]
    wait_until(lambda: n_stored(site) == before + 10, what="ten connections in the store")
    interrupt(site)
    site.wait_for_log("repeating the unfinished checks of 10 connections")
    for i, client in enumerate(clients):
        assert client.ask("peer") == f"198.51.100.{i + 1} 4711"
    # One check each, and nothing is left that would keep a connection open.
    wait_until(lambda: n_stored(site) == before, what="they are out of the store")
    assert site.statistics("TEST")["n_accepted"] == 10
    for client in clients:
        client.send("quit")
        assert client.receive() == "bye" and client.is_closed()


def test_a_restart_takes_over_more_than_are_stored(site_of_systemd):
    site = site_of_systemd
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="silent.test", MAX_CONNS=50)
    clients = [come(site, port, f"198.51.100.{i + 1}") for i in range(200)]
    wait_for_checks(site, 200)
    restart(site)
    site.wait_for_log("repeating the unfinished checks of 200 connections")
    for client in clients:
        assert client.ask("service") == "TEST"


def test_a_stored_check_that_refuses_closes_the_connection(site_of_systemd):
    site = site_of_systemd
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    table = CALLOUT % "silent.test" + "  *  $N500$ nobody\n"
    port = run_behind_proxy(site, table, MAX_PROCS=1)
    before = n_stored(site)
    clients = [come(site, port, f"198.51.100.{i + 1}") for i in range(3)]
    wait_until(lambda: n_stored(site) == before + 3, what="three connections in the store")
    kill(site)
    for client in clients:
        assert read_all(client) == "500 nobody\r\n"
    wait_until(lambda: n_stored(site) == before, what="they are out of the store")


def before_checks_end(attempt):
    """attempt(0), and attempt(1) and so on, each time that the last one failed after more than four
    seconds: checks end by themselves after five."""
    for n in range(5):
        began = time.monotonic()
        try:
            return attempt(n)
        except AssertionError:
            if time.monotonic() - began < 4 or n == 4:
                raise


def test_only_a_few_are_stored(site_of_systemd):
    site = site_of_systemd
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    port = run_behind_proxy(site, DNS_VERIFY_DOMAIN="s0.silent.test", MAX_CONNS=50)
    at_first, clients = n_stored(site), []

    def n_of_workers():
        return at_first + len(site.workers("TEST")) - 1

    def come_and_leave(n):
        if n > 0:  # the list of before has been set aside
            for client in clients:
                client.close()
            wait_until(lambda: n_stored(site) == n_of_workers(), what="all out of the store")
            text = pathlib.Path(site.container.path(site.config)).read_text()
            site.reload(text.replace(f"s{n - 1}.silent.test", f"s{n}.silent.test"))
        clients[:] = [come(site, port, f"198.51.100.{i + 1}") for i in range(100)]
        wait_until(lambda: n_stored(site) == n_of_workers() + 64, 5, "64 connections in the store")
        assert checking(site) == 100
        # The places of those that leave are taken by others that wait.
        for client in clients[:10]:
            client.close()
        wait_until(lambda: checking(site) == 90, 5, "they are gone")
        wait_until(lambda: n_stored(site) == n_of_workers() + 64, 5, "others in their places")

    before_checks_end(come_and_leave)
    for client in clients[10:]:
        assert client.ask("service") == "TEST"
    # What is in the store by then is for the workers.
    wait_until(lambda: n_stored(site) == n_of_workers(), what="all out of the store")
