# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherctl connections and history, of which not all is wanted."""

import json

import pytest
from harness.identd import IdentServer
from harness.wait import wait_until

pytestmark = pytest.mark.one_way

MANY = 5000
MAX_CONNS = 50  # more is not allowed


def rows(site, *arguments, verb="connections"):
    return json.loads(site.control("--json", *arguments, verb).stdout)["connections"]


def shown(site, *arguments):
    """The identifiers in the table, in its order."""
    return [line.split()[0] for line in site.control(*arguments).stdout.splitlines()[1:]]


def test_filters_hold_together_in_table_and_json(site):
    server = IdentServer(site, "{ports} : USERID : UNIX : tom\r\n")
    site.add_arguments("--ident-port", str(server.port))
    ports = [site.free_port()]
    while (other := site.free_port()) in ports:
        pass
    ports.append(other)
    site.write_config(
        site.service("ONE", PORT=ports[0], MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=3, HISTORICAL_TIME=600)
        + site.service("TWO", PORT=ports[1], MIN_PROCS=1, MAX_PROCS=1, IDENT=1)
    )
    site.start()
    clients, ids = [], []
    for port, source in zip(ports[:1] * 3 + ports[1:], ("127.0.0.1", "127.0.1.2", "127.0.1.10", "127.0.1.2")):
        clients.append(site.connect(port, source=source))
        ids.append(clients[-1].ask("id"))  # so that each is older than the next
    a, b, c, d = ids
    wait_until(lambda: rows(site, "--user", "tom"), what="the user's name")
    worker = str(clients[3].pid())
    for options, expected in [
        ([], ids),
        (["--client", "127.0.1.2"], [b, d]),
        (["--client", "127.0.1.0/24"], [b, c, d]),
        (["--client", "127.0.1.0/24", "--worker", worker], [d]),
        (["--user", "tom"], [d]),
        (["--state", "active", "--limit", "2"], [a, b]),
        (["--state", "waiting"], []),
        (["--older", "1h"], []),
        (["--sort", "-age"], ids),
        (["--sort", "age", "--limit", "1"], [d]),
        (["--sort=client", "--client=127.0.0.0/8"], None),
    ]:
        found = [row["id"] for row in rows(site, *options)]
        assert shown(site, *options, "connections") == found
        assert expected is None or (found == expected if "--sort" in options else set(found) == set(expected))
    # As addresses sort, not as texts do.
    by_client = [row["client"]["address"] for row in rows(site, "--sort", "client", "--state", "active")]
    assert by_client == ["127.0.0.1", "127.0.1.2", "127.0.1.2", "127.0.1.10"]
    assert set(shown(site, "--client", "127.0.1.0/24", "connections", "one")) == {b, c}
    for client in clients[:2]:
        assert client.ask("quit") == "bye"
    wait_until(lambda: len(rows(site, verb="history")) == 2, what="two that have ended")
    assert [row["id"] for row in rows(site, "--client", "127.0.1.0/24", verb="history")] == [b]
    assert [row["id"] for row in rows(site, "--sort", "client", "--state", "ended", verb="history")] == [a, b]
    assert rows(site, "--state", "broken", verb="history") == []


def test_thousands_are_chosen_from(site_by_hand):
    site = site_by_hand
    n_workers = MANY // MAX_CONNS
    port = site.run_service(MIN_PROCS=n_workers, MAX_PROCS=n_workers, MAX_CONNS=MAX_CONNS, BACKLOG=4096)
    for _ in range(MANY):
        site.dial(port)
    wait_until(lambda: site.services()["TEST"]["active"]["value"] == MANY, 60, f"{MANY} sessions")
    options = ["--client", "127.0.0.0/8", "--state", "active", "--sort", "-age"]
    assert len(shown(site, *options, "connections")) == MANY
    assert len(shown(site, *options, "--limit", "10", "connections")) == 10
