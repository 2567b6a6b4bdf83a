# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""LOGFILE and its rotation, rejected recipients in the log of tcp_smtp_server, floods of lines."""

import glob
import os
import pathlib
import re
import shutil
import threading

import pytest

from harness.mail import Client, MailService
from harness.site import LIMIT
from harness.wait import wait_until

BAD_WORKER = pathlib.Path(__file__).with_name("bad_worker.py")
LOGROTATE = shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin")
needs_logrotate = pytest.mark.skipif(
    not LOGROTATE, reason="logrotate was not found; on Debian: apt-get install logrotate"
)

LINE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d [\w-]+\[\d+\]: %s: %s$"


def text_of(site, pattern):
    text = ""
    for name in sorted(site.log_files(pattern)):
        with open(name, errors="replace") as file:
            text += file.read()
    return text


def wait_for_text(site, pattern, regex):
    found = re.compile(regex, re.MULTILINE)
    return wait_until(
        lambda: found.search(text_of(site, pattern)),
        LIMIT,
        lambda: f"{regex!r} in {pattern}: {text_of(site, pattern)!r}",
    )


def log(client, text):
    assert client.ask(f"log {text}") == "logged"


def deliver(service):
    with Client(service) as client:
        assert not client.sendmail("you@example.com", ["somebody@localhost"], "Subject: x\n\nx\n")


def test_what_tcp_smtp_server_logs_is_in_its_file(site):
    service = MailService(site, LOGFILE="mail_%%.log")
    deliver(service)
    with Client(service) as client:
        client.ehlo()
        assert client.mail("somebody@example.com")[0] == 250
        assert client.rcpt("anybody@elsewhere.example")[0] == 550
    about = r"SMTP: connection [0-9a-f]{16} from 127\.0\.0\.1: "
    files = "mail_%.log-*"
    wait_for_text(site, files, LINE % ("info", about + "delivered .*"))
    wait_for_text(
        site,
        files,
        LINE % ("notice", about + "rejected recipient: <anybody@elsewhere.example>, from "
                "<somebody@example.com>: 550 5.7.1 .*"),
    )
    assert "delivered" not in site.log_text()


def test_logfile_that_comes_with_a_reload(site):
    service = MailService(site)
    deliver(service)
    with open(site.container.path(site.config) if site.way == "systemd" else site.config) as file:
        site.reload(file.read() + "LOGFILE=later.log\n")

    def delivered():
        deliver(service)
        return "delivered" in text_of(site, "later.log-*")

    wait_until(delivered, LIMIT, "a line in the file of a new worker")


def test_a_file_that_cannot_be_opened_is_named_as_it_is(site):
    where = "standard error" if site.way == "hand" else "the journal"
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, LOGFILE="/proc/no_%s_%%.log")
    host = site.run("uname", "-n").stdout.strip().split(".")[0]
    client = site.connect(port)
    pid = client.pid()
    site.wait_for_log(
        rf"TEST: cannot open LOGFILE /proc/no_{host}_%\.log-\d+T\d+\.{pid}: .*; "
        rf"worker {pid} logs to {where}$"
    )
    log(client, "a line that is not lost")
    site.wait_for_log("a line that is not lost$")


@pytest.mark.parametrize("how", ["moved", "removed", "moved, then reload", "moved, then kill"])
def test_a_file_that_is_gone_is_opened_anew(site, how):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, LOGFILE="out.log", DEBUG="16%1000")
    client = site.connect(port)
    log(client, "first")
    (path,) = site.log_files("out.log-*")
    if how == "removed":
        os.unlink(path)
    else:
        os.rename(path, f"{path}.moved")
    if how.endswith("reload"):
        site.reload()
    if how.endswith("kill"):
        site.kill(site.daemon_pid(), "USR1")
    wait_until(lambda: os.path.exists(path), LIMIT, f"{path} is there again")
    # Until the worker has carried out the order, lines still go to the old file.
    wait_until(
        lambda: log(client, "second") or "second" in open(path).read(), LIMIT, "a line in the new file"
    )
    if how != "removed":
        assert "first" in open(f"{path}.moved").read()


def test_a_successor_keeps_the_files_of_its_workers(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, LOGFILE="out.log")
    client = site.connect(port)
    log(client, "first")
    (path,) = site.log_files("out.log-*")
    pid = site.daemon_pid()
    site.kill(pid, "KILL")
    wait_until(lambda: site.daemon_pid() not in (0, pid), LIMIT, "a successor")
    wait_until(lambda: site.control("status", check=False).returncode == 0, LIMIT, "its answer")
    wait_until(lambda: site.workers("TEST"), LIMIT, "the worker is taken over")
    log(client, "second")
    assert site.log_files("out.log-*") == [path]
    os.rename(path, f"{path}.moved")
    wait_until(lambda: os.path.exists(path), LIMIT, "the file is there again")
    wait_until(
        lambda: log(client, "third") or "third" in open(path).read(), LIMIT, "a line in the new file"
    )
    assert "first" in open(f"{path}.moved").read()


