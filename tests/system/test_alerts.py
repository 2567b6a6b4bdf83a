# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Alerts: each is raised once, shown wherever one looks, and cleared once."""

import json
import pathlib
import re
import subprocess
import sys

import pytest
from harness.names import NameServer
from harness.wait import wait_until
from test_access import read_all
from test_dns import come, run_behind_proxy
from test_web import start_web  # noqa: F401 (a fixture)

# How each begins and ends in the log.
LINES = {
    "full": ("TEST: is full: ", r"TEST: has room again after \d+ s; up to [1-9]\d* clients? waited"),
    "waiting": (
        r"TEST: keeps clients waiting: the longest for [1-9]\d*\.\d s so far, \d+ now, for: ",
        r"TEST: clients no longer wait; this lasted \d+ s, and the longest wait was [1-9]\d*\.\d s",
    ),
    "dying": (
        r"TEST: loses its workers: 3 died in a row; the last: .*worker \d+ ",
        r"TEST: workers no longer die; this lasted \d+ s, and 3 had died",
    ),
    "refusing": (
        r"TEST: rejects every client: \d+ clients in a row, the last ",
        r"TEST: admits clients again after \d+ s; [1-9]\d* had been rejected",
    ),
    "dns_list": (
        "DNS list list.test is set aside, and rejects nobody: it does not answer",
        r"DNS list list.test works again and is queried again; it was set aside 1 time within \d+ s$",
    ),
}
STATUS = {
    "full": "TEST is full; ",
    "waiting": "TEST keeps clients waiting; ",
    "dying": "TEST loses its workers; ",
    "refusing": "TEST rejects every client; ",
    "dns_list": "DNS list list.test is set aside; ",
}
HYSTERESIS = 60.0  # seconds until what is over is known to be over, at the most


TOP = pathlib.Path(__file__).resolve().parents[2]
CHECK_SCHEMA = [
    sys.executable,
    TOP / "tests/dispatcherctl/check_schema.py",
    TOP / "src/dispatcherctl/dispatcherctl.schema.json",
    "status",
    "/dev/stdin",
]


def alerts(site):
    text = site.control("--json", "status").stdout
    subprocess.run(CHECK_SCHEMA, input=text, text=True, check=True, stdout=subprocess.DEVNULL)
    status = json.loads(text)
    return {alert["alert"]: alert for alert in status["alerts"]}


def times(site, kind):
    """How often the alert was raised, and cleared."""
    return tuple(site.count_log(line) for line in LINES[kind])


def wait_raised(site, kind):
    site.wait_for_log(LINES[kind][0])
    site.wait_for_status(STATUS[kind])
    alert = alerts(site)[kind]
    # Figures in the text may change.
    words = alert["text"].split(":")[0]
    assert re.search(f"^ALERT for .*: {words}: ", site.control("status").stdout, re.MULTILINE)
    assert alert["worst"] >= 1 or kind == "full"
    return alert


def wait_cleared(site, *kinds):
    for kind in kinds:
        site.wait_for_log(LINES[kind][1], HYSTERESIS)
        assert times(site, kind) == (1, 1)
        assert kind not in alerts(site)
        wait_until(lambda kind=kind: STATUS[kind] not in site.status_text(), what="another STATUS")
    assert "ALERT" not in site.control("status").stdout


def test_a_pool_at_its_limit_and_clients_that_wait(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=2)
    clients = site.connect_served(port, 2)
    assert wait_raised(site, "full")["service"] == "TEST"
    assert times(site, "waiting") == (0, 0)
    third = site.connect(port)
    third.send("service")
    assert wait_raised(site, "waiting")["worst"] >= 1000000
    # Places that are free for a moment end nothing.
    for _ in range(3):
        clients.pop().close()
        assert third.receive() == "TEST"
        clients.append(third)
        third = site.connect(port)
        third.send("service")
        assert third.is_waiting()
    assert times(site, "full") == times(site, "waiting") == (1, 0)
    assert site.statistics("TEST")["n_times_full"] == 1
    for client in clients + [third]:
        client.close()
    wait_cleared(site, "full", "waiting")


def test_clients_that_wait_for_a_worker_to_start(site):
    port = site.run_service(MIN_PROCS=0, PARAMETER="START_DELAY=6000")
    client = site.connect(port)
    client.send("service")
    assert wait_raised(site, "waiting")["service"] == "TEST"
    assert client.receive() == "TEST"
    wait_cleared(site, "waiting")
    assert times(site, "full") == times(site, "dying") == (0, 0)


def refuse(site, port, sent, n=20):
    for _ in range(n):
        with site.connect(port) as client:
            client.sock.sendall(sent)
            assert b"TEST" not in client.sock.recv(100)


