# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The units: what systemd itself thinks of them, and what the generator writes."""

import json
import os
import re
import subprocess

import pytest
from harness.web import web_of

# systemd-analyze security: 0 is a locked box, 10 a root shell.
MAX_EXPOSURE = {
    "dispatcherd.service": 1.3,
    "dispatcherd-test-worker@*": 0.2,
    "dispatcherd-web.service": 0.4,
}


def test_systemd_analyze_finds_no_fault(site_of_systemd):
    site = site_of_systemd
    site.run_service(TLS_PORT=site.free_port())
    units = [
        "dispatcherd.service",
        "dispatcherd.slice",
        "dispatcherd-test.socket",
        "dispatcherd-test-tls.socket",
        "dispatcherd-test-worker.socket",
        "dispatcherd-test-worker@1.service",
        "dispatcherd-web.socket",
        "dispatcherd-web.service",
        "dispatcherd-kill.socket",
        "dispatcherd-kill@1.service",
    ]
    result = site.run("systemd-analyze", "verify", "--generators=yes", *units, check=False)
    complaints = [line for line in result.stderr.splitlines() if "dispatcher" in line]
    assert not complaints and result.returncode == 0, result.stderr


@pytest.mark.parametrize("unit", MAX_EXPOSURE)
def test_exposure_is_low(site_of_systemd, unit):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    web_of(site).text("/")
    (name,) = site.systemctl("list-units", "--plain", "--no-legend", unit).stdout.split()[:1]
    text = site.run("systemd-analyze", "security", "--no-pager", name).stdout
    exposure = float(re.search(r"exposure level for .*: ([\d.]+)", text).group(1))
    assert exposure <= MAX_EXPOSURE[unit], text


