# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherctl --host: several hosts side by side, by a stand-in for ssh and by ssh itself."""

import fcntl
import getpass
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

import pytest
from harness.hand import HandSite
from harness.wait import wait_until

pytestmark = pytest.mark.one_way

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "src/dispatcherctl"
VERBS = ("status", "services", "workers", "history", "connections", "clients", "explain")
MAPPINGS = "PORT_ACCESS\n\n  TCP|*|*|127.0.0.2|*  $N500$ go$ away\n"

# In the place of ssh: hosts are folders beside it. "silent" never answers, "unknown" is not found.
SSH = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
host=$2
case $host in
silent) exec sleep 1000 ;;
unknown) echo "ssh: Could not resolve hostname $host: Name or service not known" >&2; exit 255 ;;
esac
exec {ctl} --socket "{folder}/$host/control" bridge
"""


def verb_of(arguments):
    return next(word for word in arguments if word in VERBS)


def check_schema(answer, verb, suffix="-hosts"):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((SOURCE / "dispatcherctl.schema.json").read_text())
    del schema["anyOf"]
    schema["$ref"] = f"#/$defs/{verb}{suffix}"
    jsonschema.Draft202012Validator(schema).validate(answer)


class Fleet:
    """Two dispatcherds by hand, which are hosts called one and two."""

    def __init__(self, builddir, folder):
        self.ctl = f"{builddir}/dispatcherctl"
        self.folder = folder
        self.sites, self.ports = [], []
        for name in ("one", "two"):
            (folder / name).mkdir()
            site = HandSite(builddir, folder / name)
            self.sites.append(site)
            site.write_mappings(MAPPINGS)
            self.ports.append(site.run_service(MIN_PROCS=1, MAX_PROCS=2, MAX_CONNS=20, HISTORICAL_TIME=600))
        self.ssh = folder / "ssh"
        self.use_ssh(SSH.format(ctl=self.ctl, folder=folder))

    def use_ssh(self, script):
        self.ssh.write_text(script)
        self.ssh.chmod(0o700)

    def environment(self):
        return os.environ | {"DISPATCHERCTL_SSH": str(self.ssh)}

    def run(self, hosts, *arguments, socket="/nowhere"):
        return subprocess.run(
            [self.ctl, "--socket", socket, "--host", hosts, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ask(self, hosts, *arguments):
        """What it prints as JSON, which is as its schema says."""
        process = self.run(hosts, "--json", *arguments)
        assert process.returncode == 0, process.stderr
        answer = json.loads(process.stdout)
        check_schema(answer, verb_of(arguments))
        return answer

    def close(self):
        for site in self.sites:
            site.close()


@pytest.fixture
def fleet(builddir, tmp_path):
    made = Fleet(builddir, tmp_path)
    try:
        yield made
    finally:
        made.close()


def rows(text):
    """The cells of each line of tables."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_status_has_a_row_for_each_host_and_sums(fleet):
    clients = [fleet.sites[0].connect(fleet.ports[0]) for _ in range(2)]
    clients += [fleet.sites[1].connect(fleet.ports[1]) for _ in range(3)]
    for client in clients:
        assert client.ask("service") == "TEST"
    process = fleet.run("one,two", "status")
    assert process.returncode == 0, process.stderr
    table = rows(process.stdout)
    assert [row[:2] for row in table if row[0] in ("one", "two")] == [
        ["one", "running"],
        ["two", "running"],
        ["one", "TEST"],
        ["two", "TEST"],
    ]
    (total,) = [row for row in table if row[0] == "2 hosts"]
    assert (total[1:3], total[4]) == (["TEST", "running"], "5/80")
    answer = fleet.ask("one,two", "status")
    assert [(row["host"], row["active"]["value"]) for row in answer["services"]] == [
        ("one", 2),
        ("two", 3),
    ]
    (total,) = answer["sums"]
    assert (total["name"], total["hosts"], total["active"]) == ("TEST", 2, {"value": 5, "limit": 80})
    assert [host["reply"]["state"] for host in answer["hosts"]] == ["running", "running"]


def test_a_host_that_is_away_is_a_row_with_its_reason(fleet):
    begun = time.monotonic()
    hosts = "one,silent,unknown,three,two"
    process = fleet.run(hosts, "--timeout", "15", "status")
    assert process.returncode == 1
    # All are asked at once.
    assert time.monotonic() - begun < 60
    away = {row[0]: row[-1] for row in rows(process.stdout) if row[1:2] == ["away"]}
    assert away == {
        "silent": "no answer within 15 s",
        "unknown": "ssh: Could not resolve hostname unknown: Name or service not known",
        "three": f"dispatcherd is not running: nothing listens on {fleet.folder}/three/control",
    }
    assert ["2 hosts", "TEST", "running"] in [row[:3] for row in rows(process.stdout)]
    for verb in (["services"], ["connections"], ["explain", "127.0.0.2"]):
        process = fleet.run("one,unknown", *verb)
        assert process.returncode == 1
        assert ["unknown", "away"] in [row[:2] for row in rows(process.stdout)], process.stdout
        process = fleet.run("one,unknown", "--json", *verb)
        answer = json.loads(process.stdout)
        check_schema(answer, verb[0])
        errors = [host["error"] for host in answer["hosts"]]
        assert errors[0] is None and "resolve" in errors[1]


