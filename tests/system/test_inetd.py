# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""IMAGE=inetd: a program for each connection, on its descriptors 0, 1 and 2, and what it may do."""

import json
import pathlib
import re

import pytest
from harness.identd import IdentServer
from harness.wait import holds_for, wait_until

PROGRAM = pathlib.Path(__file__).resolve().parent / "inetd_session.sh"
LIMIT = 30


class Inetd:
    """A service NET of a site, started: its sessions run inetd_session.sh."""

    def __init__(self, site, arguments="", parameters=(), **options):
        self.site = site
        self.port = site.free_port()
        self.program = site.program_for("SESSION", PROGRAM)
        options.setdefault("MIN_PROCS", 1)
        options.setdefault("MAX_PROCS", 1)
        site.write_config(
            site.service(
                "NET",
                PORT=self.port,
                IMAGE=site.delivered_image("inetd", "NET"),
                PARAMETER=[f"COMMAND={self.program} {arguments}", *parameters],
                **options,
            )
        )
        site.start()

    def connect(self):
        return self.site.connect(self.port)

    def worker(self):
        (pid,) = wait_until(lambda: list(self.site.workers("NET")), LIMIT, "a worker")
        return pid

    def n_sessions(self):
        return self.site.services()["NET"]["active"]["value"]

    def is_alive(self, pid):
        """Of a process as it sees itself; a zombie is not."""
        result = self.site.run("sh", "-c", f"grep ^State: /proc/{pid}/status", check=False)
        return result.returncode == 0 and "zombie" not in result.stdout

    def wait_for_end(self, pattern):
        return self.site.wait_for_log(r"connection [0-9a-f]{16} from 127\.0\.0\.1: " + pattern, LIMIT)


def test_a_program_is_told_who_its_client_is(site):
    inetd = Inetd(site, "'%a  %p' %i %l %n %c 100%%", ["ENV=GREETING=good day"])
    client = inetd.connect()
    port = client.sock.getsockname()[1]
    words = client.ask("arguments")
    match = re.fullmatch(
        rf"127\.0\.0\.1  {port} 127\.0\.0\.1 {inetd.port} NET ([0-9a-f]{{16}}) 100%", words
    )
    assert match, words
    environment = client.ask("environment")
    for setting in (
        "PROTO=TCP",
        "TCPREMOTEIP=127.0.0.1",
        f"TCPREMOTEPORT={port}",
        "TCPLOCALIP=127.0.0.1",
        f"TCPLOCALPORT={inetd.port}",
        "REMOTE_ADDR=127.0.0.1",
        f"REMOTE_PORT={port}",
        f"DISPATCHER_CONNECTION={match.group(1)}",
        "GREETING=good day",
    ):
        assert f"{setting} " in environment, setting
    # Nothing of the worker's own.
    assert not re.search(r"LISTEN_|NOTIFY_SOCKET|STATE_DIRECTORY|GLIBC_TUNABLES", environment)


def test_a_program_is_told_who_uses_the_connection(site):
    server = IdentServer(site, "{ports} : USERID : UNIX : alice\r\n")
    site.add_arguments("--ident-port", str(server.port))
    inetd = Inetd(site, IDENT=1)
    assert "TCPREMOTEINFO=alice " in inetd.connect().ask("environment")


def test_a_program_does_not_wait_for_ever_for_who_uses_the_connection(site):
    server = IdentServer(site, "")
    site.add_arguments("--ident-port", str(server.port))
    inetd = Inetd(site, IDENT=1)
    assert "TCPREMOTEINFO" not in inetd.connect().ask("environment")


def test_the_log_has_what_a_program_writes_and_how_it_ended(site):
    inetd = Inetd(site, HISTORICAL_TIME=3600)
    client = inetd.connect()
    assert client.ask("mourn I have lost my socks") == "done"
    client.send("exit 3")
    assert client.is_closed()
    mourned = inetd.wait_for_end("I have lost my socks").group()
    ended = inetd.wait_for_end(r"over, status 3, \d+\.\d{3} s, \d+\.\d{3} s of CPU$").group()
    assert re.search("[0-9a-f]{16}", mourned).group() == re.search("[0-9a-f]{16}", ended).group()
    wait_until(lambda: inetd.n_sessions() == 0, LIMIT, "the place is free")
    inetd.connect().close()
    wait_until(lambda: site.statistics("NET")["n_ended"] == 2, LIMIT, "both are over")
    assert site.statistics("NET")["n_failed_sessions"] == 1, "one of them with a status"
    history = json.loads(site.control("--json", "history", "NET").stdout)["connections"]
    assert [entry["end"] for entry in history] == ["ended", "failed"]


