# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Every sample that people copy is right: --check has nothing against it, and it does what its page says."""

import contextlib
import json
import os
import re
import shlex
import smtplib
import socket
import struct
import threading

import pytest
from harness.back_end import BackEnd
from harness.names import answer, name_of
from harness.samples import TOP, samples_of, samples_of_kind

LIMIT = 20


def of_kind(*kinds):
    return pytest.mark.parametrize("sample", samples_of_kind(*kinds), ids=repr)


# dispatcher.cnf


class Settings:
    """A sample of dispatcher.cnf, with ports, an address and folders that a test may use."""

    def __init__(self, site, sample):
        self.site = site
        self.ports = {}  # of each service: the free port that stands for each port of the sample
        self.domains = {}
        self.back_ends = {}  # of a service: what stands for its first BACKEND=
        self.service = None
        self.text = "".join(self.replace(line) + "\n" for line in sample.text.splitlines())

    def replace(self, line):
        if match := re.match(r"\[SERVICE=(.*)\]", line):
            self.service = match.group(1)
            self.ports[self.service] = {}
            self.domains[self.service] = []
        name, _, value = line.partition("=")
        if name in ("PORT", "TLS_PORT"):
            ports = self.ports[self.service]
            ports.update((int(port), self.site.free_port()) for port in value.split(","))
            return f"{name}={','.join(str(ports[int(port)]) for port in value.split(','))}"
        if name == "INTERFACE_ADDRESS":
            return "INTERFACE_ADDRESS=127.0.0.1"
        if name == "IMAGE":
            return f"IMAGE={self.image(value)}"
        if value.startswith("DOMAIN="):
            self.domains[self.service].append(value.partition("=")[2])
        if value.startswith("BACKEND="):
            back_end = self.back_ends.setdefault(self.service, BackEnd(self.site))
            return f"PARAMETER=BACKEND={back_end.name}"
        if value.startswith("MAILDIR="):
            return f"PARAMETER=MAILDIR={self.site.folder}/mail-of-sample"
        return line

    def image(self, value):
        if os.path.basename(value) == "tcp_smtp_server":
            return self.site.smtp_image()
        if os.path.basename(value) in ("inetd", "proxy"):
            return self.site.delivered_image(os.path.basename(value), self.service)
        # The example of dispatcher-worker(3), as its page has it compiled.
        assert os.path.basename(value) == "echo", f"how is {value} tried?"
        self.site.environment["LD_LIBRARY_PATH"] = f"{self.site.builddir}/.libs"
        return self.site.program_for("ECHO", f"{self.site.builddir}/tests/libdispatcher/example")


def send_mail(port, recipient):
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=LIMIT) as client:
        client.sendmail("sender@example.com", [recipient], "Subject: a sample\n\nIt works.\n")


def check_mail(port, domains):
    for domain in domains or ["localhost"]:
        send_mail(port, f"somebody@{domain}")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send_mail(port, "somebody@elsewhere.example")


def check_echo(port):
    with socket.create_connection(("127.0.0.1", port), LIMIT) as sock:
        assert sock.makefile().readline() == "Hello, 127.0.0.1\n"


def check_proxy(port, back_end):
    with socket.create_connection(("127.0.0.1", port), LIMIT) as client:
        server, header = back_end.accept()
        assert header.peer == client.getsockname()
        server.sendall(b"* OK\r\n")
        assert client.recv(100) == b"* OK\r\n"


def check_program(site, *arguments):
    return site.run(f"{site.builddir}/dispatcherd", "--check", "--config", site.config, *arguments, check=False)


@of_kind("config")
def test_configuration_serves_as_it_stands(site_by_hand, sample):
    site = site_by_hand
    settings = Settings(site, sample)
    site.write_config(settings.text)
    result = check_program(site)
    assert (result.returncode, result.stdout) == (0, ""), result
    site.start()
    for service, ports in settings.ports.items():
        assert ports, f"{service} has no port"
        for port in ports.values():
            if service in ("ECHO", "HELLO"):
                check_echo(port)
            elif service in settings.back_ends:
                check_proxy(port, settings.back_ends[service])
            else:
                check_mail(port, settings.domains[service])


def lines_of(text):
    return [line for line in text.splitlines() if line and not line.startswith("!")]


def test_the_readme_shows_what_is_installed():
    (shown,) = [sample for sample in samples_of("README.md") if sample.kind == "config"]
    assert lines_of(shown.text) == lines_of((TOP / "units/dispatcher.cnf").read_text())


