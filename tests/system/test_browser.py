# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The page in a real browser."""

import pytest
from harness.browser import Browser, find_browser
from harness.site import LIMIT
from harness.wait import wait_until
from harness.web import Web

DESKTOP, PHONE = (1280, 900), (390, 844)
ACTIVE = """Array.from(document.querySelectorAll('.gauge'))
    .find(item => item.querySelector('span').textContent == 'Active')
    .querySelector('b').textContent"""
# Of text and of what is behind it, as WCAG defines it: 4.5 is enough for everybody.
CONTRAST = """(() => {
    const light = color => {
        const [r, g, b] = color.match(/[0-9.]+/g).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = item => {
        const color = getComputedStyle(item).backgroundColor;
        return color == 'rgba(0, 0, 0, 0)' ? behind(item.parentElement) : color;
    };
    const of = item => {
        const [a, b] = [light(getComputedStyle(item).color), light(behind(item))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    };
    const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
    let least = 21;
    while (walker.nextNode())
        if (walker.currentNode.data.trim())
            least = Math.min(least, of(walker.currentNode.parentElement));
    return least;
})()"""


@pytest.fixture(scope="module")
def browser():
    program = find_browser()
    if not program:
        pytest.skip("no browser was found; on Debian: apt-get install chromium")
    browser = Browser(program)
    yield browser
    browser.close()


@pytest.fixture
def scene(site_by_hand):
    """A service with a long name that is full, one whose worker cannot be started."""
    site = site_by_hand
    port = site.free_port()
    long_name = "A-SERVICE-WHOSE-NAME-IS-LONG-123"
    site.write_config(
        site.service(long_name, PORT=port, MAX_PROCS=1, MAX_CONNS=3, MAX_LIFE_CONNS=0)
        + site.service("HOPELESS", PORT=site.free_port(), PARAMETER="FAIL=1")
    )
    site.start()
    site.connect_served(port, 2)
    web = Web(site)
    site.add_helper(web)
    site.port, site.url = port, f"http://127.0.0.1:{web.port}/"
    return site


def is_as_wide_as_the_screen(browser):
    return browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", (DESKTOP, PHONE), ids=("desktop", "phone"))
@pytest.mark.parametrize("is_dark", (False, True), ids=("light", "dark"))
def test_fits_and_can_be_read(scene, browser, size, is_dark):
    scene.connect_served(scene.port)
    browser.look_as(*size, is_dark)
    browser.open(scene.url)
    assert is_as_wide_as_the_screen(browser)
    assert browser.evaluate(CONTRAST) >= 4.5
    assert browser.complaints() == []


def test_figures_follow_and_what_was_closed_stays_closed(scene, browser):
    browser.look_as(*DESKTOP)
    browser.open(scene.url)
    assert browser.evaluate(ACTIVE) == "2/3"
    browser.evaluate("document.querySelector('details').open = false")
    scene.connect_served(scene.port)
    wait_until(lambda: browser.evaluate(ACTIVE) == "3/3", LIMIT, "the page follows", 0.2)
    assert browser.evaluate("document.querySelector('details').open") is False
    assert browser.complaints() == []


def test_needs_no_scripts(scene, browser):
    browser.look_as(*PHONE, has_scripts=False)
    browser.open(scene.url)
    assert browser.evaluate(ACTIVE) == "2/3"
    assert is_as_wide_as_the_screen(browser)
