# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Every test that asks for `site` runs twice: by hand, and under a systemd of its own.

`site_by_hand` and `site_of_systemd` are for what only one of them has. --way=hand or --way=systemd
chooses one way. A module that is marked `one_way` is about decisions, to which it is the same who
started dispatcherd: its tests run by hand alone, unless EVERY_WAY=1 is in the environment.
"""

import glob
import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.container import container_in  # noqa: E402
from harness.exim import EXIM_ARCHIVES, install_exim  # noqa: E402
from harness.hand import HandSite  # noqa: E402
from harness.systemd import SystemdSite  # noqa: E402

LOG_LINES_MAX = 300  # in a report; the end says most
WAYS = ("hand", "systemd")
SRCDIR = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--way", choices=WAYS, help="run the tests of this way alone")
    parser.addoption(
        "--container", metavar="FOLDER", help="use that one, which stays, or boot it there"
    )
    parser.addoption("--builddir", default=os.getcwd(), help="where configure and make ran")


def pytest_configure(config):
    config.addinivalue_line("markers", "one_way: what is tested is the same in both ways")
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
    left_out = [item for item in items if other in item.fixturenames or is_tried_by_hand(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def is_tried_by_hand(item):
    """Whether this is the second way of a test that needs one."""
    way = item.callspec.params.get("site") if hasattr(item, "callspec") else None
    marked = item.get_closest_marker("one_way") is not None
    return marked and way == "systemd" and os.environ.get("EVERY_WAY") != "1"


@pytest.fixture(scope="session")
def builddir(pytestconfig):
    return pathlib.Path(pytestconfig.getoption("--builddir")).resolve()


def container_folder(pytestconfig, tmp_path_factory, suffix=""):
    folder = pytestconfig.getoption("--container") or tmp_path_factory.mktemp("systemd") / "root"
    # Each process of pytest-xdist has containers of its own.
    return f"{folder}{suffix}{os.environ.get('PYTEST_XDIST_WORKER', '')}"


@pytest.fixture(scope="module")
def exim_container(pytestconfig, builddir, tmp_path_factory):
    """A container with Exim in the place of Postfix. A module's own `container` may be this one."""
    if not glob.glob(f"{EXIM_ARCHIVES}/exim4-daemon-light_*.deb"):
        pytest.skip(f"Exim's packages are not in {EXIM_ARCHIVES}; ./bootstrap check fetches them")
    folder = container_folder(pytestconfig, tmp_path_factory, "-exim")
    with container_in(folder, SRCDIR, builddir) as booted:
        install_exim(booted, EXIM_ARCHIVES)
        yield booted


@pytest.fixture(scope="session")
def container(pytestconfig, builddir, tmp_path_factory):
    """A booted container with dispatcherd and the test worker installed."""
    with container_in(container_folder(pytestconfig, tmp_path_factory), SRCDIR, builddir) as booted:
        yield booted


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
