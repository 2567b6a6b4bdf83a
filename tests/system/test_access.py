# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Who may come in (dispatcher-mappings(5)): PORT_ACCESS, throttles, the PROXY protocol."""

import os
import socket
import struct
import time

import pytest
from harness.wait import wait_until

pytestmark = pytest.mark.one_way

PERMITTED = "\n  *  $Y\n"


def connect_from(site, source, port, target="127.0.0.1"):
    """A connection from another loopback address, as a Client."""
    return site.connect(port, target, source=source)


def read_all(client, limit=10.0):
    """What the dispatcher says, up to the end of the connection; a reset is an error."""
    client.sock.settimeout(limit)
    parts = []
    while part := client.sock.recv(4096):
        parts.append(part)
    return b"".join(parts).decode()


def run_with(site, table, **options):
    site.write_mappings("PORT_ACCESS\n\n" + table)
    return site.run_service(**({"MIN_PROCS": 1} | options))


def rejected(site, service="TEST"):
    return site.statistics(service)["rejected"]


def test_nobody_is_refused_without_tables(site):
    port = site.run_service(MIN_PROCS=1)
    assert connect_from(site, "127.0.0.5", port).ask("service") == "TEST"
    site.write_mappings("OTHER_TABLE\n\n  *  $N\n")
    site.control("reload")
    assert connect_from(site, "127.0.0.5", port).ask("service") == "TEST"


TEXTS = {
    "$N500": "500\r\n",
    "$N500$ Go$ away": "500 Go away\r\n",
    "$N": "",
    "$F421$ later": "421 later\r\n",
    "$N421$ a~421$ b": "421 a\r\n421 b\r\n",
}


def test_a_refused_client_reads_its_text_and_no_worker_sees_it(site):
    lines = [f"  TCP|*|*|127.0.1.{i}|*  {text}\n" for i, text in enumerate(TEXTS, 1)]
    port = run_with(site, "".join(lines), DEBUG="16%1000000")
    for i, text in enumerate(TEXTS.values(), 1):
        client = connect_from(site, f"127.0.1.{i}", port)
        # What the client sends first must not turn the end into a reset.
        client.send("pid")
        assert read_all(client) == text
    assert connect_from(site, "127.0.1.99", port).ask("service") == "TEST"
    assert rejected(site)["mapping"] == len(TEXTS)
    site.wait_for_log(
        r"access_control: host 127.0.1.2 rejected by PORT_ACCESS, service TEST, port \d+, "
        r"entry \S+:4: 500 Go away"
    )
    (worker,) = site.workers("TEST").values()
    assert worker["n_total"] == 1


def test_without_its_debug_bit_a_refusal_is_not_logged(site):
    port = run_with(site, "  *  $N500$ no\n")
    assert read_all(site.connect(port)) == "500 no\r\n"
    assert site.count_log("access_control") == 0


def test_the_first_entry_that_matches_decides(site):
    port = run_with(site, "  TCP|*|*|127.0.0.9|*  $Y\n  TCP|*|*|127.0.0.*|*  $N500$ no\n")
    assert connect_from(site, "127.0.0.9", port).ask("service") == "TEST"
    assert read_all(connect_from(site, "127.0.0.8", port)) == "500 no\r\n"


def test_notes_for_the_journal(site):
    port = run_with(
        site,
        "  TCP|*|*|127.0.0.2|*  $<noted$ $2|$N500$ no\n"
        "  TCP|*|*|127.0.0.3|*  $>unseen$Y\n"
        "  TCP|*|*|127.0.0.4|*  $<seen$Y\n",
    )
    assert read_all(connect_from(site, "127.0.0.2", port)) == "500 no\r\n"
    assert connect_from(site, "127.0.0.3", port).ask("service") == "TEST"
    assert connect_from(site, "127.0.0.4", port).ask("service") == "TEST"
    site.wait_for_log(r"TEST: noted \d+")
    site.wait_for_log("TEST: seen")
    assert site.count_log("TEST: unseen") == 0


THROTTLE = "  TCP|*|*|*|*  $C$[IMTA_LIB:conn_throttle.so,throttle,$2,3]$N421$ too$ many$E\n"


def test_the_throttle_refuses_the_fourth_of_a_minute(site):
    port = run_with(site, THROTTLE)
    for _ in range(3):
        assert connect_from(site, "127.0.0.7", port).ask("service") == "TEST"
    assert read_all(connect_from(site, "127.0.0.7", port)) == "421 too many\r\n"
    assert connect_from(site, "127.0.0.8", port).ask("service") == "TEST"
    assert rejected(site)["throttle"] == 1


def test_a_throttled_client_is_throttled_after_a_restart(site_of_systemd):
    site = site_of_systemd
    port = run_with(site, THROTTLE)
    for _ in range(3):
        assert connect_from(site, "127.0.0.7", port).ask("service") == "TEST"
    old = site.daemon_pid()
    site.kill(old, "KILL")
    wait_until(lambda: site.daemon_pid() not in (0, old), 20, "another dispatcherd")
    assert read_all(connect_from(site, "127.0.0.7", port)) == "421 too many\r\n"
    site.systemctl("restart", "dispatcherd.service")
    assert read_all(connect_from(site, "127.0.0.7", port)) == "421 too many\r\n"
    assert connect_from(site, "127.0.0.8", port).ask("service") == "TEST"
    assert site.count_log("throttle") == 0