def test_a_worker_that_cannot_change_its_file_serves_on(site):
    port = site.free_port()
    site.write_config(
        site.service(
            "OLD",
            PORT=port,
            IMAGE=site.program_for("OLD", BAD_WORKER),
            MIN_PROCS=1,
            MAX_PROCS=1,
            PARAMETER="MODE=good",
            LOGFILE="out.log",
        )
    )
    site.start()
    client = site.connect(port)
    pid = client.pid()
    (path,) = site.log_files("out.log-*")
    os.rename(path, f"{path}.moved")
    said = rf"OLD: LOGFILE \S*/{os.path.basename(path)} was moved away or removed, but worker {pid} cannot"
    site.wait_for_log(said)
    site.reload()
    assert client.pid() == pid
    assert site.workers("OLD")[pid]["state"] != "draining"
    assert len(re.findall(said, site.log_text())) == 1
    assert not os.path.exists(path)


def rotations_of(folder):
    return sorted(glob.glob(os.path.join(folder, "old", "out.log-*")))


class Writer(threading.Thread):
    """Has one worker log numbered lines until stop() is called."""

    def __init__(self, client):
        super().__init__()
        self.client = client
        self.n = 0
        self.is_stopping = threading.Event()

    def run(self):
        while not self.is_stopping.is_set():
            log(self.client, f"line {self.n}")
            self.n += 1

    def stop(self):
        self.is_stopping.set()
        self.join()
        return self.n


def logrotate_by_hand(site):
    """The command, with the installed file changed for this test's folder, user and daemon."""
    with open(os.path.join(site.builddir, "units/logrotate/dispatcherd")) as file:
        text = file.read().replace("/var/log/dispatcherd", site.folder)
    text = re.sub(r"\bsu \S+ \S+", "su root root" if os.geteuid() == 0 else "", text)
    text = re.sub(r"(createolddir 0750).*", r"\1", text)
    text = re.sub(r"systemctl kill .*", f"kill -USR1 {site.daemon_pid()}", text)
    path = os.path.join(site.folder, "logrotate.conf")
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o644)
    return [LOGROTATE, "--state", os.path.join(site.folder, "logrotate.state"), "--force", path]


@needs_logrotate
def test_logrotate_loses_no_line(site):
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, LOGFILE="out.log")
    if site.way == "hand":
        folder, command = site.folder, logrotate_by_hand(site)
    else:
        folder = site.container.path("/var/log/dispatcherd")
        command = [LOGROTATE, "--force", "/etc/logrotate.d/dispatcherd"]
    writer = Writer(site.connect(port))
    writer.start()
    for n in range(1, 4):
        wait_until(lambda: len(site.log_files("out.log-*")) == 1, LIMIT, "the file to be rotated")
        reached = writer.n
        wait_until(lambda: writer.n > reached + 10, LIMIT, "more lines")
        # Within the second of its last rotation logrotate fails: a file of that name exists.
        wait_until(lambda: site.run(*command, check=False).returncode == 0, LIMIT, "logrotate")
        wait_until(lambda: len(rotations_of(folder)) >= n, LIMIT, f"{n} files that were moved away")
    n_lines = writer.stop()
    seen = []
    for name in [*rotations_of(folder), *site.log_files("out.log-*")]:
        with open(name) as file:
            seen += [int(n) for n in re.findall(r"^line (\d+)$", file.read(), re.MULTILINE)]
    shutil.rmtree(os.path.join(folder, "old"))
    assert sorted(seen) == list(range(n_lines))


@needs_logrotate
def test_logrotate_removes_what_is_old(site_by_hand):
    site = site_by_hand
    site.run_service(MIN_PROCS=1, MAX_PROCS=1, LOGFILE="out.log")
    os.mkdir(os.path.join(site.folder, "old"))
    # Of workers that have ended: one that has been moved away already, and one that has not.
    old = os.path.join(site.folder, "old", "out.log-20200101T000000.4711.20200102-1577923200")
    ended = os.path.join(site.folder, "out.log-20200101T000000.4712")
    for path in (old, ended):
        open(path, "w").close()
    os.utime(old, (1577923200, 1577923200))
    site.run(*logrotate_by_hand(site))
    assert not os.path.exists(old)
    assert not os.path.exists(ended)
    assert len(rotations_of(site.folder)) == 2


def test_refused_recipients_are_bounded(site):
    service = MailService(site)
    with Client(service) as client:
        client.ehlo()
        client.mail("")
        for n in range(15):
            client.rcpt(f"user{n}@elsewhere.example")
    site.wait_for_log(r"rejected recipient: 5 more in this session$")
    assert site.count_log(r"rejected recipient: <user\d+@elsewhere.example>, from <>: 550") == 10


def test_a_flood_of_refusals_is_summed_up(site):
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|127.0.0.9|*  $N500$ no\n")
    port = site.run_service(MIN_PROCS=1, DEBUG="16%1000000")
    for _ in range(1500):
        sock = site.dial(port, source="127.0.0.9")
        sock.recv(100)
        sock.close()
        site.clients.clear()
    assert site.statistics("TEST")["n_rejected"] == 1500
    site.wait_for_log(r"rejected clients: \d+ lines? left out in \d+ s: \d+ of 127\.0\.0\.9 \(TEST, ")

    def counted():
        sums = re.findall(r"rejected clients: (\d+) line", site.log_text())
        lines = site.count_log(r"access_control: host 127\.0\.0\.9 rejected")
        return lines + sum(map(int, sums)) == 1500 and 500 <= lines < 1500

    wait_until(counted, 30, "each refusal has a line, or is part of a sum")
    # Lines that matter are logged all the same.
    site.control("stop", "TEST")
    site.wait_for_log("requested by")
