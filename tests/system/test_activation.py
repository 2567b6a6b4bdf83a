"""Sockets from somebody else than systemd itself: systemd-socket-activate(1)."""

import socket

from harness.wait import wait_until
from harness.web import web_of


def launch(site, where, name):
    """dispatcherd is started by the first connection."""
    site.launch(
        "systemd-socket-activate",
        f"--listen={where}",
        f"--fdname={name}",
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
    site.wait_for_log("which is not what dispatcher.cnf says")
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
    site.wait_for_log("a socket named 'nonsense' was passed, which is no service")
    site.wait_for_log("TEST: has no socket")
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
    site.wait_for_log("TEST: listens at unix, which is not what dispatcher.cnf says")
    (connection,) = site.list_of("connections")
    assert connection["client"] == connection["local"] == {"address": "unix", "port": 0}
    web = web_of(site)
    assert web.text("/").count('<td class="text">unix</td>') == 2
    assert 'dispatcherd_active_connections{service="TEST"} 1' in web.text("/metrics")
