# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A Postfix with a configuration and a queue of its own, and smtp-source as its client."""

import os
import shutil
import subprocess
import sys
import time

from servers import START_LIMIT, children, cpu_seconds, free_port

AT_A_TIME = 40
TOOLS = ("postfix", "postconf", "smtp-source")

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = localhost
mydestination = {destination}
local_transport = discard:
local_recipient_maps =
alias_maps =
default_process_limit = 100
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtputf8_enable = no
postscreen_access_list = permit_mynetworks
"""

MASTER = """\
127.0.0.1:{own} inet n - n - - smtpd
127.0.0.1:{postscreen} inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, folder, destination="example.com", more=("", "")):
        """Mail to `destination` is thrown away; `more` goes to the ends of main.cf and master.cf."""
        self.folder = folder
        self.own, self.postscreen = free_port(), free_port()
        os.chmod(folder, 0o755)
        for name in ("etc", "queue", "data"):
            os.mkdir(f"{folder}/{name}", 0o755)
        shutil.chown(f"{folder}/data", "postfix")
        for name, text in (("main", MAIN + more[0]), ("master", MASTER + more[1])):
            with open(f"{folder}/etc/{name}.cf", "w") as file:
                file.write(text.format(folder=folder, own=self.own, postscreen=self.postscreen,
                                       destination=destination))
        self.control("start")
        with open(f"{folder}/queue/pid/master.pid") as file:
            self.pid = int(file.read())

    def control(self, verb):
        result = subprocess.run(["postfix", "-c", f"{self.folder}/etc", verb], capture_output=True,
                                text=True)
        if result.returncode != 0:
            sys.exit(f"postfix {verb}: {result.stderr}")

    def postscreen_cpu(self):
        for pid in children(self.pid):
            with open(f"/proc/{pid}/comm") as file:
                if file.read().strip() == "postscreen":
                    return cpu_seconds(pid)
        return 0.0


def send(port, n):
    return subprocess.run(["smtp-source", "-s", str(min(n, AT_A_TIME)), "-m", str(n), "-f", "a@example.org",
                           "-t", "b@example.com", f"127.0.0.1:{port}"], capture_output=True, text=True)


def wait_for_port(port):
    give_up_at = time.monotonic() + START_LIMIT
    while send(port, 1).returncode != 0:
        if time.monotonic() > give_up_at:
            sys.exit("a server does not start")
        time.sleep(0.1)
