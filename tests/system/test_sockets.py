# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Where a service listens: PORT, TLS_PORT, INTERFACE_ADDRESS, both families (dispatcher.cnf(5))."""

import socket

import pytest
from harness.soak import times


def test_listens_at_every_port_of_the_list_with_one_pool(site):
    ports = [site.free_port(), site.free_port()]
    site.run_service(PORT=", ".join(map(str, ports)), MIN_PROCS=1, MAX_PROCS=1)
    clients = [site.connect(port) for port in ports]
    assert [client.ask("local") for client in clients] == [f"127.0.0.1 {port}" for port in ports]
    assert clients[0].pid() == clients[1].pid()


def test_port_0_disables_a_service(site):
    port = site.free_port()
    site.write_config(
        site.service("OFF", PORT=0, MIN_PROCS=1) + site.service("TEST", PORT=port, MIN_PROCS=1)
    )
    site.start()
    assert site.connect(port).ask("service") == "TEST"
    assert not site.worker_pids("OFF")
    assert "OFF" not in site.status_text()


def test_interface_address_is_the_only_one(site):
    port = site.run_service(INTERFACE_ADDRESS="127.0.0.2")
    assert site.connect(port, "127.0.0.2").ask("local") == f"127.0.0.2 {port}"
    assert site.refuses(port, "127.0.0.1")


def test_two_services_share_a_port_at_two_addresses(site):
    port = site.free_port()
    site.write_config(
        site.service("ONE", PORT=port, INTERFACE_ADDRESS="127.0.0.2")
        + site.service("TWO", PORT=port, INTERFACE_ADDRESS="127.0.0.3")
    )
    site.start()
    assert site.connect(port, "127.0.0.2").ask("service") == "ONE"
    assert site.connect(port, "127.0.0.3").ask("service") == "TWO"


def has_ipv6(site):
    """::1 is an address where dispatcherd runs."""
    with site.open_socket(socket.AF_INET6) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            return False
    return True


def test_serves_both_families(site):
    if not has_ipv6(site):
        pytest.skip("no IPv6 here")
    port = site.run_service()
    for host in ("127.0.0.1", "::1"):
        client = site.connect(port, host)
        assert client.ask("local") == f"{host} {port}"
        assert client.ask("peer") == f"{host} {client.sock.getsockname()[1]}"


def test_interface_address_of_ipv6(site):
    if not has_ipv6(site):
        pytest.skip("no IPv6 here")
    port = site.run_service(INTERFACE_ADDRESS="::1")
    assert site.connect(port, "::1").ask("local") == f"::1 {port}"
    assert site.refuses(port, "127.0.0.1")


def test_tells_the_worker_what_came_to_a_tls_port(site):
    tls_port = site.free_port()
    port = site.run_service(TLS_PORT=tls_port)
    assert site.connect(port).ask("tls") == "no"
    assert site.connect(tls_port).ask("tls") == "yes"


def test_a_socket_that_no_service_is_named_for_is_said(site_of_systemd):
    site = site_of_systemd
    site.write_config(
        site.service("ONE", PORT=site.free_port()) + site.service("TWO", PORT=site.free_port())
    )
    site.write_drop_in("dispatcherd-one.socket", "[Socket]\nFileDescriptorName=nonsense\n")
    site.start()
    site.wait_for_log("the socket named 'nonsense' belongs to no enabled service")
    site.wait_for_log("ONE: has no socket: nobody can reach it")
    site.wait_for_status("ONE cannot be reached; .*ONE .*no socket")
    assert {name: item["accept"] for name, item in site.services().items()} == {
        "ONE": "no socket",
        "TWO": "accepting",
    }


def test_a_drop_in_overrides_the_port_and_the_journal_says_so(site_of_systemd):
    site = site_of_systemd
    configured, other = site.free_port(), site.free_port()
    site.write_drop_in(
        "dispatcherd-test.socket", f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{other}\n"
    )
    site.run_service(PORT=configured)
    assert site.connect(other).ask("service") == "TEST"
    assert site.refuses(configured)
    site.wait_for_log(f"TEST: listens on 127.0.0.1:{other}, unlike dispatcher.cnf")
    site.wait_for_log(rf"TEST: no socket listens on port {configured}, although .*cnf:2 has")


def test_a_drop_in_adds_a_unix_socket(site_of_systemd):
    site = site_of_systemd
    site.write_drop_in("dispatcherd-test.socket", "[Socket]\nListenStream=/run/test.socket\n")
    port = site.run_service()
    sock = site.open_socket(socket.AF_UNIX)
    sock.connect(site.container.path("/run/test.socket"))
    client = site.talk(sock)
    assert client.ask("peer") == "unix 0"
    assert client.ask("service") == "TEST"
    assert site.connect(port).ask("service") == "TEST"


