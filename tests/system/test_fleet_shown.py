# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What is shown of limits that hold over several hosts (dispatcher.cnf(5), FLEET)."""

import json
import re

from harness import varlink
from harness.site import LIMIT
from harness.wait import wait_until
from test_fleet import (  # noqa: F401 (a fixture, and marks)
    CLIENT,
    RATE,
    Store,
    early_in_a_minute,
    fleet_of,
    hosts,
    is_admitted,
    pytestmark,
    start,
    wait_for_fleet,
    wait_for_waits,
)
from test_hosts import check_schema
from test_web import start_web  # noqa: F401 (a fixture)

AGE = r"\d+(?:us|ms|s)"


def throttles(site):
    return varlink.call(site.control_socket(), LIMIT, "Throttles")


def row_of(page, source):
    """The texts of the source's row among the throttled ones; None: it is not there."""
    section = page.partition("<h2>Throttled sources</h2>")[2].partition("</section>")[0]
    for row in section.split("<tr>"):
        cells = re.findall(r"<td[^>]*>([^<]*)</td>", row)
        if cells and cells[0] == source:
            return cells
    return None


def test_the_page_shows_what_all_hosts_count(hosts, start_web):  # noqa: F811
    store = Store(hosts[0])
    ports = [start(site, store.path, name) for site, name in zip(hosts, "abc")]
    for site in hosts:
        wait_for_fleet(site)
    web = start_web()
    connected = rf"the store unix:{store.path} has been connected for {AGE}"
    answered = rf"; the store's last answer is {AGE} old\.</p>"
    # An answer that is late on a busy machine takes the connection down for a moment.
    wait_until(
        lambda: re.search(connected, text := web.text("/")) and re.search(answered, text),
        what=lambda: web.text("/"),
    )
    assert "<h2>Throttled sources</h2>\n<p class=\"quiet\">None." in web.text("/")
    early_in_a_minute()
    # Most are counted by another host, of which this one learns.
    for i in range(RATE):
        assert is_admitted(hosts[1 if i else 0], ports[1 if i else 0]), i
    wait_until(lambda: throttles(hosts[0])["n_throttled"] == 1, what="this host knows")
    (row,) = throttles(hosts[0])["throttles"]
    assert (row["source"], row["max_rate"], row["window_sec"]) == (CLIENT, RATE, 60), row
    assert (row["own"], row["others"], row["is_penalty"]) == (1, RATE - 1, False), row
    wait_until(lambda: row_of(web.text("/"), CLIENT), what="the page has it")
    cells = row_of(web.text("/"), CLIENT)
    assert cells[1:6] == [str(RATE), "1min", "1", str(RATE - 1), str(RATE)], cells
    assert re.fullmatch(AGE, cells[6]) and cells[8] == "no", cells
    # The store goes away: what was learned in this minute is still there, and the page says why.
    store.process.kill()
    wait_for_fleet(hosts[0], False)
    wait_until(lambda: " has been away for " in web.text("/"), what="the page says so")


def test_waits_and_addresses_are_shown_if_they_are_in_force(site_by_hand, start_web):  # noqa: F811
    site = site_by_hand
    store = Store(site)
    port = start(site, store.path, "a", {"MAX_CONNS_PER_ADDRESS": 3}, FLEET_WAIT=1000, FLEET_ADDRESSES=1)
    wait_for_fleet(site)
    web = start_web()
    connection = site.connect(port, source=CLIENT)
    assert connection.ask("service") == "TEST"
    wait_until(lambda: fleet_of(site)["n_addresses"] == 1, what="the address is known")
    check_schema(json.loads(site.control("--json", "status").stdout), "status", "")
    wait_for_waits(site, port)
    fleet = fleet_of(site)
    assert (fleet["wait_limit_usec"], fleet["has_addresses"], fleet["n_waits"]) == (10**6, True, 1)

    def has_answered():
        times = fleet_of(site)
        return times["answered_at"]["monotonic"] >= times["since"]["monotonic"]

    wait_until(has_answered, what="the store has answered since it was connected")
    connected = re.compile(
        rf"^fleet: this is a; the store unix:{store.path} has been connected for {AGE}; its last answer "
        rf"is {AGE} old; \d+ answers, \d+ late, away for {AGE} in all$",
        re.MULTILINE,
    )
    wait_until(lambda: connected.search(site.control("status").stdout), what="the store is shown")
    text = site.control("status").stdout
    # A busy host may lose the store for a moment; only then has the one check waited in vain.
    fleet = fleet_of(site)
    in_vain = fleet["n_waits_in_vain"]
    assert in_vain == 0 or (in_vain == 1 and fleet["n_late"] > 0), fleet
    waits = "checks wait for the store for up to 1s"
    assert f"fleet: {waits}; 1 waited, {in_vain} of them in vain\n" in text, text
    addresses = "fleet: MAX_CONNS_PER_ADDRESS holds over all hosts; open connections of 1 address are known"
    assert addresses in text, text
    assert web.metrics()["dispatcherd_fleet_addresses"] == "1"
    page = web.text("/")
    assert f"C{waits[1:]}: 1 waited, {in_vain} of them in vain." in page, page
    assert "open connections of 1 address are known." in page, page
