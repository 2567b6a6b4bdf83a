# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""dispatcherctl events shows every line of the daemon's log, those about the daemon itself too."""

from harness.wait import wait_until


class Follower:
    """dispatcherctl events, beside the daemon."""

    def __init__(self, site, path):
        self.path = path
        with open(path, "wb") as output:
            command = [f"{site.builddir}/dispatcherctl", "--socket", site.control_socket(), "events"]
            site.spawn(*command, stdout=output)
        self.wait_for("following")

    def text(self):
        return self.path.read_text()

    def wait_for(self, text):
        wait_until(lambda: text in self.text(), 20, f"{text!r} among the events")


def test_a_reload_and_a_stop_are_events(site_by_hand, tmp_path):
    site = site_by_hand
    site.run_service()
    follower = Follower(site, tmp_path / "events")
    site.reload()
    follower.wait_for("reloaded ")
    site.begin_stop()
    follower.wait_for("stopping; 0 connections may continue")
    site.wait_stopped()
    assert follower.text().index("reloaded ") < follower.text().index("stopping; ")