@pytest.mark.parametrize("file", ["dispatcher.cnf", "sample.cnf.in"])
def test_as_installed_denials_are_logged_and_what_ended_is_kept(site_by_hand, file):
    site = site_by_hand
    (sample,) = samples_of(f"units/{file}")
    settings = Settings(site, sample)
    site.write_config(settings.text)
    site.write_mappings("PORT_ACCESS\n\n  TCP|*|*|127.0.0.2|*  $N500$ go$ away\n")
    site.start()
    (port,) = settings.ports["SMTP"].values()
    client = site.connect(port, source="127.0.0.2")
    assert client.receive() == "500 go away"
    site.wait_for_log(r"access_control: host 127\.0\.0\.2 rejected by PORT_ACCESS, service SMTP, .*: 500 go away$")
    text = site.control("history").stdout
    assert re.search(r" SMTP +rejected: mapping .* 127\.0\.0\.2:", text)
    assert "keeps no history" not in text


# The mapping file

ACCEPTED = None

# Of each sample: a client and what it reads, or ACCEPTED. A number before it: so many clients before that are
# accepted.
EXPECTED = {
    "README.md": [
        [
            ("203.0.113.9", 25, "500 go away"),
            ("203.0.113.9", 110, ACCEPTED),
            ("198.51.100.9", 25, ACCEPTED),
            (10, "192.0.2.33", 25, "421 too many"),
        ]
    ],
    "units/mappings": [
        [
            ("198.51.100.7", 25, "500 5.7.1 no mail from 198.51.100.7"),
            ("198.51.100.200", 25, "500 5.7.1 no mail from 198.51.100.200"),
            ("198.51.101.7", 25, ACCEPTED),
            ("2001:db8::7", 25, ACCEPTED),
            (60, "203.0.113.7", 25, "421 4.7.0 too many connections"),
            ("203.0.113.7", 587, ACCEPTED),
            (70, "192.0.2.9", 25, ACCEPTED),
            ("127.0.0.1", 25, ACCEPTED),
            ("::1", 25, ACCEPTED),
        ]
    ],
    "man/dispatcher-mappings.5": [
        [("192.0.2.9", 25, ACCEPTED), ("127.0.0.1", 25, ACCEPTED), ("203.0.113.9", 25, ACCEPTED)],
        [
            ("198.51.100.7", 225, ACCEPTED),
            ("198.51.100.8", 225, ACCEPTED),
            ("198.51.100.9", 225, "500 relays only"),
            ("198.51.100.9", 25, ACCEPTED),
        ],
        [
            ("198.51.100.7", 25, "500 5.7.1 Your host (198.51.100.7) found on list"),
            ("198.51.100.8", 25, ACCEPTED),
            ("198.51.100.7", 587, ACCEPTED),
            (10, "203.0.113.7", 25, "421 too many"),
            (20, "192.0.2.9", 25, ACCEPTED),
        ],
    ],
    "units/dispatcherd.catalog": [[("198.51.100.7", 25, ACCEPTED), ("198.51.100.8", 25, "500 no")]],
}

# Helper tables that the page tells people to have already.
HELPERS = "INTERNAL_IP\n\n  127.0.0.1  $Y\n  $(192.0.2.0/24)  $Y\n"


class OneList:
    """A name server of a DNS list that has 198.51.100.7, and its test entry, without texts."""

    LISTED = ("2.0.0.127.", "7.100.51.198.")

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.server = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            packet, peer = self.sock.recvfrom(4096)
            if not packet:
                return
            name, end = name_of(packet)
            (kind,) = struct.unpack("!H", packet[end - 4 : end - 2])
            is_listed = kind == 1 and name.startswith(self.LISTED)
            self.sock.sendto(answer(packet, "127.0.0.2" if is_listed else None), peer)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self.sock.getsockname())
        self.thread.join()
        self.sock.close()


def table_of(sample):
    """The sample as a whole file."""
    text = sample.text.replace("@DISPATCHER_CLIENT_ADDRESS@", "198.51.100.7")
    if sample.kind == "entries":
        text = f"PORT_ACCESS\n\n{text.rstrip()}\n  *  $N500$ no\n"
    if "$|INTERNAL_IP;" in text and "\nINTERNAL_IP\n" not in text:
        text += f"\n{HELPERS}"
    return text


def expected_of(sample):
    number = [repr(other) for other in samples_of(sample.file) if other.kind == sample.kind].index(repr(sample))
    expected = EXPECTED.get(sample.file, [])
    assert number < len(expected), f"{sample}: say in EXPECTED what this sample does"
    return expected[number]


def reads(site, port, client, server_port):
    """What such a client reads of a refusal, or ACCEPTED. A proxy says who it is."""
    family, server = ("TCP6", "2001:db8::1") if ":" in client else ("TCP4", "192.0.2.1")
    with contextlib.closing(site.connect(port)) as connection:
        connection.sock.sendall(f"PROXY {family} {client} {server} 40000 {server_port}\r\n".encode())
        connection.send("service")
        line = connection.receive()
        return ACCEPTED if line == "TEST" else line