def test_standard_error_may_be_the_client(site):
    inetd = Inetd(site, parameters=["STDERR=socket"])
    client = inetd.connect()
    assert client.ask("mourn for you") == "for you"


def test_a_program_that_ignores_term_is_killed_when_its_time_is_over(site):
    inetd = Inetd(site, parameters=["TIMEOUT=10"])
    client = inetd.connect()
    pid = client.ask("pid")
    assert client.ask("ignore_term") == "done"
    client.send("sleep")
    assert client.is_closed(LIMIT)
    inetd.wait_for_end(r"ended, since it has lasted as long as .*TIMEOUT= allows, killed by SIGKILL")
    assert not inetd.is_alive(pid)
    assert inetd.connect().ask("pid") != pid


def test_a_daemon_that_a_session_leaves_ends_with_it(site):
    inetd = Inetd(site)
    client = inetd.connect()
    other = inetd.connect()
    daemon = client.ask("daemon")
    others = other.ask("daemon")
    # It may go on while its session does.
    holds_for(lambda: inetd.is_alive(daemon), 0.5, "the daemon goes on")
    client.send("exit 0")
    assert client.is_closed()
    inetd.wait_for_end(r"over, status 0, .*; 1 process that it left behind killed")
    assert not inetd.is_alive(daemon)
    assert inetd.is_alive(others)
    other.close()
    wait_until(lambda: not inetd.is_alive(others), LIMIT, "that of the other session")


def test_a_program_that_closes_its_connection_and_sleeps_costs_no_place(site):
    inetd = Inetd(site, parameters=["LINGER=1"])
    client = inetd.connect()
    pid = client.ask("pid")
    client.send("close")
    # The client sees it, although the program goes on.
    assert client.is_closed(LIMIT)
    inetd.wait_for_end(r"ended, since its program has closed the connection and gone on")
    assert not inetd.is_alive(pid)
    wait_until(lambda: inetd.n_sessions() == 0, LIMIT, "the place is free")


def test_others_do_not_notice_a_program_that_forks_on_and_on(site):
    inetd = Inetd(site, parameters=["PROCESSES=20"], MAX_CONNS=20)
    worker = inetd.worker()
    other = inetd.connect()
    pid = other.ask("pid")
    client = inetd.connect()
    assert client.ask("pid")
    client.send("chain 100")
    for _ in range(10):
        assert inetd.connect().ask("arguments", LIMIT) is not None
    inetd.wait_for_end(r"ended, since it has more processes .*; it had \d+ processes")
    assert other.ask("pid") == pid
    count = ["sh", "-c", "ps -eo args | grep -c '[c]hain [0-9]'"]
    wait_until(lambda: site.run(*count, check=False).stdout == "0\n", LIMIT, "none is left")
    assert inetd.worker() == worker


def test_others_do_not_notice_a_program_that_floods_its_standard_error(site):
    inetd = Inetd(site)
    other = inetd.connect()
    assert other.ask("pid")
    client = inetd.connect()
    client.send("flood 1000000000")
    for _ in range(20):
        assert other.ask("arguments", LIMIT) is not None
    assert client.receive(120) == "done"
    client.close()
    inetd.wait_for_end(r"\d{8} more lines of standard error left out")
    assert site.count_log("over and over again") < 1000


