# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Debian's Exim, installed in a container as an administrator would, and what it says of its mail."""

import collections
import re

from .soak import times
from .wait import wait_until

EXIM_ARCHIVES = "/var/cache/dispatcherd-tests/exim"  # see bootstrap

LOG = "/var/log/exim4/mainlog"


def install_exim(container, archives):
    """Postfix is removed by that. The packages' questions have their default answers."""
    container.run(
        *"env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends".split(),
        *f"-o Dir::Cache::archives={archives} -o APT::Sandbox::User=root".split(),
        *"install exim4-daemon-light".split(),
    )
    # Debian 12's exim4.service is made of an init script; tests mask what makes it.
    container.run("rm", "-f", "/run/systemd/system-generators/systemd-sysv-generator")
    container.run("systemctl", "daemon-reload")
    container.run("sh", "-c", "id receiver >/dev/null 2>&1 || useradd --create-home receiver")


class Exim:
    """Delivers to receiver@localhost, into /var/mail."""

    def __init__(self, site):
        self.site = site
        site.run("cp", "-p", "/etc/default/exim4", "/run/exim4.before", check=False)
        site.run("sh", "-c", f"rm -f {LOG}; cd /var/spool/exim4 && rm -f db/* input/* msglog/*")

    def log(self):
        return self.site.run("cat", LOG, check=False).stdout

    def deliveries(self):
        """How many messages of each sender were delivered."""
        text = self.log()
        senders = dict(re.findall(r"^\S+ \S+ (\S+) <= (\S+)", text, re.MULTILINE))
        return collections.Counter(
            senders[message] for message in re.findall(r"^\S+ \S+ (\S+) =>", text, re.MULTILINE)
        )

    def deliver(self):
        """Lets it look at its queue until there is nothing in it: at all messages, those included
        that it puts off for a quarter of an hour because another Exim had locked the mailbox."""

        def is_idle():
            self.site.run("exim4", "-qff")
            return self.site.run("exim4", "-bpc").stdout.strip() == "0"

        wait_until(
            is_idle,
            times(120, 600),
            lambda: "Exim has delivered all; it has " + self.site.run("exim4", "-bp").stdout[-2000:],
        )

    def close(self):
        self.site.systemctl("stop", "exim4.service", check=False)
        self.site.run(
            "sh",
            "-c",
            "rm -rf /etc/systemd/system/dispatcherd-exim-worker@.service.d /var/mail/receiver;"
            " if [ -e /run/exim4.before ]; then mv /run/exim4.before /etc/default/exim4;"
            " else rm -f /etc/default/exim4; fi",
        )