@of_kind("mapping", "entries")
def test_mapping_decides_as_its_page_says(site_by_hand, sample):
    site = site_by_hand
    expected = expected_of(sample)
    names = OneList()
    site.add_helper(names)
    site.add_arguments(f"--dns-servers={names.server}")
    site.write_mappings(table_of(sample))
    port = site.free_port()
    options = {"PORT": port, "PROXY_PROTOCOL": 1, "PROXY_UPSTREAMS": "127.0.0.1", "MIN_PROCS": 1}
    site.write_config(site.service("TEST", **options))
    result = check_program(site)
    assert (result.returncode, result.stdout) == (0, ""), result
    site.start()
    for *before, client, server_port, text in expected:
        for _ in range(before[0] if before else 0):
            assert reads(site, port, client, server_port) is ACCEPTED, client
        assert reads(site, port, client, server_port) == text, (client, server_port)


@of_kind("mapping", "entries")
def test_mapping_can_be_tried_offline(site_by_hand, sample):
    """dispatcherctl test-access agrees, as far as neither counts nor lists decide."""
    site = site_by_hand
    site.write_mappings(table_of(sample))
    for *before, client, server_port, text in expected_of(sample):
        if before or (text and "list" in text):
            continue
        result = site.run(
            f"{site.builddir}/dispatcherctl", "--json", "--mappings", f"{site.folder}/mappings",
            "--port", str(server_port), "test-access", client,
        )  # fmt: skip
        verdict = json.loads(result.stdout)
        assert verdict["verdict"] == ("reject" if text else "accept"), verdict
        assert (verdict["text"] or None) == text, verdict


# Commands


def commands_of_dispatcherctl():
    for sample in samples_of_kind("commands"):
        for line in re.sub(r"\\\n", "", sample.text).splitlines():
            for match in re.finditer(r"(?:^|; |until )(dispatcherctl [^|;#]*)", line):
                yield f"{sample}", match.group(1).strip()
    catalog = (TOP / "units/dispatcherd.catalog").read_text()
    for match in re.finditer(r'(?:^|")(dispatcherctl [^"\n]*)', catalog, re.MULTILINE):
        yield "units/dispatcherd.catalog", match.group(1)


def test_commands_are_understood(site_by_hand):
    """None is refused as a wrong usage (2): they fail (1) since no dispatcherd runs, or need none."""
    site = site_by_hand
    commands = list(commands_of_dispatcherctl())
    assert len(commands) > 20, commands
    for where, command in commands:
        command = command.replace("@DISPATCHER_CLIENT_ADDRESS@", "192.0.2.7").replace("@DISPATCHER_SERVICE@", "SMTP")
        command = command.replace("ADDRESS", "192.0.2.7")
        words = shlex.split(command)[1:]
        if "--socket" not in words:
            words = ["--socket", f"{site.folder}/nobody", *words]
        result = site.run(f"{site.builddir}/dispatcherctl", *words, check=False)
        assert result.returncode != 2, f"{where}: {command}: {result.stderr}"


# Drop-ins

UNITS_OF_DROP_INS = {
    "SupplementaryGroups": "dispatcherd-web.service",
    "ListenStream": "dispatcherd-smtp.socket",
    "CPUSchedulingPolicy": "dispatcherd.service",
    "ReadWritePaths": "dispatcherd-smtp-worker@.service",
    "Environment": "dispatcherd-web.service",
    "BindReadOnlyPaths": "dispatcherd-smtp-worker@.service",
    "LoadCredential": "dispatcherd-smtp-worker@.service",
    "SystemCallFilter": "dispatcherd-smtp-worker@.service",
    "FileDescriptorStoreMax": "dispatcherd.service",
}


@of_kind("drop-in")
def test_drop_in_is_understood(site_of_systemd, sample):
    """systemd has nothing against it, and takes it."""
    site = site_of_systemd
    site.write_config(site.service("SMTP", PORT=site.free_port(), IMAGE="tcp_smtp_server"))
    *_, last = [line for line in sample.text.splitlines() if re.match(r"\w+=", line)]
    name, _, value = last.partition("=")
    assert name in UNITS_OF_DROP_INS, f"{sample}: for which unit is {name}=?"
    unit = UNITS_OF_DROP_INS[name]
    if name == "ListenStream" and sample.file == "man/dispatcherd-web.8":
        unit = "dispatcherd-web.socket"
    site.write_drop_in(unit, sample.text)
    site.systemctl("daemon-reload")
    assert value in site.systemctl("cat", unit).stdout
    result = site.run("systemd-analyze", "verify", "--man=no", "--generators=yes", unit.replace("@.", "@1."), check=False)
    complaints = [line for line in result.stderr.splitlines() if "dispatcher" in line]
    assert not complaints, result.stderr
