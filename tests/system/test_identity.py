# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""An IDENT server belongs to the client: what it says reaches a browser, a terminal, programs and the
journal, and does nothing there."""

import html
import json

import pytest
from harness.identd import IdentServer
from harness.wait import wait_until
from test_web import Web

SCRIPT = "<script>alert(1)</script>"
STEERING = "\x1b]0;mine\x07\x1b[2J\x9b31m\t'\"&{{ports}}\r\x00\x7f"
STEERING_SEEN = "?]0;mine??[2J??31m?'\"&{ports}???"


def run_with_user(site, user):
    """Starts a dispatcherd and connects a client of that name. Returns the connection's JSON."""
    server = IdentServer(site, "{ports} : USERID : UNIX : " + user + "\r\n")
    site.add_arguments("--ident-port", str(server.port))
    port = site.run_service(MIN_PROCS=1, IDENT=1, DEBUG="16%20", HISTORICAL_TIME=600)
    client = site.connect(port, source="127.0.0.5")
    assert client.ask("service") == "TEST"
    (connection,) = wait_until(
        lambda: [item for item in site.list_of("connections") if item["ident_user"]], what="a user"
    )
    return client, connection


def is_plain(text):
    return all(" " <= character <= "~" or character == "\n" for character in text)


@pytest.mark.parametrize(
    "user, seen", [(SCRIPT, SCRIPT), (STEERING, STEERING_SEEN)], ids=["script", "steering"]
)
def test_dispatcherctl_shows_it_as_text(site, user, seen):
    client, connection = run_with_user(site, user)
    assert connection["ident_user"] == seen
    # JSON: no byte that needs a reader to be careful.
    assert is_plain(site.control("--json", "connections").stdout)
    text = site.control("connections").stdout
    assert text.splitlines()[1].endswith("  " + seen) and is_plain(text)
    assert len(json.loads(site.control("--json", "--user", seen, "connections").stdout)["connections"]) == 1
    assert client.ask("quit") == "bye"
    ended = wait_until(
        lambda: json.loads(site.control("--json", "history").stdout)["connections"], what="the end"
    )
    assert [item["ident_user"] for item in ended] == [seen]
    text = site.control("history").stdout
    assert text.splitlines()[-1].endswith("  " + seen) and is_plain(text)
    # The log has it in one line, and no other line begins with what a stranger says.
    site.wait_for_log(rf"TEST: IDENT: {'<script>' if user == SCRIPT else '.*mine'}")
    assert "\x1b" not in site.log_text()


@pytest.mark.parametrize("user", [SCRIPT, "</td><img src=x onerror=alert(1)>", "&lt;b&gt;\"'"])
def test_the_page_shows_it_as_text(site_by_hand, user):
    site = site_by_hand
    run_with_user(site, user)
    web = Web(site)
    site.add_helper(web)
    page = web.ask("/")
    assert user in html.unescape(page.text)
    assert user not in page.text
    # And if it were no text, it would not run.
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]


def test_the_journal_has_it_in_one_field(site_of_systemd):
    site = site_of_systemd
    _, connection = run_with_user(site, SCRIPT + " MESSAGE_ID=0 \rPRIORITY=0")
    site.wait_for_log("TEST: IDENT: ")
    match = f"DISPATCHER_CONNECTION={connection['id']}"
    lines = site.run("journalctl", "-q", "-o", "json", match).stdout.splitlines()
    (entry,) = [entry for entry in map(json.loads, lines) if "IDENT" in entry["MESSAGE"]]
    assert entry["MESSAGE"] == f"TEST: IDENT: {SCRIPT} MESSAGE_ID=0 ?PRIORITY=0"
    assert entry["PRIORITY"] == "7" and "MESSAGE_ID" not in entry
    assert is_plain(site.run("journalctl", "-q", "-o", "cat", match).stdout)