def test_a_balancer_without_a_proxy_header(site):
    port = site.run_service(MIN_PROCS=1, PROXY_PROTOCOL=1, PROXY_UPSTREAMS="127.0.0.1")
    refuse(site, port, b"EHLO x\r\n")
    assert wait_raised(site, "refusing")["worst"] == 20
    assert "for their PROXY header (the connection does not" in alerts(site)["refusing"]["text"]
    refuse(site, port, b"EHLO x\r\n")
    # Back to normal with the first who is admitted.
    assert come(site, port, "198.51.100.8").ask("service") == "TEST"
    wait_cleared(site, "refusing")


RULES = {
    "mapping": ("PORT_ACCESS\n\n  *  $N500$ no\n", {}, r"by PORT_ACCESS \(entry \S*mappings:3\)"),
    "throttle": (
        "PORT_ACCESS\n\n  TCP|*|*|*|*  $C$[IMTA_LIB:conn_throttle.so,throttle,$2,1]$N421$ slow$E\n",
        {},
        r"by a throttle \(entry \S*mappings:3\)",
    ),
    "dns_list": (None, {"DNS_VERIFY_DOMAIN": "list.test"}, r"by a DNS list \(list.test\)"),
}


@pytest.mark.parametrize("rule", RULES)
def test_rules_that_refuse_everybody(site, rule):
    table, options, cause = RULES[rule]
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    if table:
        site.write_mappings(table)
    port = run_behind_proxy(site, **options)
    # Who admits others may refuse many strangers; who admits nobody is told of soon.
    if rule == "throttle":
        assert come(site, port, "198.51.100.7").ask("service") == "TEST"
    for _ in range(100 if rule == "throttle" else 20):
        assert times(site, "refusing") == (0, 0)
        assert "TEST" not in read_all(come(site, port, "198.51.100.7"))
    wait_raised(site, "refusing")
    assert re.search(cause, alerts(site)["refusing"]["text"])
    site.write_mappings("PORT_ACCESS\n\n  *  $Y\n")
    site.reload()
    # A reload alone mends nothing for certain.
    assert "refusing" in alerts(site)
    assert come(site, port, "198.51.100.7").ask("service") == "TEST"
    wait_cleared(site, "refusing")


def test_workers_that_cannot_be_started_and_a_stop(site):
    site.run_service(MIN_PROCS=1, PARAMETER="FAIL=1")
    site.wait_for_log("TEST: loses its workers: 3 died in a row; the last: .*exited with status")
    assert "dying" in alerts(site)
    site.control("stop", "TEST")
    site.wait_for_log('TEST: is stopped, which ends its alert "dying"')
    assert alerts(site) == {}


def crash_one(site, port):
    client = come(site, port, "10.0.0.1")  # about whom no list is asked
    assert client.ask("service") == "TEST"
    client.send("crash")
    assert client.is_closed()


# Together, since each takes its time.
def test_workers_that_die_in_a_row_and_a_silent_list(site_by_hand):
    """By hand alone: it takes a minute, and neither depends on how workers are started."""
    site = site_by_hand
    server = NameServer(site)
    site.add_arguments("--dns-servers", server.server)
    port = run_behind_proxy(site, MIN_PROCS=2, DNS_VERIFY_DOMAIN="list.test")
    for _ in range(2):
        crash_one(site, port)
    server.pause()
    came = come(site, port, "198.51.100.8")
    assert wait_raised(site, "dns_list")["zone"] == "list.test"
    assert came.ask("service") == "TEST"
    server.resume()
    # That was a check, and no wait for a place; and two are no row.
    assert times(site, "waiting") == times(site, "dying") == (0, 0)
    crash_one(site, port)
    assert wait_raised(site, "dying")["worst"] == 3
    assert set(alerts(site)) == {"dying", "dns_list"}
    site.wait_for_log(LINES["dying"][1], HYSTERESIS)
    wait_cleared(site, "dns_list", "dying")


def test_the_page_and_the_metrics_show_them(site_by_hand, start_web):  # noqa: F811
    site = site_by_hand
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=1)
    web = start_web()
    assert web.metrics()['dispatcherd_alert{service="TEST",alert="full"}'] == "0"
    assert 'role="alert"' not in web.ask().text
    site.connect_served(port)
    wait_raised(site, "full")
    wait_until(
        lambda: web.metrics()['dispatcherd_alert{service="TEST",alert="full"}'] == "1",
        what="the alert among the metrics",
    )
    assert web.metrics()['dispatcherd_alert{service="TEST",alert="dying"}'] == "0"
    page = web.ask().text
    assert page.index('role="alert"') < page.index("TEST is full: 1/1 connections")
