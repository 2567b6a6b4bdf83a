# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Every test that asks for `site` runs twice: by hand, and under a systemd of its own.

`site_by_hand` and `site_of_systemd` are for what only one of them has. --way=hand or --way=systemd
chooses one way.
"""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.container import Container  # noqa: E402
from harness.hand import HandSite  # noqa: E402
from harness.systemd import SystemdSite  # noqa: E402

LOG_LINES_MAX = 300  # in a report; the end says most
WAYS = ("hand", "systemd")


def pytest_addoption(parser):
    parser.addoption("--way", choices=WAYS, help="run the tests of this way alone")
    parser.addoption(
        "--container", metavar="FOLDER", help="use that one, which stays, or boot it there"
    )
    parser.addoption("--builddir", default=os.getcwd(), help="where configure and make ran")


def pytest_configure():
    # A terminated run cleans up as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))


def pytest_generate_tests(metafunc):
    chosen = metafunc.config.getoption("--way")
    ways = [way for way in WAYS if chosen in (None, way)]
    if "site" in metafunc.fixturenames:
        metafunc.parametrize("site", ways, indirect=True)


def pytest_collection_modifyitems(config, items):
    """Leaves out what belongs to the other way, and asks for each container once."""
    chosen = config.getoption("--way")
    other = {"hand": "site_of_systemd", "systemd": "site_by_hand"}.get(chosen)
    left_out = [item for item in items if other in item.fixturenames]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def builddir(pytestconfig):
    return pathlib.Path(pytestconfig.getoption("--builddir")).resolve()


@pytest.fixture(scope="session")
def container(pytestconfig, builddir, tmp_path_factory):
    """A booted container with dispatcherd and the test worker installed."""
    srcdir = pathlib.Path(__file__).resolve().parents[2]
    folder = pytestconfig.getoption("--container") or tmp_path_factory.mktemp("systemd") / "root"
    # Each process of pytest-xdist has a container of its own.
    folder = f"{folder}{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    container = Container(folder, srcdir, builddir)
    is_ours = not os.path.exists(folder)
    try:
        if is_ours:
            container.boot()
        container.attach()
        container.install()
        yield container
    finally:
        if is_ours:
            container.stop()


@pytest.fixture
def site_by_hand(request, builddir, tmp_path):
    yield from managed(request, HandSite(builddir, tmp_path))


@pytest.fixture
def site_of_systemd(request, container):
    yield from managed(request, SystemdSite(container))


@pytest.fixture
def site(request):
    name = {"hand": "site_by_hand", "systemd": "site_of_systemd"}[request.param]
    return request.getfixturevalue(name)


def managed(request, site):
    """Hands the site to the test, and keeps its log for a report if anything fails."""
    request.node.site = site
    try:
        yield site
    finally:
        site.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    site = getattr(item, "site", None)
    if report.failed and site:
        try:
            lines = site.log_text().splitlines()
            if len(lines) > LOG_LINES_MAX:
                lines = ["..."] + lines[-LOG_LINES_MAX:]
            report.sections.append((f"log of dispatcherd ({site.way})", "\n".join(lines)))
        except Exception as error:  # the log is a help, not the test
            report.sections.append(("no log of dispatcherd", repr(error)))
