# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What an administrator finds in the journal: by the calls of dispatcherd-journal(7), which are taken
out of the page and run as they stand there; and the whole story of one message."""

import ipaddress
import json
import pathlib
import re
import shlex
import subprocess
import time

from harness.mail import Client, MailService
from harness.names import NameServer
from harness.wait import wait_until

SRCDIR = pathlib.Path(__file__).resolve().parents[2]
PAGE = SRCDIR / "man/dispatcherd-journal.7"
IDENTIFIERS = SRCDIR / "src/dispatcherd/report/message_ids.h"

DEAF = "127.0.0.7"  # a client that PORT_ACCESS refuses
LISTED = "198.51.100.7"  # one that a DNS list has

TABLES = f"""PORT_ACCESS

  TCP|*|*|{DEAF}|*  $<seen$ it|$N500$ go$ away
"""


def event_names():
    pairs = re.findall(r"MESSAGE_ID_(\w+)\s*\\?\s*\"(\w{32})\"", IDENTIFIERS.read_text())
    return {number: name for name, number in pairs}


def calls_of_page():
    """The arguments of each journalctl call of the page, as it is typed."""
    text = PAGE.read_text().replace("\\e\n", "").replace("\\-", "-").replace("\\(aq", "'")
    calls = re.findall(r"^journalctl (.*)", text, re.MULTILINE)
    return [" ".join(call.split()) for call in calls]


# What an entry is about.


def says(pattern):
    return lambda entry: re.search(pattern, message_of(entry))


def message_of(entry):
    message = entry["MESSAGE"]
    return message if isinstance(message, str) else bytes(message).decode(errors="replace")


def values(entry, name):
    """A field may be there more than once."""
    value = entry.get(name, [])
    return value if isinstance(value, list) else [value]


def has(name, pattern):
    return lambda entry: any(re.fullmatch(pattern, value) for value in values(entry, name))


def is_of_unit(pattern):
    """Said by the unit, or by systemd about it."""
    return lambda entry: any(re.fullmatch(pattern, entry.get(n, "")) for n in ("_SYSTEMD_UNIT", "UNIT"))


def is_urgent(limit):
    return lambda entry: int(entry["PRIORITY"]) <= limit and is_daemon(entry)


is_daemon = has("_SYSTEMD_UNIT", r"dispatcherd\.service")
is_worker = has("_SYSTEMD_UNIT", r"dispatcherd-.*-worker@.*")
is_refusal = says(r"^\w+: access_control: host \S+ (found on DNS list and )?rejected")
is_refusal_by_mapping = says(r"^\w+: access_control: host \S+ rejected by PORT_ACCESS, ")


def expected(worker, connection):
    """What each call may find, and must; the calls with the names of events, not their numbers."""
    is_about, is_by = has("DISPATCHER_WORKER_PID", worker), has("_PID", worker)
    story = has("DISPATCHER_CONNECTION", connection)
    return {
        "-t dispatcherd": is_daemon,
        "-u dispatcherd": is_of_unit(r"dispatcherd\.service"),
        "-u dispatcherd -u 'dispatcherd-*-worker@*'": is_of_unit(r"dispatcherd(-.*-worker@.*)?\.service"),
        "-f -t dispatcherd": is_daemon,
        "-n 100 -t dispatcherd": is_daemon,
        "-S yesterday -t dispatcherd": is_daemon,
        "-S -1h -t dispatcherd": is_daemon,
        "-b -t dispatcherd": is_daemon,
        "-p err -t dispatcherd": is_urgent(3),
        "-p warning -t dispatcherd": is_urgent(4),
        "-x -p warning -t dispatcherd": is_urgent(4),
        "-t dispatcherd -g 'process [0-9]+ starts'": says(r"^process \d+ starts: "),
        "MESSAGE_ID=STARTED": says(r"^ready: \d+ services?, \d+ workers?$"),
        "MESSAGE_ID=STOPPED": says(r"^stopped$"),
        "-x MESSAGE_ID=CONFIG_REFUSED": says(r"dispatcher\.cnf:\d+: error: |reload refused"),
        "-x MESSAGE_ID=CONFIG_WARNING": says(r"dispatcher\.cnf:\d+: warning: "),
        "DISPATCHER_DEBUG_BIT=2": says(r"^read /|dispatcher\.cnf:\d+: .*MIN_PROCS="),
        "DISPATCHER_SERVICE=SMTP": says(r"^SMTP: "),
        "MESSAGE_ID=SERVICE_FULL + MESSAGE_ID=SERVICE_HAS_ROOM": says(r"is full: |has room again after"),
        "DISPATCHER_SERVICE=SMTP DISPATCHER_DEBUG_BIT=6": says(r"^SMTP: (a worker is|worker \d+ (is|has))"),
        "-o cat --output-fields=DISPATCHER_REASON DISPATCHER_DEBUG_BIT=6": has("DISPATCHER_DEBUG_BIT", "6"),
        "-x MESSAGE_ID=WORKER_DIED": says(r"worker \d+ .*; \d+ sessions? (was|were) lost"),
        "MESSAGE_ID=WORKER_HUNG + MESSAGE_ID=WORKER_LIED + MESSAGE_ID=START_FAILED": says(
            r"^BROKEN: cannot start a worker: "
        ),
        "DISPATCHER_WORKER_PID=4711 + _PID=4711": lambda entry: is_about(entry) or is_by(entry),
        "-u 'dispatcherd-smtp-worker@*'": is_of_unit(r"dispatcherd-smtp-worker@.*"),
        "MESSAGE_ID=ACCESS_DENIED": is_refusal,
        "-o json MESSAGE_ID=ACCESS_DENIED": is_refusal,
        "-t dispatcherd -g 'found on DNS list and rejected'": says(
            rf"access_control: host {LISTED} found on DNS list and rejected; list list.test: "
        ),
        "MESSAGE_ID=ACCESS_DENIED DISPATCHER_REASON=dns_list": says(
            rf"access_control: host {LISTED} found on DNS list and rejected; "
        ),
        "MESSAGE_ID=ACCESS_DENIED DISPATCHER_REASON=mapping": is_refusal_by_mapping,
        "MESSAGE_ID=ACCESS_DENIED DISPATCHER_CLIENT_ADDRESS=192.0.2.7": is_refusal_by_mapping,
        "MESSAGE_ID=MAPPING_NOTE": says(r"^\w+: seen it$"),
        "MESSAGE_ID=DNS_LIST_ILL + MESSAGE_ID=DNS_LIST_WELL": says(r"^DNS list world\.test is "),
        "DISPATCHER_CLIENT_ADDRESS=192.0.2.7": says(rf"{re.escape(DEAF)}|seen it"),
        "DISPATCHER_CONNECTION=0e58824700000001": story,
        "-o verbose DISPATCHER_CONNECTION=0e58824700000001": story,
        "-f DISPATCHER_DEBUG_BIT=9": has("DISPATCHER_DEBUG_BIT", "9"),
        "DISPATCHER_DEBUG_BIT=8 DISPATCHER_DEBUG_BIT=9 DISPATCHER_DEBUG_BIT=10": says(r"worker \d+"),
        "DISPATCHER_SERVICE=SMTP DISPATCHER_DEBUG_BIT=9": says(r"^SMTP: (.*connection|worker \d+(, \w+: | goes from ))"),
        " ".join(f"DISPATCHER_DEBUG_BIT={bit}" for bit in (12, 13, 14, 16, 17)): is_worker,
        "-o short-precise -t dispatcherd": is_daemon,
        "-o cat -t dispatcherd": is_daemon,
    }


def make_everything_happen(site):
    """Returns the journal's texts for a worker's process and a connection that it served."""
    names = NameServer(site)
    site.add_arguments("--dns-servers", names.server)
    site.write_mappings(TABLES)
    ports = [site.free_port() for _ in range(3)]
    behind_proxy = {"PROXY_PROTOCOL": 1, "PROXY_UPSTREAMS": "127.0.0.1"}
    text = "DEBUG=-1\n" + "".join(
        [
            site.service("SMTP", PORT=ports[0], MIN_PROCS=1, MAX_PROCS=1, MAX_CONNS=2),
            site.service("LISTS", PORT=ports[1], DNS_VERIFY_DOMAIN=["list.test", "world.test"], **behind_proxy),
            site.service("BROKEN", PORT=ports[2], MIN_PROCS=1, PARAMETER="FAIL=1", ENABLE_RBL=1),
        ]
    )
    site.write_config(text)
    site.start()
    served = site.connect(ports[0])
    connection, worker = served.ask("id"), served.ask("pid")
    served.ask("log a word of the program")
    assert site.connect(ports[0], source=DEAF).receive() == "500 go away"
    site.connect(ports[1]).sock.sendall(f"PROXY TCP4 {LISTED} 192.0.2.1 4711 25\r\n".encode())
    site.wait_for_log("found on DNS list and rejected; list ")
    site.wait_for_log("world.test is set aside")
    second = site.connect(ports[0])
    assert second.ask("service") == "SMTP"
    site.wait_for_log("SMTP: is full")
    second.send("crash")
    assert second.is_closed()
    site.wait_for_log("SMTP: has room again")
    site.wait_for_log("BROKEN: cannot start a worker")
    assert site.reload(text.replace("MIN_PROCS=1", "MIN_PROCS=x"), check=False).returncode == 1
    site.write_config(text)
    site.systemctl("restart", "dispatcherd.service")
    site.wait_for_log(r"\]: ready: (?s:.*)\]: stopped(?s:.*)\]: ready: ")
    return ports[0], worker, connection


def in_the_form(words, form):
    """The call, but for a program; the last word about the form counts."""
    return [word for word in words if not word.startswith("--output-fields")] + ["-o", form]


def follow(site, words, port):
    """What such a call says of a connection that comes while it runs."""
    command = [*site.container.enter, "timeout", "20", "journalctl", *in_the_form(words, "json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        entries = [json.loads(process.stdout.readline())]
        connection = site.connect(port).ask("id")
        while entries[-1].get("DISPATCHER_CONNECTION") != connection:
            line = process.stdout.readline()
            assert line, f"{words} does not see connection {connection}"
            entries.append(json.loads(line))
        process.stdout.close()  # journalctl ends at that
    return entries


def test_each_call_of_the_page_finds_what_it_says(site_of_systemd):
    site = site_of_systemd
    began = time.time()
    port, worker, connection = make_everything_happen(site)
    wanted = expected(worker, connection)
    names = event_names()
    clients = "-F DISPATCHER_CLIENT_ADDRESS"
    calls = calls_of_page()
    keys = [re.sub(r"\w{32}", lambda match: names[match[0]], call) for call in calls]
    assert sorted(keys) == sorted([*wanted, clients])
    for call, key in zip(calls, keys):
        for example, real in {"4711": worker, "0e58824700000001": connection, "192.0.2.7": DEAF}.items():
            call = call.replace(example, real)
        words = shlex.split(call)
        if key == clients:
            lines = site.run("journalctl", *words).stdout.split()
            assert {DEAF, LISTED} <= set(lines)
            assert all(ipaddress.ip_address(line) for line in lines if line not in ("unix", "unknown"))
            continue
        # What other tests have left is not asked for, but where the call says since when.
        words = ["-S", f"@{began:.6f}", *words]
        if "-f" in words:
            entries = follow(site, words, port)
        else:
            text = site.run("journalctl", "-q", *words).stdout
            assert text.strip(), f"journalctl {call} finds nothing"
            assert "-x" not in words or "Subject: " in text, text
            text = site.run("journalctl", "-q", *in_the_form(words, "json")).stdout
            entries = [json.loads(line) for line in text.splitlines()]
        wrong = [message_of(entry) for entry in entries if not wanted[key](entry)]
        assert not wrong, f"journalctl {call} finds {wrong[:5]}"


def test_one_call_tells_the_story_of_a_message(site_of_systemd):
    site = site_of_systemd
    service = MailService(site, DEBUG="16%202220")
    with Client(service) as client:
        client.sendmail("sender@example.com", ["somebody@localhost"], "Subject: hello\n\nHello.\n")
    (message,) = service.messages()
    (connection,) = re.findall(r"\bid ([0-9a-f]{16})\b", message["Received"])

    def story():
        text = site.run("journalctl", "-q", "-o", "json", f"DISPATCHER_CONNECTION={connection}").stdout
        return [json.loads(line) for line in text.splitlines()]

    wait_until(lambda: any(": connection ended" in message_of(entry) for entry in story()), what="the end")
    lines = [(bool(is_worker(entry)), message_of(entry)) for entry in story()]
    assert all(is_worker(entry) or is_daemon(entry) for entry in story())
    position = 0
    for by_worker, pattern in [
        (False, "connection from 127.0.0.1:"),
        (False, "connection goes to worker"),
        (True, "a session begins"),
        (True, ": delivered "),
        (True, "the session is over"),
        (False, ": connection ended after"),
    ]:
        found = [i for i, (who, text) in enumerate(lines) if who == by_worker and re.search(pattern, text)]
        assert len(found) == 1 and found[0] >= position, (pattern, lines)
        position = found[0]
    # Nobody else's connection is told with it.
    with Client(service) as client:
        client.noop()
    assert len(story()) == len(lines)


def test_the_death_of_a_worker_is_part_of_the_story_of_each_connection_that_it_had(site_of_systemd):
    """Though no DEBUG bit is set, and nothing is kept for HISTORICAL_TIME."""
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1)
    clients = site.connect_served(port, 3)
    over, *broken = [client.ask("id") for client in clients]
    pid = clients[0].pid()
    assert clients[0].ask("quit") == "bye"
    wait_until(lambda: len(site.list_of("connections")) == 2, what="the end of a connection")
    clients[1].send("crash")
    site.wait_for_log(f"worker {pid} died")

    def messages(connection):
        words = ["-q", "-o", "json", f"DISPATCHER_CONNECTION={connection}"]
        return [json.loads(line) for line in site.run("journalctl", *words).stdout.splitlines()]

    for connection in broken:
        (entry,) = messages(connection)
        assert re.search(f"worker {pid} died of signal KILL", message_of(entry))
        assert sorted(values(entry, "DISPATCHER_CONNECTION")) == sorted(broken)
    assert messages(over) == []


def test_a_worker_says_the_identifier_where_there_is_no_journal(site):
    service = MailService(site)
    with Client(service) as client:
        client.sendmail("sender@example.com", ["somebody@localhost"], "Subject: hello\n\nHello.\n")
    (message,) = service.messages()
    (connection,) = re.findall(r"\bid ([0-9a-f]{16})\b", message["Received"])
    site.wait_for_log(rf"SMTP: connection {connection} from 127\.0\.0\.1: ")
