# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Sockets from somebody else than systemd itself: systemd-socket-activate(1)."""

import socket

import pytest
from harness.wait import wait_until
from harness.web import web_of


def launch(site, where, name=None):
    """dispatcherd is started by the first connection."""
    site.launch(
        "systemd-socket-activate",
        f"--listen={where}",
        *([f"--fdname={name}"] if name else []),
        f"--setenv=NOTIFY_SOCKET={site.manager.path}",
        f"--setenv=LOGS_DIRECTORY={site.folder}",
    )
    site.wait_for_log("Listening on")


def test_takes_a_socket_by_its_name_without_case(site_by_hand):
    site = site_by_hand
    site.write_config(site.service("TEST", PORT=1))
    port = site.free_port()
    launch(site, f"127.0.0.1:{port}", "tEsT")
    client = site.connect(port)
    assert client.ask("service") == "TEST"
    assert client.ask("local") == f"127.0.0.1 {port}"
    site.wait_for_log("unlike dispatcher.cnf")
    wait_until(lambda: site.manager.last("READY") == "1", what="READY=1")


def test_takes_a_tls_socket_by_its_name(site_by_hand):
    site = site_by_hand
    port = site.free_port()
    site.write_config(site.service("TEST", TLS_PORT=port))
    launch(site, f"127.0.0.1:{port}", "test-tls")
    assert site.connect(port).ask("tls") == "yes"


def test_gives_up_where_no_socket_has_a_services_name(site_by_hand):
    site = site_by_hand
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=port))
    launch(site, f"127.0.0.1:{port}", "nonsense")
    site.connect(port)
    site.wait_for_log("the socket named 'nonsense' belongs to no enabled service")
    site.wait_for_log("cannot listen on any configured port; exiting")
    assert site.wait_stopped() == 1


@pytest.mark.parametrize("name", [None, "any.socket"])
def test_takes_a_socket_without_a_name_by_its_address_and_port(site_by_hand, name):
    site = site_by_hand
    port, tls_port = site.free_port(), site.free_port()
    site.write_config(
        site.service("ONE", PORT=port, INTERFACE_ADDRESS="127.0.0.2")
        + site.service("TEST", PORT=port, TLS_PORT=tls_port)
    )
    launch(site, f"127.0.0.1:{port}", name)
    assert site.connect(port).ask("service") == "TEST"
    site.wait_for_log(f"TEST: the socket at 127.0.0.1:{port} was passed without a name")
    site.wait_for_log("ONE: has no socket")


def test_a_socket_without_a_name_at_another_port_is_not_used(site_by_hand):
    site = site_by_hand
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=1))
    launch(site, f"127.0.0.1:{port}")
    site.connect(port)
    site.wait_for_log(f"ignoring the socket at 127.0.0.1:{port}, which was passed without a name: no enabled service")
    assert site.wait_stopped() == 1


def test_serves_and_shows_clients_without_an_internet_address(site_by_hand):
    site = site_by_hand
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|127.0.0.1|*  $N\n  *  $Y\n")
    site.write_config(site.service("TEST", PORT=1))
    path = f"{site.folder}/socket"
    launch(site, path, "test")
    sock = site.open_socket(socket.AF_UNIX)
    sock.connect(path)
    client = site.talk(sock)
    assert client.ask("service") == "TEST"
    assert client.ask("peer") == client.ask("local") == "unix 0"
    site.wait_for_log("TEST: listens on unix, unlike dispatcher.cnf")
    (connection,) = site.list_of("connections")
    assert connection["client"] == connection["local"] == {"address": "unix", "port": 0}
    web = web_of(site)
    assert web.text("/").count('<td class="text">unix</td>') == 2
    assert 'dispatcherd_active_connections{service="TEST"} 1' in web.text("/metrics")