def test_services_and_connections_of_all(fleet):
    clients = [
        fleet.sites[i].connect(fleet.ports[i], source=f"127.0.1.{n}")
        for n, i in enumerate((0, 1, 1, 0))
    ]
    for client in clients:
        assert client.ask("service") == "TEST"
    answer = fleet.ask("one,two", "services")
    assert answer["sums"][0]["statistics"]["n_accepted"] == 4
    assert answer["sums"][0]["statistics"]["concurrent"]["current"] == 4
    text = fleet.run("one,two", "services").stdout
    assert re.search(r"^2 hosts +TEST +4 +4 ", text, re.MULTILINE)
    answer = fleet.ask("one,two", "--sort", "client", "connections")
    assert [(row["host"], row["client"]["address"]) for row in answer["connections"]] == [
        ("one", "127.0.1.0"),
        ("two", "127.0.1.1"),
        ("two", "127.0.1.2"),
        ("one", "127.0.1.3"),
    ]
    assert answer["sums"] == [{"service": "TEST", "hosts": 2, "connections": 4}]
    text = fleet.run("one,two", "--sort", "client", "connections").stdout
    assert [line.split()[0] for line in text.splitlines()] == ["HOST", "one", "two", "two", "one", "TEST:"]
    assert text.endswith("TEST: 4 connections on 2 hosts\n")
    # The sums of those that are shown would be taken for those of all.
    text = fleet.run("one,two", "--sort", "client", "--limit", "3", "connections").stdout
    assert [line.split()[0] for line in text.splitlines()] == ["HOST", "one", "two", "two"]
    answer = fleet.ask("one,two", "--limit", "1", "connections")
    assert (len(answer["connections"]), answer["sums"]) == (1, [])


def test_workers_of_all(fleet):
    wait_until(
        lambda: all(len(site.workers("TEST")) == 1 for site in fleet.sites), what="each has a worker"
    )
    answer = fleet.ask("one,two", "workers")
    pids = [next(iter(site.workers("TEST"))) for site in fleet.sites]
    assert [(row["host"], row["pid"]) for row in answer["workers"]] == [("one", pids[0]), ("two", pids[1])]
    assert answer["sums"] == [{"service": "TEST", "hosts": 2, "workers": 2}]
    text = fleet.run("one,two,unknown", "workers").stdout
    assert re.search(rf"^one  +TEST .* {pids[0]} .*\ntwo  +TEST .* {pids[1]} ", text, re.MULTILINE), text
    assert "\nTEST: 2 workers on 2 hosts\n" in text, text
    assert re.search(r"^unknown +away ", text, re.MULTILINE), text
    answer = fleet.ask("one,two", "workers", "test")
    assert len(answer["workers"]) == 2


def test_the_history_of_all(fleet):
    for i, n in ((0, 1), (1, 2)):
        for _ in range(n):
            fleet.sites[i].connect(fleet.ports[i], source=f"127.0.1.{n}").close()
    wait_until(
        lambda: len(fleet.ask("one,two", "history")["connections"]) == 3, what="they have ended"
    )
    answer = fleet.ask("one,two", "history")
    rows = [(row["host"], row["client"]["address"]) for row in answer["connections"]]
    assert rows == [("one", "127.0.1.1"), ("two", "127.0.1.2"), ("two", "127.0.1.2")]
    assert answer["workers"] == []
    assert answer["sums"] == [{"service": "TEST", "hosts": 2, "workers": 0, "connections": 3}]
    text = fleet.run("one,two", "history").stdout
    assert "\nTEST: 0 ended workers and 3 ended connections on 2 hosts\n" in text, text
    # Filters, order and limit are over all hosts.
    answer = fleet.ask("one,two", "--client", "127.0.1.2", "history")
    assert [row["host"] for row in answer["connections"]] == ["two", "two"]
    answer = fleet.ask("one,two", "--sort", "-client", "--limit", "1", "history")
    assert [row["host"] for row in answer["connections"]] == ["two"]
    assert answer["sums"] == []
    # A service without a history is named with its host.
    site = fleet.sites[1]
    limits = {"MIN_PROCS": 1, "MAX_PROCS": 2, "MAX_CONNS": 20}
    site.reload(site.service("TEST", PORT=fleet.ports[1], HISTORICAL_TIME=0, **limits))
    text = fleet.run("one,two", "history").stdout
    assert "TEST on two keeps no history: its HISTORICAL_TIME is 0" in text, text