def test_a_drop_in_with_a_plain_port_loses_a_family_and_the_journal_says_so(site_of_systemd):
    site = site_of_systemd
    if not has_ipv6(site):
        pytest.skip("no IPv6 here")
    port = site.free_port()
    site.write_drop_in("dispatcherd-test.socket", f"[Socket]\nListenStream=\nListenStream={port}\n")
    site.run_service(PORT=site.free_port())
    assert site.connect(port, "::1").ask("service") == "TEST"
    assert site.refuses(port)
    site.wait_for_log(f"TEST: listens on port {port} for IPv6 only; .*ListenStream=0.0.0.0:{port}")


def test_the_usual_sockets_serve_both_families_without_a_word(site_of_systemd):
    site = site_of_systemd
    site.run_service()
    site.wait_for_log("TEST: listens on")
    assert not site.count_log("for IPv[46] only")


@pytest.fixture
def without_ipv6(site_of_systemd):
    """IPv6 is switched off in the usual way, by sysctl: no interface has an address of it."""
    switch = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
    if site_of_systemd.run("test", "-e", switch, check=False).returncode != 0:
        pytest.skip("no IPv6 here")
    site_of_systemd.run("sh", "-c", f"echo 1 >{switch}")
    yield site_of_systemd
    site_of_systemd.run("sh", "-c", f"echo 0 >{switch}")


def test_an_address_that_cannot_be_bound_does_not_take_the_others_with_it(without_ipv6):
    site = without_ipv6
    port = site.free_port()
    site.write_drop_in("dispatcherd-test.socket", f"[Socket]\nListenStream=[::1]:{port}\n")
    served = site.run_service()
    assert site.connect(served).ask("service") == "TEST"
    site.systemctl("restart", "dispatcherd-web.socket")
    assert not site.refuses(7633)
    site.systemctl("stop", "dispatcherd-web.socket", "dispatcherd-web.service")


def test_sockets_belong_to_the_daemon_alone(site_of_systemd):
    """So that what is disabled stays off at the next boot."""
    site = site_of_systemd
    port = site.run_service()
    for unit in ("dispatcherd-test.socket", "dispatcherd-test-worker.socket"):
        assert site.show("WantedBy", unit) == "dispatcherd.service"
    site.stop()
    site.systemctl("start", "sockets.target")  # as at boot
    assert site.refuses(port)
    assert site.show("ActiveState") == "inactive"
    site.systemctl("enable", "dispatcherd.service")
    try:
        assert "dispatcherd.service" in site.show("Wants", "multi-user.target").split()
    finally:
        site.systemctl("disable", "dispatcherd.service")


def test_a_socket_that_is_stopped_alone_is_served_on_and_its_journal_says_so(site_of_systemd):
    site = site_of_systemd
    port = site.run_service()
    says = "dispatcherd.service also has this socket"
    site.systemctl("stop", "dispatcherd-test.socket")
    assert site.connect(port).ask("service") == "TEST"
    site.wait_for_log(says)
    assert says in site.run("journalctl", "-u", "dispatcherd-test.socket", "-n", "9").stdout
    site.systemctl("restart", "dispatcherd.service", "dispatcherd-test.socket")
    assert site.connect(port).ask("service") == "TEST"
    site.stop()
    assert site.count_log(says) == 1


def test_a_socket_may_be_restarted_as_often_as_one_likes(site_of_systemd):
    site = site_of_systemd
    port = site.run_service()
    for _ in range(8):  # the usual limit is five in ten seconds
        site.systemctl("restart", "dispatcherd.service", "dispatcherd-test.socket")
    assert site.connect(port).ask("service") == "TEST"
    assert site.services()["TEST"]["accept"] == "accepting"


@pytest.mark.parametrize("changed", [False, True], ids=["same_drop_in", "changed_drop_in"])
def test_the_documented_order_of_a_restart_never_fails(site_of_systemd, changed):
    """The other one may: systemd starts no socket whose service runs. It harms nothing even then."""
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    units = ["dispatcherd.service", "dispatcherd-test.socket"]
    held = site.connect(port)
    n_failed = 0
    for i in range(times(3, 20)):
        for order in (units, units[::-1]):
            if changed:
                site.write_drop_in(units[1], f"[Socket]\nIPTOS={8 + 8 * (i % 2)}\n")
                site.systemctl("daemon-reload")
            done = site.systemctl("restart", *order, check=False)
            if order == units:
                assert done.returncode == 0, done.stderr
            elif done.returncode != 0:
                n_failed += 1
                assert "failed" in done.stderr
                site.systemctl("restart", *units)
            assert site.connect(port).ask("service") == "TEST"
    print(f"socket first failed {n_failed} times")
    assert held.ask("quit") == "bye"