def test_as_many_at_a_time_from_one_address(site):
    port = site.run_service(MIN_PROCS=1, MAX_CONNS_PER_ADDRESS=2, DEBUG="16%1000000")
    first = connect_from(site, "127.0.0.7", port)
    second = connect_from(site, "127.0.0.7", port)
    assert first.ask("service") == second.ask("service") == "TEST"
    assert connect_from(site, "127.0.0.7", port).is_closed()
    assert connect_from(site, "127.0.0.8", port).ask("service") == "TEST"
    site.wait_for_log("access_control: host 127.0.0.7 rejected, .*MAX_CONNS_PER_ADDRESS")
    first.close()

    def comes_in():
        with connect_from(site, "127.0.0.7", port) as client:
            return client.ask("service") == "TEST"

    wait_until(comes_in, what="the place is free again", interval=0.1)
    assert rejected(site)["address"] >= 1


def test_a_reload_changes_the_tables_and_leaves_sessions_alone(site):
    port = run_with(site, PERMITTED)
    client = site.connect(port)
    pid = client.pid()
    site.write_mappings("PORT_ACCESS\n\n  *  $N500$ closed\n")
    site.control("reload")
    assert read_all(site.connect(port)) == "500 closed\r\n"
    assert client.pid() == pid


def test_a_broken_mapping_file_keeps_the_old_one(site):
    port = run_with(site, "  TCP|*|*|127.0.0.2|*  $N500$ no\n")
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|127.0.0.2|*  $]ldap[\n")
    result = site.control("reload", check=False)
    assert result.returncode == 1
    assert "mappings:3: error: " in result.stderr + result.stdout
    assert read_all(connect_from(site, "127.0.0.2", port)) == "500 no\r\n"
    assert site.connect(port).ask("service") == "TEST"


def test_a_restart_onto_a_broken_mapping_file_goes_on_with_the_last_good_one(site_of_systemd):
    site = site_of_systemd
    port = run_with(site, "  TCP|*|*|127.0.0.2|*  $N500$ no\n")
    client = site.connect(port)
    pid = client.pid()
    site.write_mappings("PORT_ACCESS\n\n  *  $]ldap[\n")
    site.systemctl("restart", "dispatcherd.service")
    assert client.pid() == pid
    assert read_all(connect_from(site, "127.0.0.2", port)) == "500 no\r\n"
    site.wait_for_log("using the last good one")


def proxied(site, port, header, source=None):
    client = site.connect(port, source=source)
    client.sock.sendall(header)
    return client


V1 = b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 25\r\n"
V2 = (
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11"
    + struct.pack("!H", 12)
    + socket.inet_aton("198.51.100.8")
    + socket.inet_aton("192.0.2.1")
    + struct.pack("!HH", 4712, 25)
)


def test_the_proxy_header_names_the_client(site):
    port = run_with(
        site,
        "  TCP|*|*|198.51.100.9|*  $N500$ no\n",
        PROXY_PROTOCOL=1,
        PROXY_UPSTREAMS="127.0.0.1",
        DEBUG="16%1000000",
    )
    assert proxied(site, port, V1).ask("peer") == "198.51.100.7 4711"
    assert proxied(site, port, V2).ask("peer") == "198.51.100.8 4712"
    refused = proxied(site, port, V1.replace(b"100.7", b"100.9"))
    assert read_all(refused) == "500 no\r\n"
    # Who is no upstream, or says something else, is not let in.
    assert proxied(site, port, V1, source="127.0.0.2").is_closed()
    assert proxied(site, port, b"EHLO nobody\r\n").is_closed()
    silent = site.connect(port)
    assert silent.is_closed(10)
    assert rejected(site)["proxy_header"] == 3


@pytest.mark.skipif(os.environ.get("SOAK") != "1", reason="takes long; SOAK=1 runs it")
def test_a_flood_from_one_address_delays_nobody(site_by_hand):
    site = site_by_hand
    port = run_with(site, THROTTLE.replace(",3]", ",100]"), MAX_CONNS=50, BACKLOG=4096)

    def greeting_time():
        times = []
        for i in range(100):
            began = time.monotonic()
            with connect_from(site, f"127.0.2.{i + 1}", port) as client:
                client.pid()
            times.append(time.monotonic() - began)
        return sorted(times)[50]

    quiet = greeting_time()
    pid = os.fork()
    if pid == 0:
        for _ in range(20000):
            with socket.socket() as sock:
                sock.bind(("127.0.0.66", 0))
                sock.connect(("127.0.0.1", port))
        os._exit(0)
    busy = greeting_time()
    os.waitpid(pid, 0)
    assert busy <= 2 * quiet + 0.001, f"{quiet * 1e6:.0f} us quiet, {busy * 1e6:.0f} us in the flood"