def test_explains_what_each_host_decides(fleet):
    fleet.sites[1].write_mappings(MAPPINGS.replace("127.0.0.2", "127.0.0.3"))
    fleet.sites[1].reload()
    for _ in range(2):
        client = fleet.sites[0].connect(fleet.ports[0], source="127.0.0.2")
        client.sock.settimeout(20)
        assert client.sock.recv(100) == b"500 go away\r\n"
    client = fleet.sites[1].connect(fleet.ports[1], source="127.0.0.2")
    assert client.ask("service") == "TEST"
    answer = fleet.ask("one,two", "explain", "127.0.0.2")
    assert answer["sums"] == [{"service": "TEST", "hosts": 2, "accepted": 1, "rejected": 2}]
    assert [row["host"] for row in answer["decisions"]] == ["one", "one", "two"]
    text = fleet.run("one,two", "explain", "127.0.0.2").stdout
    assert re.search(r"^one +TEST +0 +2 +rejected$", text, re.MULTILINE), text
    assert re.search(r"^two +TEST +1 +0 +accepted$", text, re.MULTILINE), text
    assert re.search(r"^2 hosts +TEST +1 +2 ", text, re.MULTILINE), text
    assert text.count(":\npast decisions, newest first:\n") == 2


def test_clients_with_the_most_of_all_hosts(fleet):
    def serve(i, n, source):
        clients = [fleet.sites[i].connect(fleet.ports[i], source=source) for _ in range(n)]
        for client in clients:
            assert client.ask("service") == "TEST"
        return clients

    # 127.0.1.1 has three connections, 127.0.1.2 two sessions, 127.0.0.2 three rejections.
    serve(0, 1, "127.0.1.1")
    serve(1, 2, "127.0.1.1")
    for client in serve(0, 2, "127.0.1.2") + serve(1, 1, "127.0.1.1"):
        client.close()
    for i in (0, 1, 1):
        client = fleet.sites[i].connect(fleet.ports[i], source="127.0.0.2")
        client.sock.settimeout(20)
        assert client.sock.recv(100) == b"500 go away\r\n"

    def lists():
        answer = fleet.ask("one,two", "clients")
        return [
            [(row["address"], row[name], row["hosts"]) for row in answer[f"most_{name}"]]
            for name in ("connections", "sessions", "rejections")
        ]

    wanted = [
        [("127.0.1.1", 3, 2)],
        [("127.0.1.2", 2, 1), ("127.0.1.1", 1, 2)],
        [("127.0.0.2", 3, 2)],
    ]
    # The ends of sessions are noted when they are noticed.
    wait_until(lambda: lists() == wanted, 20, lambda: str(lists()))
    text = fleet.run("one,two,unknown", "--top", "1", "clients").stdout
    assert re.search(
        r"^most connections now:\nCLIENT +CONNECTIONS +SESSIONS +REJECTIONS +HOSTS\n"
        r"127\.0\.1\.1 +3 +1 +0 +2\n\nmost sessions that have ended, of the history:\nCLIENT .*\n"
        r"127\.0\.1\.2 +0 +2 +0 +1\n\nmost rejections, of the history:\nCLIENT .*\n"
        r"127\.0\.0\.2 +0 +0 +3 +2\n\nHOST +STATE +PROBLEM\nunknown +away ",
        text,
    ), text
    # One host by itself.
    text = fleet.sites[1].control("--top", "1", "clients", "test").stdout
    assert re.search(r"^127\.0\.1\.1 +2 +1 +0 +1$", text, re.MULTILINE), text
    assert "127.0.1.2" not in text
    alone = json.loads(fleet.sites[0].control("--json", "clients").stdout)
    check_schema(alone, "clients", "")
    assert alone["most_sessions"][0]["address"] == "127.0.1.2"


def test_a_host_that_differs_shows(fleet):
    def hashes(name):
        return [host["reply"][name] for host in fleet.ask("one,two", "status")["hosts"]]

    # They differ in their ports and images, and have the same mapping file.
    assert len(set(hashes("config_hash"))) == 2
    assert len(set(hashes("mapping_hash"))) == 1
    fleet.sites[1].write_mappings("! new\n" + MAPPINGS)
    fleet.sites[1].reload()
    assert len(set(hashes("mapping_hash"))) == 1
    fleet.sites[1].write_mappings(MAPPINGS.replace("500", "501"))
    fleet.sites[1].reload()
    wait_until(lambda: len(set(hashes("mapping_hash"))) == 2, what="other mappings")
    table = rows(fleet.run("one,two", "status").stdout)
    assert table[0][4:6] == ["OPTIONS", "MAPPINGS"]
    assert [row[5] for row in table[1:3]] == [text[:8] for text in hashes("mapping_hash")]