def test_nobody_has_a_privilege(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    web_of(site).text("/")
    (worker,) = site.worker_pids("TEST")
    pids = (site.daemon_pid(), worker, int(site.show("MainPID", "dispatcherd-web.service")))
    for pid in pids:
        status = site.run("cat", f"/proc/{pid}/status").stdout
        assert re.search(r"^CapPrm:\s+0+$", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
        assert not re.search(r"^Uid:\s+0\b", status, re.MULTILINE)
    owners = {site.run("stat", "-c", "%u", f"/proc/{pid}").stdout for pid in pids}
    assert len(owners) == 3, "a worker, or the page, runs as somebody else's user"


def test_the_page_is_for_this_host_alone_and_has_no_network(site_of_systemd):
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    web_of(site).text("/")
    listening = site.run("ss", "-Htln", "sport = :7633").stdout.split()
    assert sorted(word for word in listening if word.endswith(":7633")) == ["127.0.0.1:7633", "[::1]:7633"]
    pid = site.show("MainPID", "dispatcherd-web.service")
    devices = site.run("nsenter", "-t", pid, "-n", "ip", "-o", "link").stdout
    assert [line.split(":")[1].strip() for line in devices.splitlines()] == ["lo"]


def test_a_worker_has_no_network_but_its_connections(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    pid = site.connect(port).pid()
    devices = site.run("nsenter", "-t", str(pid), "-n", "ip", "-o", "link").stdout
    assert [line.split(":")[1].strip() for line in devices.splitlines()] == ["lo"]


def test_a_worker_sees_no_socket_but_those_it_needs(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    pid = site.connect(port).pid()
    found = site.run("nsenter", "-t", str(pid), "-m", "find", "/run", "!", "-type", "d").stdout
    needed = ["/run/systemd/journal/dev-log", "/run/systemd/journal/socket", "/run/systemd/notify"]
    assert sorted(found.split()) == needed


def test_a_worker_cannot_read_the_configuration(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(MIN_PROCS=1)
    pid = site.connect(port).pid()
    assert site.run("ls", os.path.dirname(site.config)).stdout
    seen = site.run("nsenter", "-t", str(pid), "-m", "ls", "-A", os.path.dirname(site.config)).stdout
    assert seen == ""


def test_a_drop_in_shows_a_folder_to_workers(site_of_systemd):
    """As for a PARAMETER that names a file."""
    site = site_of_systemd
    folder = f"{os.path.dirname(site.config)}/test"
    site.write_file(f"{folder}/file", "text")
    text = f"[Service]\nBindReadOnlyPaths={folder}\n"
    site.write_drop_in("dispatcherd-test-worker@.service", text)
    port = site.run_service(MIN_PROCS=1)
    pid = site.connect(port).pid()
    assert site.run("nsenter", "-t", str(pid), "-m", "cat", f"{folder}/file").stdout == "text"
    assert site.run("nsenter", "-t", str(pid), "-m", "ls", os.path.dirname(folder)).stdout == "test\n"


def test_a_worker_is_bounded_and_a_drop_in_changes_that(site_of_systemd):
    site = site_of_systemd
    site.write_drop_in("dispatcherd-test-worker@.service", "[Service]\nTasksMax=77\n")
    site.run_service(MIN_PROCS=1, MAX_CONNS=50, STACKSIZE=2048000)
    units = site.systemctl("list-units", "--plain", "--no-legend", "dispatcherd-test-worker@*")
    (unit,) = units.stdout.split()[:1]
    sessions = 51
    assert int(site.show("MemoryMax", unit)) == (256 << 20) + sessions * (2048000 + (4 << 20))
    assert site.show("TasksMax", unit) == "77"
    assert int(site.show("CPUWeight")) > int(site.show("CPUWeight", unit))
    assert int(site.show("OOMScoreAdjust")) < 0


def test_a_broken_configuration_gives_what_is_usable_and_says_the_rest(site_of_systemd):
    site = site_of_systemd
    port = site.free_port()
    site.write_config(
        site.service("GOOD", PORT=port) + site.service("BAD", PORT="x") + "[nonsense]\n"
    )
    site.systemctl("daemon-reload")
    site.wait_for_log(rf"dispatcherd-generator.*{re.escape(site.config)}:5: error: ")
    site.systemctl("start", "dispatcherd-good.socket")
    assert site.systemctl("cat", "dispatcherd-bad.socket", check=False).returncode != 0


def test_without_a_configuration_there_are_no_units_and_no_error(site_of_systemd):
    site = site_of_systemd
    site.write_config("")
    os.unlink(site.container.path(site.config))
    site.systemctl("daemon-reload")
    assert "dispatcherd-generator" not in site.systemctl("list-unit-files", "dispatcherd*").stdout
    site.wait_for_log("dispatcherd-generator.*: .*dispatcher.cnf does not exist, writing no units")


def test_an_image_with_unusual_characters_is_what_is_started(site_of_systemd):
    site = site_of_systemd
    image = "/usr/local/lib/a worker $HOME 100%/test;worker"
    site.run("mkdir", "-p", os.path.dirname(image))
    site.run("cp", site.image_for("TEST"), image)
    port = site.run_service(IMAGE=image)
    assert site.connect(port).ask("service") == "TEST"


def test_a_changed_configuration_is_noticed_by_systemctl(site_of_systemd):
    site = site_of_systemd
    site.run_service()
    assert site.show("NeedDaemonReload", "dispatcherd-test.socket") == "no"
    site.run("touch", "-d", "+1 minute", site.config)
    assert site.show("NeedDaemonReload", "dispatcherd-test.socket") == "yes"


def test_the_backlog_of_the_configuration_is_the_sockets(site_of_systemd):
    site = site_of_systemd
    port = site.run_service(BACKLOG=321)
    line = site.run("ss", "-Hltn", f"sport = :{port}", "src", "0.0.0.0").stdout
    assert line.split()[2] == "321"


def systemd_version(site):
    return int(re.match(r"systemd (\d+)", site.run("systemctl", "--version").stdout).group(1))


def test_what_newer_versions_of_systemd_have_is_used(site_of_systemd):
    """What an older one says about the units is tested above: nothing."""
    site = site_of_systemd
    site.run_service(MIN_PROCS=1)
    version = systemd_version(site)
    limit = site.show("PollLimitIntervalUSec", "dispatcherd-test-worker.socket")
    assert limit == ("0" if version >= 255 else "")
    for unit in ("dispatcherd.service", "dispatcherd-web.service"):
        assert site.show("PrivateTmpEx", unit) == ("disconnected" if version >= 257 else "")
    if version >= 254:
        assert site.show("FileDescriptorStorePreserve") == "restart"


def test_varlinkctl_asks_the_daemon(site_of_systemd):
    site = site_of_systemd
    if systemd_version(site) < 257:
        pytest.skip("varlinkctl is not there, or does not know our types, before systemd 257")
    site.run_service(MIN_PROCS=1)
    path = "/run/dispatcherd/control"
    site.run("varlinkctl", "validate-idl", stdin=description(site, path))
    reply = site.run("varlinkctl", "--json=short", "call", path, "io.dispatcherd.Control.Status", "{}")
    assert json.loads(reply.stdout)["services"][0]["name"] == "TEST"


def description(site, path):
    return site.run("varlinkctl", "introspect", path, "io.dispatcherd.Control").stdout


def generate(builddir, config, folder):
    """Runs the generator by hand. Returns what it says, and the files it has made."""
    folder.mkdir()
    result = subprocess.run(
        [f"{builddir}/dispatcherd-generator", "--config", config, folder, folder, folder],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0
    return result.stderr, {str(path.relative_to(folder)) for path in folder.rglob("*.*")}


def test_the_generator_by_hand_shows_what_systemd_would_get(site_by_hand, builddir, tmp_path):
    site = site_by_hand
    site.write_config(site.service("TEST", PORT=25) + "[oops]\n")
    said, files = generate(builddir, site.config, tmp_path / "units")
    assert f"{site.config}:4: error:" in said
    assert "dispatcherd-test.socket" in files
    assert "dispatcherd.service.d/50-sockets.conf" in files


def test_the_generator_does_not_break_the_boot(site_by_hand, builddir, tmp_path):
    said, files = generate(builddir, tmp_path / "missing", tmp_path / "units")
    assert not files
    said, files = generate(builddir, tmp_path, tmp_path / "units2")
    assert "error" in said
    assert not files
