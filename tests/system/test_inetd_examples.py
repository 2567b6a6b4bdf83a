# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The examples for IMAGE=inetd, installed as their text says, and used with the clients that people have."""

import pathlib

import pytest
from harness.wait import wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "units/examples"


def start(site, name):
    """Starts dispatcherd with the example alone, with its drop-in where it has one."""
    site.write_config((EXAMPLES / f"{name}.cnf").read_text())
    drop_in = EXAMPLES / f"{name}.conf"
    if drop_in.exists():
        site.write_drop_in(f"dispatcherd-{name}-worker@.service", drop_in.read_text())
    site.start()


def shell(site, script):
    return site.run("sh", "-euc", script)


def needs(site, program):
    if site.run("sh", "-c", f"command -v {program}", check=False).returncode != 0:
        pytest.skip(f"{program} was not found; on Debian: apt-get install {program}")


def test_hello(site_of_systemd):
    site = site_of_systemd
    start(site, "hello")
    assert site.connect(7777).receive() == "Hello, 127.0.0.1"


def test_rsync(site_of_systemd):
    site = site_of_systemd
    needs(site, "rsync")
    shell(site, "mkdir -p /srv/pub && echo content >/srv/pub/file")
    shell(site, "printf '[pub]\\npath = /srv/pub\\nuse chroot = no\\n' >/etc/rsyncd.conf")
    start(site, "rsync")
    for n in range(3):
        shell(site, f"rsync -a --timeout=20 rsync://127.0.0.1/pub/ /run/rsync-test{n} && grep content /run/rsync-test{n}/file")
    wait_until(lambda: site.count_log("over, status 0") >= 3, 20, "three sessions")


def test_git(site_of_systemd):
    site = site_of_systemd
    needs(site, "git")
    shell(
        site,
        "rm -rf /srv/git/hello.git /run/git-test && mkdir -p /srv/git && git init -q --bare /srv/git/hello.git &&"
        "touch /srv/git/hello.git/git-daemon-export-ok && git init -q /run/git-test/one && cd /run/git-test/one &&"
        "echo content >file && git add file && git -c user.name=x -c user.email=x@x.example commit -qm one &&"
        "git push -q /srv/git/hello.git HEAD:master",
    )
    start(site, "git")
    shell(site, "cd /run/git-test && git clone -q -b master git://127.0.0.1/hello.git two && grep content two/file")
    site.wait_for_log("over, status 0")
