# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Standard input, output and error: closed, or not read by anybody."""

import os
import subprocess
import sys

import pytest

from harness.site import LIMIT
from harness.wait import wait_until

NULL = "/dev/null"


def standard_descriptors(pid):
    """Where they lead; "" for one that is closed."""
    paths = [f"/proc/{pid}/fd/{fd}" for fd in range(3)]
    return [os.readlink(path) if os.path.lexists(path) else "" for path in paths]


def closing(holes):
    """The wrapper that runs a program with these descriptors closed."""
    return ["sh", "-c", f'exec {" ".join(f"{fd}>&-" for fd in holes)}; exec "$@"', "sh"]


@pytest.mark.parametrize("holes", [(0,), (1,), (2,), (1, 2), (0, 1, 2)])
def test_dispatcherd_and_its_workers_fill_the_holes(site_by_hand, holes):
    site = site_by_hand
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=port, MIN_PROCS=1, DEBUG=-1))
    site.launch(*closing(holes))
    wait_until(lambda: site.manager.last("READY") == "1", LIMIT, "READY=1")
    client = site.connect(port)
    worker = client.pid()
    for fd in holes:
        assert standard_descriptors(site.daemon_pid())[fd] == NULL
        assert standard_descriptors(worker)[fd] == NULL
    assert client.ask("echo served") == "served"
    # The state survives: nothing was written over it.
    assert site.statistics("TEST")["n_accepted"] == 1
    assert site.stop() == 0


def test_the_page_fills_the_holes(site_by_hand):
    site = site_by_hand
    command = [*closing((0, 1, 2)), f"{site.builddir}/dispatcherd-web"]
    page = site.spawn(*command, "--listen", f"127.0.0.1:{site.free_port()}")
    wait_until(
        lambda: "dispatcherd-web" in os.readlink(f"/proc/{page.pid}/exe")
        and standard_descriptors(page.pid) == [NULL] * 3,
        LIMIT,
        "the page is there, with /dev/null three times",
    )


def test_dispatcherctl_says_that_its_output_is_lost(site_by_hand):
    site = site_by_hand
    site.run_service()
    command = [f"{site.builddir}/dispatcherctl", "--socket", site.control_path, "--json", "status"]
    closed = subprocess.run([*closing((0, 1)), *command], stderr=subprocess.PIPE, text=True)
    assert closed.returncode == 1 and closed.stderr
    # Neither the socket nor a unit is written over, and nothing is said to anybody.
    assert subprocess.run([*closing((0, 1, 2)), *command]).returncode == 1


def test_the_generator_writes_units_with_holes(site_by_hand):
    site = site_by_hand
    site.write_config(site.service("TEST", PORT=site.free_port()) + "NONSENSE=1\n")
    units = os.path.join(site.folder, "units")
    os.mkdir(units)
    generator = [f"{site.builddir}/dispatcherd-generator", "--config", site.config, units]
    assert subprocess.run([*closing((0, 1, 2)), *generator]).returncode == 0
    with open(os.path.join(units, "dispatcherd-test.socket")) as unit:
        text = unit.read()
    assert "[Socket]" in text and "NONSENSE" not in text


def test_nobody_reads_standard_error(site_by_hand):
    site = site_by_hand
    pipe = os.path.join(site.folder, "pipe")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    port = site.free_port()
    site.write_config(site.service("TEST", PORT=port, MIN_PROCS=1, DEBUG=-1))
    site.launch("sh", "-c", f'exec 2>{pipe}; exec "$@"', "sh")
    wait_until(lambda: site.manager.last("READY") == "1", LIMIT, "READY=1")
    for _ in range(300):
        site.connect(port).pid()
        site.close_clients()
    assert site.statistics("TEST")["n_accepted"] == 300
    # What was left out is said as soon as somebody reads.
    os.set_blocking(reader, False)
    seen = b""

    def said():
        nonlocal seen
        site.connect(port).pid()
        seen += os.read(reader, 65536)
        return b"lost because standard error did not accept them" in seen

    wait_until(said, LIMIT, "how many lines were left out")
    os.close(reader)


@pytest.mark.parametrize("length", [0, 1, 63, 64])
def test_a_host_name_of_any_length(site_by_hand, length):
    site = site_by_hand
    unshared = ["unshare", "--uts", "--"]
    if os.geteuid() != 0 or site.run(*unshared, "true", check=False).returncode:
        pytest.skip("no host name of its own can be had; it takes root")
    port = site.free_port()
    site.write_config(
        site.service("SMTP", PORT=port, IMAGE=site.smtp_image(), PARAMETER="MAILDIR=mail")
    )
    name = "m" * length
    # hostname(1) takes no empty name, and /proc/sys may be read-only.
    script = "import os, socket, sys; socket.sethostname(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
    site.launch(*unshared, sys.executable, "-c", script, name)
    wait_until(lambda: site.manager.last("READY") == "1", LIMIT, "READY=1")
    greeting = site.dial(port).recv(1000).decode()
    assert greeting == f"220 {name or 'localhost'} ESMTP dispatcherd\r\n"


def test_another_name_of_the_host_is_taken_up(site_of_systemd):
    site = site_of_systemd
    site.prepare_maildir()
    port = site.free_port()
    site.write_config(
        site.service("SMTP", PORT=port, MIN_PROCS=1, IMAGE=site.smtp_image(), PARAMETER="DOMAIN=x.test")
    )
    site.start()
    before = site.connect(port)
    assert "another" not in before.receive()
    old = site.run("hostname").stdout.strip()
    try:
        site.run("hostname", "another.example.com")
        site.wait_for_log(r"the host.s name has changed to another; replacing 1 worker with the old name$")

        def greeting():
            with site.connect(port) as client:
                return client.receive()

        wait_until(lambda: greeting().startswith("220 another "), LIMIT, "a greeting with the new name")
        assert before.ask("NOOP\r").startswith("250")
    finally:
        site.run("hostname", old)
