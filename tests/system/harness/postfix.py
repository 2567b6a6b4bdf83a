# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A Postfix in the container, which keeps account of what it gets."""

import collections
import re

from .wait import wait_until

LOG = "/var/log/postfix-test.log"


class Postfix:
    """Takes mail for example.com, writes that down, and throws it away."""

    def __init__(self, site, **settings):
        self.site = site
        site.run("sh", "-c", f"rm -f {LOG}; cp -r /etc/postfix /run/postfix.before")
        # Tests mask what runs at each daemon-reload; this one makes Postfix's unit.
        site.run("rm", "-f", "/run/systemd/system-generators/postfix-instance-generator")
        site.systemctl("daemon-reload")
        self.certify()
        self.configure(
            maillog_file=LOG,
            maillog_file_prefixes="/var",
            inet_interfaces="loopback-only",
            mydestination="example.com",
            local_transport="discard:",
            local_recipient_maps="",
            compatibility_level="3.6",
            smtputf8_enable="no",
            smtpd_tls_cert_file="/run/postfix.pem",
            smtpd_tls_key_file="/run/postfix.pem",
            smtpd_tls_security_level="may",
            **settings,
        )

    def certify(self):
        self.site.run(
            *"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mail.example.com".split(),
            *"-keyout /run/postfix.pem -out /run/postfix.crt".split(),
        )
        self.site.run("sh", "-c", "cat /run/postfix.crt >> /run/postfix.pem")

    def configure(self, **settings):
        self.site.run("postconf", "-e", *(f"{name}={value}" for name, value in settings.items()))

    def log(self):
        return self.site.run("cat", LOG, check=False).stdout

    def deliveries(self):
        """How often each recipient got something."""
        return collections.Counter(
            re.findall(r"discard\[\d+\]: .* to=<([^>]*)>.* status=sent", self.log())
        )

    def wait_idle(self, limit=60):
        """Until its queue is empty."""
        wait_until(
            lambda: "is empty" in self.site.run("postqueue", "-p", check=False).stdout,
            limit,
            "Postfix has delivered all",
            0.2,
        )

    def n_serving(self):
        """Its processes that serve."""
        return len(self.site.run("pgrep", "-x", "smtpd", check=False).stdout.split())

    def stop(self):
        """In Debian 12, postfix.service is over before its instance is."""
        self.site.systemctl("stop", "postfix@-.service", "postfix.service", check=False)

    def start(self):
        self.site.systemctl("start", "postfix.service")

    def close(self):
        self.stop()
        self.site.run(
            "sh",
            "-c",
            "rm -rf /etc/postfix /etc/systemd/system/dispatcherd-smtp-worker@.service.d;"
            " mv /run/postfix.before /etc/postfix",
        )
