# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Dovecot and nginx behind IMAGE=proxy, as the examples in units/examples install them."""

import pytest
from harness.shipped import Example
from harness.wait import wait_until

# Who the clients are: this host, by an address that no server and no worker uses for itself.
CLIENT = "127.0.0.7"


class Programs:
    """Units that are stopped with the test."""

    def __init__(self, site, *units):
        self.site = site
        self.units = units
        site.add_helper(self)

    def close(self):
        self.site.systemctl("stop", *self.units, check=False)


def needs(site, program, package):
    if site.run("sh", "-c", f"command -v {program}", check=False).returncode != 0:
        pytest.skip(f"{program} was not found; on Debian: apt-get install {package}")


def install(site, name, service):
    Example(site, name).install()
    wait_until(lambda: site.services()[service]["n_ready"] >= 1, 20, "a worker is ready")


# One user, whose password and mail are the tests' own.
DOVECOT_2_3 = """\
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_privileged_group =
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/run/reader
}
"""
DOVECOT_2_4 = """\
first_valid_uid = 1
mail_driver = maildir
mail_path = ~/Maildir
mail_inbox_path =
mail_privileged_group =
passdb passwd-file {
  passwd_file_path = /etc/dovecot/users
  default_password_scheme = PLAIN
}
userdb static {
  fields {
    uid = mail
    gid = mail
    home = /run/reader
  }
}
"""


def make_certificate(site):
    """Where Debian's configuration of Dovecot expects one."""
    folder = "/etc/dovecot/private"
    site.run(
        *"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost".split(),
        *f"-keyout {folder}/dovecot.key -out {folder}/dovecot.pem".split(),
    )


def test_dovecot_serves_imap_to_curl(site_of_systemd):
    site = site_of_systemd
    needs(site, "doveconf", "dovecot-imapd")
    Programs(site, "dovecot.service", "dovecot.socket")
    site.write_file("/etc/dovecot/users", "reader:{PLAIN}secret\n")
    is_old = site.run("doveconf", "-n", check=False).stdout.startswith("# 2.3")
    site.write_file("/etc/dovecot/local.conf", DOVECOT_2_3 if is_old else DOVECOT_2_4)
    site.run("install", "-d", "-o", "mail", "-g", "mail", "/run/reader")
    make_certificate(site)
    install(site, "dovecot-proxy", "IMAP")
    curl = ["curl", "-sS", "--max-time", "20", "--interface", CLIENT, "-u", "reader:secret"]
    curl += ["--ssl-reqd", "--insecure"]  # STARTTLS is done by Dovecot
    site.write_file("/etc/dovecot/message", "Subject: hello\r\n\r\nA line.\r\n")
    site.run(*curl, "-T", "/etc/dovecot/message", f"imap://{CLIENT}/INBOX")
    result = site.run(*curl, f"imap://{CLIENT}/INBOX;MAILINDEX=1")
    assert "Subject: hello" in result.stdout
    site.wait_for_log(f"rip={CLIENT},")  # Dovecot knows the client's own address
    wait_until(lambda: site.statistics("IMAP")["n_ended"] == 2, 20, "the ends are counted")

    # A restart of Dovecot is not noticed by whoever comes meanwhile.
    site.systemctl("stop", "dovecot.service", "dovecot.socket")
    site.systemctl("start", "--no-block", "dovecot.service")
    result = site.run(*curl, f"imap://{CLIENT}/INBOX;MAILINDEX=1")
    assert "Subject: hello" in result.stdout
    site.stop()


def test_nginx_serves_http_to_curl(site_of_systemd):
    site = site_of_systemd
    needs(site, "nginx", "nginx")
    Programs(site, "nginx.service")
    site.write_file("/var/www/html/hello", "hello\n" * 100000)
    install(site, "nginx-proxy", "HTTP")
    curl = ["curl", "-sS", "--fail", "--max-time", "20", "--interface", CLIENT]
    assert site.run(*curl, "http://127.0.0.1/hello").stdout == "hello\n" * 100000
    # Two requests on one connection.
    url = "http://127.0.0.1/hello"
    assert site.run(*curl, url, url).stdout == "hello\n" * 200000
    log = site.run("cat", "/var/log/nginx/access.log").stdout
    assert log.count(f"{CLIENT} - - ") == 3, "nginx knows the client's own address"
    wait_until(lambda: site.statistics("HTTP")["n_ended"] == 2, 20, "the ends are counted")
    site.stop()
