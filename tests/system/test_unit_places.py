"""Workers that do not go: a place is free when all of its unit is gone, and that is seen to."""

import pathlib
import time

from harness.wait import wait_until

PROGRAM = pathlib.Path(__file__).with_name("bad_worker.py")


def n_units(site, service):
    """Units of workers that are there, in whatever state."""
    pattern = f"dispatcherd-{service}-worker@*.service"
    states = "--state=active,activating,deactivating,reloading"
    text = site.systemctl("list-units", "--no-legend", "--plain", states, pattern).stdout
    return len(text.splitlines())


def test_units_whose_greeter_has_gone_still_count(site_of_systemd):
    site = site_of_systemd
    site.write_config(
        site.service(
            "FORK",
            PORT=site.free_port(),
            IMAGE=site.program_for("FORK", PROGRAM),
            MIN_PROCS=1,
            MAX_PROCS=2,
        )
    )
    site.start()
    most = 0
    end = time.monotonic() + 20
    while time.monotonic() < end:
        most = max(most, n_units(site, "fork"))
        assert most <= 2, "more units than MAX_PROCS"
        time.sleep(0.1)
    assert most == 2
    # They are ended, and then others may be started.
    site.wait_for_log("FORK: worker .* is gone, but its unit is still there")
    site.wait_for_log("dispatcherd-fork-worker@0-.*: Main process exited, code=killed", 30)


def test_a_worker_that_does_not_go_is_ended_and_succeeded(site):
    port = site.free_port()
    site.write_config(
        site.service(
            "BAD",
            PORT=port,
            IMAGE=site.program_for("BAD", PROGRAM),
            MIN_PROCS=1,
            MAX_PROCS=1,
            PARAMETER="MODE=stubborn",
        )
    )
    site.start()
    wait_until(lambda: site.services()["BAD"]["n_ready"] == 1, 20, "it is ready")
    (stubborn,) = site.workers("BAD")
    site.control("restart", "BAD")
    wait_until(lambda: site.workers("BAD").get(stubborn, {}).get("state") == "draining", 20)
    site.wait_for_log(f"BAD: worker {stubborn} drains, has no session left, and does not end", 60)
    wait_until(lambda: stubborn not in site.worker_pids("BAD"), 20, "it is killed")
    wait_until(lambda: site.services()["BAD"]["n_ready"] == 1, 20, "a successor")