def test_a_host_that_does_not_reach_the_store_shows(fleet, builddir):
    if "#define HAVE_HIREDIS 1" not in pathlib.Path(builddir, "config.h").read_text():
        pytest.skip("built without FLEET")

    def stores():
        table = rows(fleet.run("one,two", "status").stdout)
        assert table[0][-2:] == ["STORE", "PROBLEM"]
        return [row[-2] for row in table[1:3]]

    assert stores() == ["-", "-"]
    site = fleet.sites[1]
    text = pathlib.Path(site.config).read_text()
    site.reload(f"[SERVICE=DISPATCHER]\nFLEET=unix:{fleet.folder}/nothing\n{text}")
    wait_until(lambda: stores() == ["-", "away"], what=stores)


def test_this_host_needs_no_ssh(fleet):
    process = fleet.run(".host,two", "status", socket=fleet.sites[0].control_path)
    assert process.returncode == 0, process.stdout
    assert [row[:2] for row in rows(process.stdout)][1:3] == [[".host", "running"], ["two", "running"]]


def test_top_shows_all_hosts(fleet):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [fleet.ctl, "--host", "one,unknown,two", "top"],
        env=fleet.environment() | {"TERM": "xterm", "NO_COLOR": "1"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    text = ""

    def reads(pattern):
        nonlocal text
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 65536).decode()
        return re.search(pattern, text, re.DOTALL)

    try:
        wait_until(
            lambda: reads(r"one +running.*unknown +away.*two +running.*2 hosts +TEST"),
            20,
            lambda: text,
        )
        os.write(master, b"q")
        wait_until(lambda: reads(r"\033\[\?1049l"), 20, "the screen is left")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["a,,b", "status"], "invalid --host ''"),
        (["-oProxyCommand=id", "status"], "invalid --host '-oProxyCommand=id'"),
        (["a,b,A", "status"], "--host names 'A' twice"),
        (["a", "restart"], "command 'restart' takes no --host; these do: status, services,"),
        ([",".join(f"h{i}" for i in range(65)), "status"], "at most 64 hosts"),
    ],
)
def test_wrong_hosts_are_refused(fleet, arguments, message):
    process = fleet.run(*arguments)
    assert process.returncode == 2
    assert message in process.stderr


# A real ssh


class Sshd:
    """An sshd of this user on a port of 127.0.0.1, for one key."""

    def __init__(self, site, folder, path):
        self.port = site.free_port()
        self.config = folder / "ssh_config"
        for name in ("host_key", "key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
            )
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {folder}/host_key\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/key.pub\nStrictModes no\nUsePAM no\n"
            f"PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
            f"SetEnv PATH={path}\n"
        )
        self.config.write_text(
            f"Host *\nIdentityFile {folder}/key\nIdentitiesOnly yes\nIdentityAgent none\n"
            f"UserKnownHostsFile {folder}/known\nGlobalKnownHostsFile none\n"
        )
        key = (folder / "host_key.pub").read_text()
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {key}")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", 0o755, exist_ok=True)
        # sshd starts itself anew for each connection, and so wants its own full path.
        program = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
        with open(folder / "sshd.log", "w") as log:
            site.spawn(program, "-D", "-e", "-f", folder / "sshd_config", stderr=log)
        wait_until(lambda: "listening" in (folder / "sshd.log").read_text(), what="sshd listens")


def has_sshd():
    return shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin") and shutil.which("ssh")


@pytest.mark.skipif(not has_sshd(), reason="sshd or ssh is not installed")
def test_by_ssh_itself(fleet, tmp_path):
    sshd = Sshd(fleet.sites[0], tmp_path, f"{os.path.dirname(fleet.ctl)}:{os.environ['PATH']}")
    fleet.use_ssh(f'#!/bin/sh\nexec ssh -F "{sshd.config}" "$@"\n')
    host = f"{getpass.getuser()}@127.0.0.1:{sshd.port}"
    client = fleet.sites[0].connect(fleet.ports[0])
    assert client.ask("service") == "TEST"
    process = fleet.run(host, "connections", socket=fleet.sites[0].control_path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert re.search(rf"^{re.escape(host)} +\w{{16}} +TEST +active", process.stdout, re.MULTILINE)
    # A host whose key is not known is not asked about: there is nobody to answer.
    (tmp_path / "known").write_text("")
    process = fleet.run(host, "status", socket=fleet.sites[0].control_path)
    assert process.returncode == 1
    assert "Host key verification failed." in process.stdout
