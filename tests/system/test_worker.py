# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What a worker learns, and where its output goes (dispatcher-worker(7))."""

import re

from harness.wait import wait_until


def test_gets_its_parameters_in_order_and_unchanged(site):
    port = site.run_service(PARAMETER=["CHANNEL=tcp_submit", 'two  words "quoted" % $HOME', "LAST"])
    client = site.connect(port)
    assert client.ask("parameter 0") == "CHANNEL=tcp_submit"
    assert client.ask("parameter 1") == 'two  words "quoted" % $HOME'
    assert client.ask("parameter 2") == "LAST"
    assert client.ask("parameter 3") == "none"
    assert client.ask("value channel") == "tcp_submit"


def test_knows_its_service_its_slot_and_the_host(site):
    port = site.free_port()
    site.write_config(site.service("Some_Service-2", PORT=port, MIN_PROCS=2, MAX_PROCS=2))
    site.start()
    clients = site.connect_served(port, 2)
    assert [client.ask("service") for client in clients] == ["Some_Service-2"] * 2
    assert sorted(client.ask("slot") for client in clients) == ["0", "1"]
    host = site.run("uname", "-n").stdout.strip().split(".")[0]
    assert clients[0].ask("host") == host


def test_each_connection_has_an_identifier_of_its_own(site):
    port = site.run_service()
    ids = {client.ask("id") for client in site.connect_served(port, 5)}
    assert len(ids) == 5
    assert all(re.fullmatch("[0-9a-f]{16}", text) for text in ids)


def test_knows_both_ends(site):
    port = site.run_service()
    client = site.connect(port)
    assert client.ask("local") == f"127.0.0.1 {port}"
    assert client.ask("peer") == f"127.0.0.1 {client.sock.getsockname()[1]}"


def test_output_goes_to_a_log_file_for_each_worker(site):
    port = site.run_service(MIN_PROCS=2, MAX_PROCS=2, LOGFILE="out_%s.log")
    host = site.run("uname", "-n").stdout.strip().split(".")[0]
    for client in site.connect_served(port, 2):
        assert client.ask(f"log said by {client.pid()}") == "logged"
    files = site.log_files(f"out_{host}.log-*")
    assert len(files) == 2
    for pid in site.worker_pids("TEST"):
        (file,) = [name for name in files if name.endswith(f".{pid}")]
        assert re.search(r"\.log-\d{8}T\d{6}\.\d+$", file)
        with open(file) as stream:
            assert stream.read() == f"said by {pid}\n"


def test_output_goes_to_the_common_log_without_logfile(site):
    port = site.run_service()
    client = site.connect(port)
    assert client.ask("log a line of output") == "logged"
    site.wait_for_log("a line of output$")


def test_output_in_the_journal_has_the_services_name_and_its_own_unit(site_of_systemd):
    site = site_of_systemd
    port = site.run_service()
    site.connect(port).ask("log a line of output")
    wait_until(
        lambda: "a line of output"
        in site.run(
            "journalctl", "-t", "TEST", "-u", "dispatcherd-test-worker@*", "-o", "cat"
        ).stdout,
        what="the line under identifier TEST",
    )
