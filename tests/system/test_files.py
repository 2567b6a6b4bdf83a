# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Files of the administrator that are damaged, gone, or none: what was in force stays, and nobody
waits for them."""

import contextlib
import ctypes
import os
import socket

import pytest
from harness.wait import wait_until
from test_access import connect_from, proxied, read_all

CLOSED = "PORT_ACCESS\n\n  *  $N500$ closed\n"


def mappings(site):
    return os.path.join(os.path.dirname(site.config), "mappings")


def shell(site, script, *arguments):
    return site.run("sh", "-c", script, "sh", *arguments)


def is_refused(site, port):
    return read_all(site.connect(port)) == "500 closed\r\n"


LOST = {
    "emptied": ': >"$1"',
    "removed": 'rm "$1"',
    "a link to nothing": 'ln -sf /nowhere/mappings "$1"',
    "of another table": 'printf "PORT_ACCES\\n\\n  *  \\$N500\\$ closed\\n" >"$1"',
    "cut off": 'printf "PORT_ACCESS\\n\\n" >"$1"',
    "a comment": 'printf "! nothing\\n" >"$1"',
}


@pytest.mark.parametrize("loss", LOST)
def test_access_control_is_not_lost_by_a_reload(site, loss):
    site.write_mappings(CLOSED)
    port = site.run_service(MIN_PROCS=1)
    assert is_refused(site, port)
    shell(site, LOST[loss], mappings(site))
    result = site.reload(check=False)
    assert result.returncode == 1
    assert "the tables in force stay" in result.stdout + result.stderr
    site.wait_for_log("error: .*the tables in force stay")
    assert is_refused(site, port)
    # Said in so many words it is done.
    shell(site, 'rm -f "$1"', mappings(site))
    site.write_mappings("PORT_ACCESS\n\n  *  $Y\n")
    site.reload()
    assert site.connect(port).ask("service") == "TEST"
    # And what was open already may go.
    shell(site, 'rm "$1"', mappings(site))
    assert site.reload(check=False).returncode == 1


def test_without_access_control_none_can_be_lost(site):
    port = site.run_service(MIN_PROCS=1)
    site.write_mappings("! nothing yet\n")
    site.reload()
    shell(site, 'rm "$1"', mappings(site))
    site.reload()
    assert site.connect(port).ask("service") == "TEST"


def test_access_control_is_not_lost_by_a_restart(site_of_systemd):
    site = site_of_systemd
    site.write_mappings(f"<{os.path.dirname(site.config)}/tables\n")
    shell(site, 'printf "PORT_ACCESS\\n\\n  *  \\$N500\\$ closed\\n" >"$1"/tables',
          os.path.dirname(site.config))
    port = site.run_service(MIN_PROCS=1)
    assert is_refused(site, port)
    # The last good tables need no file any more, included ones neither.
    shell(site, 'rm "$1"/tables "$1"/mappings', os.path.dirname(site.config))
    site.systemctl("restart", "dispatcherd.service")
    assert is_refused(site, port)
    site.wait_for_log("using the last good one")
    site.write_mappings("PORT_ACCESS\n\n  *  $Y\n")
    site.reload()
    assert site.connect(port).ask("service") == "TEST"


NO_FILES = {
    "a named pipe": 'mkfifo "$1"',
    "a directory": 'mkdir "$1"',
    "a device": 'ln -s /dev/zero "$1"',
    "a terminal": 'ln -s /dev/tty "$1"',
}
REMOVE = 'rm -rf "$1"; '


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("role", ["mappings", "dispatcher.cnf", "an include"])
def test_a_file_that_is_none_holds_up_nobody(site_by_hand, kind, role):
    site = site_by_hand
    site.write_mappings(CLOSED)
    port = site.run_service(MIN_PROCS=1)
    path = {"mappings": mappings(site), "dispatcher.cnf": site.config}.get(role)
    if role == "an include":
        path = os.path.join(site.folder, "included")
        site.write_mappings(f"{CLOSED}<{path}\n")
    shell(site, REMOVE + NO_FILES[kind], path)
    result = site.reload(check=False)
    assert result.returncode == 1
    assert "not a regular file but a" in result.stdout + result.stderr
    assert is_refused(site, port)


@contextlib.contextmanager
def dead_file_system(folder):
    """Mounts a file system whose server never answers."""
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("mounting a FUSE file system needs root and /dev/fuse")
    libc = ctypes.CDLL(None, use_errno=True)
    server = os.open("/dev/fuse", os.O_RDWR)
    os.mkdir(folder)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"dead", folder.encode(), b"fuse", 0, options.encode()) < 0:
        os.close(server)
        pytest.skip(f"cannot mount a FUSE file system: {os.strerror(ctypes.get_errno())}")
    closing = [server]

    def end():
        if closing:
            os.close(closing.pop())
            libc.umount2(folder.encode(), 2)  # MNT_DETACH

    try:
        yield end
    finally:
        end()


def test_a_dead_file_system_holds_up_one_reload_for_a_moment(site_by_hand):
    site = site_by_hand
    site.write_mappings(CLOSED)
    port = site.run_service(MIN_PROCS=1)
    folder = os.path.join(site.folder, "dead")
    # Once it is mounted, ln(1) would wait, too.
    shell(site, 'ln -sf "$1" "$2"', f"{folder}/mappings", mappings(site))
    with dead_file_system(folder) as end:
        for _ in range(2):
            result = site.reload(check=False)
            assert result.returncode == 1
            assert "cannot read the configuration within 2 s" in result.stdout + result.stderr
            assert is_refused(site, port)
        end()
    shell(site, 'rm "$1"', mappings(site))
    site.write_mappings("PORT_ACCESS\n\n  *  $N500$ new\n")

    def reloaded():
        return site.reload(check=False).returncode == 0

    wait_until(reloaded, what="the thread that read from the dead file system ends")
    assert read_all(site.connect(port)) == "500 new\r\n"


def test_a_log_file_on_a_dead_file_system_keeps_no_worker_from_starting(site_by_hand):
    site = site_by_hand
    alive, dead, logs = (os.path.join(site.folder, name) for name in ("alive", "dead", "logs"))
    os.mkdir(alive)
    os.chmod(alive, 0o777)
    os.symlink("alive", logs)
    port = site.run_service(MIN_PROCS=1, MAX_PROCS=1, LOGFILE=f"{logs}/out.log")
    first = site.connect(port).pid()
    os.symlink("dead", f"{logs}.new")
    with dead_file_system(dead):
        os.rename(f"{logs}.new", logs)
        site.kill(first, "KILL")
        site.wait_for_log(r"cannot open LOGFILE .*: Connection timed out; worker \d+ logs to ")
        second = wait_until(lambda: site.connect(port).pid(), what="a worker")
        # The next one is not waited for again.
        site.kill(second, "KILL")
        assert wait_until(lambda: site.connect(port).pid(), what="a worker") not in (first, second)


# Who checks.


def check(site, *arguments):
    """dispatcherd --check, as root. Returns its status and what it said."""
    result = site.run("dispatcherd", "--check", *arguments, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def checked(site_of_systemd):
    """A site of which --check finds nothing wrong."""
    site = site_of_systemd
    site.write_config(site.service("TEST", PORT=site.free_port()))
    site.write_mappings(CLOSED)
    shell(site, "chmod 644 " + mappings(site))
    status, text = check(site)
    assert status == 0 and "error" not in text, text
    return site


def test_root_checks_the_files_as_the_daemon(checked):
    shell(checked, "chmod 600 " + mappings(checked))
    status, text = check(checked)
    assert status == 1 and "mappings: error: the file cannot be read: Permission denied" in text
    assert "checked as the user dispatcher" in text
    shell(checked, "chmod 644 " + mappings(checked))
    shell(checked, "mkdir -p /root/x && : >/root/x/included && chmod 755 /root /root/x")
    checked.write_mappings("</root/x/included\n" + CLOSED)
    try:
        status, text = check(checked)
        assert status == 1 and "ProtectHome=yes of dispatcherd.service hides the file" in text
    finally:
        shell(checked, "rm -r /root/x; chmod 700 /root")


def test_root_checks_the_programs_as_their_workers(checked):
    source = checked.image_for("TEST")
    folder = os.path.dirname(source)
    port = checked.free_port()
    copies = {
        f"{folder}/for_root": (0o700, "cannot be run: Permission denied"),
        f"{folder}/for_the_daemon": (0o750, "cannot be run: Permission denied"),
        "/root/program": (0o755, "ProtectHome=yes hides the IMAGE /root/program"),
        "/tmp/program": (0o755, "PrivateTmp=yes hides the IMAGE /tmp/program"),
        "/home/program": (0o755, "ProtectHome=yes hides the IMAGE /home/program"),
    }
    try:
        for path, (mode, reason) in copies.items():
            checked.run("install", "-m", f"{mode:o}", "-g", "dispatcher", source, path)
            checked.write_config(checked.service("TEST", PORT=port, IMAGE=path))
            status, text = check(checked)
            assert status == 1 and "dispatcher.cnf:3: error: " in text and reason in text, text
    finally:
        checked.run("rm", "-f", *copies)


def test_a_delivered_worker_says_what_is_wrong_with_its_parameters(checked):
    port = checked.free_port()
    parameters = ["DOMAIN=a.example", "SIZE=12", "DOMANE=b.example"]
    checked.write_config(
        checked.service("TEST", PORT=port, IMAGE="tcp_smtp_server", PARAMETER=parameters)
    )
    status, text = check(checked)
    assert status == 1 and "PARAMETER=SIZE=12: must be a number of bytes from" in text, text
    lines = checked.run("cat", checked.config).stdout.splitlines()
    line = 1 + next(n for n, line in enumerate(lines) if "DOMANE" in line)
    assert f"dispatcher.cnf:{line}: error: PARAMETER=DOMANE=b.example: unknown" in text, text


def test_root_checks_other_files_as_root(checked):
    shell(checked, 'install -m 600 "$1" /root/draft.cnf', checked.config)
    try:
        status, text = check(checked, "--config", "/root/draft.cnf")
        assert status == 0, text
    finally:
        checked.run("rm", "/root/draft.cnf")


# Limits of one address: the text, and who is exempt.

TOO_MANY = {
    25: "421 4.7.0 too many connections from your address\r\n",
    110: "-ERR [SYS/TEMP] too many connections from your address\r\n",
    143: "* BYE [UNAVAILABLE] too many connections from your address\r\n",
    2525: "",
}


def test_one_too_many_reads_why_in_the_words_of_the_protocol(site):
    port = site.run_service(
        MIN_PROCS=1, MAX_CONNS_PER_ADDRESS=1, PROXY_PROTOCOL=1, PROXY_UPSTREAMS="127.0.0.1"
    )

    def come(local_port):
        return proxied(site, port, b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 %d\r\n" % local_port)

    assert come(25).ask("service") == "TEST"
    for local_port, text in TOO_MANY.items():
        assert read_all(come(local_port)) == text


def test_an_entry_that_accepts_exempts_from_the_limit_of_an_address(site):
    site.write_mappings(
        "PORT_ACCESS\n\n  TCP|*|*|127.0.0.7|*  $Y\n  TCP|*|*|127.0.0.8|*  $<noted\n"
    )
    port = site.run_service(MIN_PROCS=1, MAX_CONNS_PER_ADDRESS=1)
    for _ in range(3):
        assert connect_from(site, "127.0.0.7", port).ask("service") == "TEST"
    for source in ["127.0.0.8", "127.0.0.9"]:
        assert connect_from(site, source, port).ask("service") == "TEST"
        assert connect_from(site, source, port).is_closed()
    text = site.control("explain", "127.0.0.7").stdout
    assert "but that limit does not apply to an address named by an entry with $Y" in text, text


def test_an_entry_for_everybody_exempts_nobody(site):
    for pattern in ["*", "TCP|*|*|*|*"]:
        site.write_mappings(f"PORT_ACCESS\n\n  {pattern}  $YEXTERNAL\n")
        port = site.run_service(MIN_PROCS=1, MAX_CONNS_PER_ADDRESS=1)
        with connect_from(site, "127.0.0.7", port) as client:
            assert client.ask("service") == "TEST"
            assert connect_from(site, "127.0.0.7", port).is_closed()
        site.stop()


def test_a_link_local_address_with_its_zone(site_of_systemd):
    site = site_of_systemd
    site.run("ip", "address", "add", "fe80::d15b/128", "dev", "lo", "nodad")
    try:
        port = site.run_service(INTERFACE_ADDRESS="fe80::d15b%lo", MIN_PROCS=1)
        sock = site.open_socket(socket.AF_INET6)
        site.clients.append(sock)
        scope = int(site.run("cat", "/sys/class/net/lo/ifindex").stdout)
        sock.connect(("fe80::d15b", port, 0, scope))
        assert site.talk(sock).ask("service") == "TEST"
        assert site.count_log("unlike dispatcher.cnf") == 0
    finally:
        # The end of the connection still needs the address.
        site.stop()
        site.run("ip", "address", "del", "fe80::d15b/128", "dev", "lo")
