# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A worker that cannot be started: the cause is named wherever one looks, and a mend is tried."""

import os
import re

from harness.wait import wait_until

FAILED = "TEST: cannot start a worker: "


def without_numbers(text):
    """Each try has another process."""
    return re.sub(r"\d+", "N", text)


def told(site):
    """Why no worker can be started, by every way that there is."""
    service = site.services()["TEST"]
    assert service["accept"] == "no worker can be started"
    reason = without_numbers(service["start_error"])
    for verb in ("status", "services"):
        text = without_numbers(site.control(verb).stdout)
        assert f"TEST cannot start a worker: {reason}" in text
    assert "no worker can be started" in site.control("status").stdout
    return reason


def write_program(site, name, text):
    """A script as an IMAGE, where workers may execute it."""
    if site.way == "systemd":
        path = f"{site.container.workerdir}/{name}"
        site.write_file(path, text)
        site.run("chmod", "755", path)
        return path
    path = os.path.join(site.images, name)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def run_broken(site, text, name="broken"):
    image = write_program(site, name, text)
    site.run_service(MIN_PROCS=1, IMAGE=image)
    return site.wait_for_log(FAILED + ".*").group(0)


def test_a_missing_interpreter_is_named(site):
    line = run_broken(site, "#!/no/such/interpreter\n")
    if site.way == "hand":
        assert "the interpreter that it names" in line
    else:
        assert "203/EXEC" in line and "its interpreter, is missing" in line
    assert "process 0" not in line
    assert told(site) in without_numbers(line)


def test_a_status_is_named_with_the_last_lines(site):
    line = run_broken(site, "#!/bin/sh\necho 'no licence was found' >&2\nexit 127\n")
    assert "exited with status 127" in line
    assert "process 0" not in line
    if site.way == "systemd":
        assert "no licence was found" in line
    assert "exited with status N" in told(site)


def test_a_signal_is_named(site):
    line = run_broken(site, "#!/bin/sh\nkill -SEGV $$\n")
    assert "died of signal" in line and ("SEGV" in line or "Segmentation fault" in line)
    assert "process 0" not in line


def test_a_good_status_before_the_start_is_no_success(site):
    line = run_broken(site, "#!/bin/sh\nexit 0\n")
    assert "exited with status 0 before it was ready" in line or "READY=1" in line


def test_a_limit_of_the_unit_is_named_and_a_reload_tries_again(site_of_systemd):
    site = site_of_systemd
    unit = "dispatcherd-test-worker@.service"
    site.write_drop_in(unit, "[Service]\nLimitAS=2M\n")
    port = site.run_service(MIN_PROCS=1)
    line = site.wait_for_log(FAILED + ".*").group(0)
    # How far it comes within so little memory depends on the release: the loader, the program, or
    # systemd's own step before that.
    assert re.search("status (127|203|228)|signal", line), line
    assert "its last lines: " in line
    told(site)
    # Some tries later the next one would be long in coming.
    wait_until(lambda: site.statistics("TEST")["n_failed_starts"] >= 5, 60, "a fifth try")
    site.write_file(f"/run/systemd/system/{unit}.d/test.conf", "[Service]\n")
    site.systemctl("daemon-reload")
    site.reload()
    wait_until(lambda: site.services()["TEST"]["n_ready"] == 1, 14, "a try without delay")
    assert site.services()["TEST"]["accept"] == "accepting"
    assert site.connect(port).ask("service") == "TEST"


def test_a_reload_tries_again_by_hand(site_by_hand):
    site = site_by_hand
    image = write_program(site, "test", "#!/bin/sh\nexit 1\n")
    port = site.run_service(MIN_PROCS=1, IMAGE=image)
    wait_until(lambda: site.statistics("TEST")["n_failed_starts"] >= 4, 30, "a fourth try")
    os.unlink(image)
    os.symlink(f"{site.builddir}/tests/system/test_worker", image)
    site.reload()
    wait_until(lambda: site.services()["TEST"]["n_ready"] == 1, 6, "a try without delay")
    assert site.connect(port).ask("service") == "TEST"


def test_an_orderly_end_is_no_failed_start(site):
    site.run_service(MIN_PROCS=1, DEBUG=-1)
    (worker,) = site.workers("TEST")
    site.kill(worker, "TERM")  # younger than five seconds, and of no use yet
    wait_until(lambda: set(site.workers("TEST")) - {worker}, 20, "a successor")
    assert site.count_log("cannot start a worker") == 0
    assert site.statistics("TEST")["n_failed_starts"] == 0
    site.stop()
    assert site.count_log("cannot start a worker") == 0
