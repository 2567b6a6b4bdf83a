# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Why a client came in, or did not (dispatcherctl explain), and DNS lists that are set aside."""

import json
import re
import socket
import threading

import pytest
from harness.wait import wait_until

pytestmark = pytest.mark.one_way

TABLES = """PORT_ACCESS

  *|*|*|*|*  $C$|FRIENDS;$3|$Y$E
  TCP|*|*|127.0.0.2|*  $N500$ go$ away
  TCP|*|*|127.0.0.3|*  $C$[conn_throttle,throttle,127.0.0.3,1]$N421$ slow$ down$E

FRIENDS

  127.0.0.4  $Y
"""


def read_all(client):
    client.sock.settimeout(10)
    parts = []
    while part := client.sock.recv(4096):
        parts.append(part)
    return b"".join(parts).decode()


def explain(site, *arguments):
    return json.loads(site.control("--json", "explain", *arguments).stdout)


def test_explains_a_refusal(site):
    site.write_mappings(TABLES)
    port = site.run_service(MIN_PROCS=1)
    assert read_all(site.connect(port, source="127.0.0.2")) == "500 go away\r\n"
    text = site.control("explain", "127.0.0.2").stdout
    decided, now = text.split("\n\n")
    assert re.search(
        rf"^\d{{4}}-.* TEST 127\.0\.0\.2:\d+ to 127\.0\.0\.1:{port} \(\w{{16}}\): rejected by the mapping file: "
        r"PORT_ACCESS entry \S*mappings:4: TCP\|\*\|\*\|127\.0\.0\.2\|\*$",
        decided,
        re.MULTILINE,
    )
    assert "    sends: 500 go away" in decided
    assert f"TEST at 127.0.0.1:{port}: rejected by the mapping file: PORT_ACCESS entry " in now
    assert f"    PORT_ACCESS: TCP|127.0.0.1|{port}|127.0.0.2|" in now
    assert re.search(r"mappings:3: .*: calls \$\|FRIENDS;127\.0\.0\.2\|", now)
    assert "      FRIENDS: 127.0.0.2\n" in now
    assert re.search(r"mappings:3: .*: \$\|FRIENDS\| fails", now)
    assert re.search(r'mappings:4: .*: succeeds with "500 go away" \$N; the mapping ends', now)


def test_tells_the_newest_first_and_one_service_alone(site):
    site.write_mappings(TABLES)
    ports = [site.free_port()]
    while (other := site.free_port()) in ports:
        pass
    ports.append(other)
    site.write_config(
        site.service("ONE", PORT=ports[0], MIN_PROCS=1) + site.service("TWO", PORT=ports[1], MIN_PROCS=1)
    )
    site.start()
    assert site.connect(ports[0], source="127.0.0.3").ask("service") == "ONE"
    assert read_all(site.connect(ports[1], source="127.0.0.3")) == "421 slow down\r\n"
    both = explain(site, "127.0.0.3")
    assert [(d["service"], d["verdict"], d["reason"]) for d in both["decisions"]] == [
        ("TWO", "reject", "throttle"),
        ("ONE", "accept", None),
    ]
    assert {trial["service"] for trial in both["trials"]} == {"ONE", "TWO"}
    # To look does not count.
    again = explain(site, "127.0.0.3", "one")
    assert [d["service"] for d in again["decisions"]] == ["ONE"]
    (trial,) = again["trials"]
    assert (trial["verdict"], trial["reason"], trial["text"]) == ("reject", "throttle", "421 slow down")
    assert any("2 connections count in this minute, of at most 1" in line for line in trial["trace"])


def test_what_would_be_now_follows_the_tables_in_force(site):
    site.write_mappings(TABLES)
    port = site.run_service(MIN_PROCS=1)
    assert read_all(site.connect(port, source="127.0.0.2")) == "500 go away\r\n"
    site.write_mappings("PORT_ACCESS\n\n  *  $Y\n")
    site.control("reload")
    answer = explain(site, "127.0.0.2")
    # What was decided stays as it was.
    (decision,) = answer["decisions"]
    assert decision["verdict"] == "reject" and decision["entry"].endswith("mappings:4")
    (trial,) = answer["trials"]
    assert trial["verdict"] == "accept" and trial["entry"].endswith("mappings:3")


def test_nothing_is_remembered_where_nothing_is_asked(site):
    port = site.run_service(MIN_PROCS=1)
    assert site.connect(port, source="127.0.0.2").ask("service") == "TEST"
    text = site.control("explain", "127.0.0.2").stdout
    assert re.search(
        r"^no decision about this address is stored; "
        r"decisions have been stored since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\S.*\)$",
        text,
        re.MULTILINE,
    )
    assert "connections of this service are not checked" in text


def test_remembers_over_a_kill_and_a_restart(site_of_systemd):
    site = site_of_systemd
    site.write_mappings(TABLES)
    port = site.run_service(MIN_PROCS=1)
    assert read_all(site.connect(port, source="127.0.0.2")) == "500 go away\r\n"
    before = explain(site, "127.0.0.2")
    (decision,) = before["decisions"]
    old = site.daemon_pid()
    site.kill(old, "KILL")
    wait_until(lambda: site.daemon_pid() not in (0, old), 20, "another dispatcherd")
    site.wait_for_workers("TEST", 1)
    assert site.connect(port, source="127.0.0.9").ask("service") == "TEST"
    site.systemctl("restart", "dispatcherd.service")
    after = explain(site, "127.0.0.2")
    (again,) = after["decisions"]

    def is_same_moment(name, one, other):
        return one[name]["monotonic"] == other[name]["monotonic"]

    assert is_same_moment("at", decision, again)
    assert is_same_moment("decisions_since", before, after)
    assert {**decision, "at": None} == {**again, "at": None}
    (accepted,) = explain(site, "127.0.0.9")["decisions"]
    assert accepted["verdict"] == "accept"
    assert "starts without them" not in site.log_text()


class WorldList:
    """A name server for which every address of every list is listed: 127.0.0.2 to all questions."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            query, peer = self.sock.recvfrom(512)
            if not query:
                return
            end = query.index(b"\0", 12) + 5
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\2"
            self.sock.sendto(
                query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:end] + answer, peer
            )

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self.sock.getsockname())
        self.thread.join()
        self.sock.close()


def test_a_list_that_lists_the_world_is_set_aside_and_named(site_by_hand):
    site = site_by_hand
    server = WorldList()
    site.arguments.append(f"--dns-servers={server.address}")
    port = site.run_service(
        MIN_PROCS=1,
        PROXY_PROTOCOL=1,
        PROXY_UPSTREAMS="127.0.0.1",
        DNS_VERIFY_DOMAIN="world.test",
    )
    client = site.connect(port)
    client.sock.sendall(b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 25\r\n")
    assert client.ask("service") == "TEST"
    wait_until(
        lambda: "DNS list world.test is set aside; " in site.status_text(), what="STATUS= names it"
    )
    text = site.control("status").stdout
    assert re.search(r"^world\.test +set aside +\d+ +0 ", text, re.MULTILINE)
    assert re.search(
        r"^DNS list world\.test has been set aside since \d.*, and rejects nobody: ", text, re.MULTILINE
    )
    (trial,) = explain(site, "198.51.100.7")["trials"]
    assert "DNS list world.test is set aside, and rejects nobody" in trial["trace"]
    assert (trial["verdict"], trial["is_certain"]) == ("accept", True)
    assert site.count_log("DNS list world.test is set aside") == 1
    server.close()