@pytest.mark.parametrize("what", ["missing", "no_interpreter", "not_for_us"])
def test_a_command_that_cannot_run_is_a_failed_start(site, what):
    folder = f"/opt/inetd-test-{what}"  # not the one of another test at the same time
    try:
        site.run("sh", "-c", f"mkdir -p {folder} && printf '#!/nowhere\n' >{folder}/no_interpreter")
        site.run("sh", "-c", f"cd {folder} && printf '#!/bin/sh\n' >not_for_us && chmod 755 no_interpreter")
        port = site.free_port()
        site.write_config(
            site.service(
                "NET",
                PORT=port,
                IMAGE=site.delivered_image("inetd", "NET"),
                MIN_PROCS=1,
                PARAMETER=[f"COMMAND={folder}/{what}"],
            )
        )
        site.start()
        site.wait_for_log(
            {
                "missing": "cannot execute COMMAND=.*missing: No such file.*is it installed",
                "no_interpreter": "cannot execute COMMAND=.*; it exists, but not the interpreter",
                "not_for_us": "cannot execute COMMAND=.*: Permission denied; its mode 0644 .*User=",
            }[what]
            + ".*systemctl edit dispatcherd-net-worker@.service"
        )
        wait_until(lambda: site.services()["NET"]["n_ready"] == 0, LIMIT, "no worker is ready")
    finally:
        site.run("rm", "-rf", folder)


def test_nothing_is_left_of_a_killed_adapter(site):
    inetd = Inetd(site)
    worker = inetd.worker()
    client = inetd.connect()
    pid = client.ask("pid")
    site.kill(worker, "KILL")
    assert client.is_closed(LIMIT)
    wait_until(lambda: not inetd.is_alive(pid), LIMIT, "the program has gone with it")
    assert inetd.connect().ask("pid", LIMIT)


# The traps of well-known programs.

TRAPS = {
    "exim -bs behind a relay": (
        {"PARAMETER": "COMMAND=/run/inetd-test/exim4 -bs -odq", "PROXY_PROTOCOL": 1, "PROXY_UPSTREAMS": "127.0.0.1"},
        1,
        r"error: COMMAND: exim -bs behind a relay takes the relay for its client",
    ),
    "exim that listens": (
        {"PARAMETER": "COMMAND=/run/inetd-test/exim4 -bd"}, 1, r"error: COMMAND: exim -bd listens",
    ),
    "sendmail -bs of Postfix": (
        {"PARAMETER": "COMMAND=/usr/sbin/sendmail -bs"}, 0,
        r"warning: COMMAND: sendmail -bs of Postfix is an open relay unless .* needs User=postfix",
    ),
    "exim that delivers": (
        {"PARAMETER": "COMMAND=/run/inetd-test/exim4 -bs"}, 0, r"warning: COMMAND: .*add -odq",
    ),
    "git that listens": (
        {"PARAMETER": "COMMAND=/run/inetd-test/git daemon"}, 0, r"warning: COMMAND: git daemon without --inetd",
    ),
    "a shell's words": (
        {"PARAMETER": "COMMAND=/bin/cat | /bin/sort"}, 1, r":\d+: error: PARAMETER=COMMAND=.*'\|' would be for a shell",
    ),
    "no command": ({"PARAMETER": "STDERR=null"}, 1, r"error: PARAMETER=COMMAND= is missing"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_check_names_the_trap(site_of_systemd, trap):
    site = site_of_systemd
    options, status, pattern = TRAPS[trap]
    site.run("sh", "-c", "mkdir -p /run/inetd-test && cd /run/inetd-test && touch exim4 git")
    try:
        port = site.free_port()
        site.write_config(site.service("NET", PORT=port, IMAGE="inetd", **options))
        site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|192.0.2.1|*  $N\n")
        result = site.run("dispatcherd", "--check", check=False)
        assert re.search(pattern, result.stdout), result
        assert result.returncode == status, result
    finally:
        site.run("rm", "-rf", "/run/inetd-test")


def test_sendmail_of_postfix_is_not_started_by_another_user(site_of_systemd):
    site = site_of_systemd
    port = site.free_port()
    site.write_config(
        site.service(
            "NET", PORT=port, IMAGE="inetd", MIN_PROCS=1, PARAMETER="COMMAND=/usr/sbin/sendmail -bs"
        )
    )
    site.start()
    site.wait_for_log(
        r"COMMAND: sendmail -bs of Postfix, run by the user \d+, would be an open relay"
    )
    assert site.services()["NET"]["n_ready"] == 0
