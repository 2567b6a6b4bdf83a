# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The figures of tests/bench/continuity as a picture."""

import statistics
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 860, 150, 30
BAR, GAP, TOP = 16, 8, 64
PANEL = (WIDTH - LEFT - RIGHT) / 3
ROOM_FOR_TEXT = 84  # beside the longest bar
COLOURS = {"dispatcherd": "#1b7837"}
OTHER = "#8c96a5"

PANELS = (
    ("clients and sessions lost", lambda one: one["refused"] + one["lost"] + one["cut"], "{:.0f}"),
    ("seconds without service", lambda one: one["nobody"], "{:.2f}"),
    ("seconds of two generations", lambda one: one["overlap"], "{:.1f}"),
)


def text(x, y, content, attributes=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {attributes}>{escape(content)}</text>'


def middle(rounds, value):
    """None if the clients waited in vain in a round."""
    values = [value(one) for one in rounds]
    return None if None in values else statistics.median(values)


def bars(figures, names, event, x, y, panel):
    _, value, form = panel
    values = [middle(figures[name, event], value) for name in names]
    most = max([one for one in values if one is not None] + [1e-9])
    for name, one in zip(names, values):
        length = 0 if one is None else one / most * (PANEL - ROOM_FOR_TEXT)
        yield (f'<rect x="{x:.0f}" y="{y:.0f}" width="{max(length, 1):.1f}" height="{BAR}" '
               f'fill="{COLOURS.get(name, OTHER)}"/>')
        yield text(x + max(length, 1) + 5, y + BAR - 4, "not served again" if one is None else form.format(one))
        y += BAR + GAP


def draw(figures, versions, events, about):
    names = list(versions)
    block = len(names) * (BAR + GAP)
    height = TOP + len(events) * (block + 34) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(10, 20, "What clients notice of a restart and of a crash", 'font-size="15"'),
    ]
    for i, (title, _, _) in enumerate(PANELS):
        parts.append(text(LEFT + i * PANEL, 44, title, 'fill="#444"'))
    y = TOP
    for event in events:
        parts.append(text(10, y + 4, event, 'font-weight="bold"'))
        y += 14
        for j, name in enumerate(names):
            parts.append(text(10, y + j * (BAR + GAP) + BAR - 4, f"{name} {versions[name]}"))
        for i, panel in enumerate(PANELS[:3 if event == "restarted" else 2]):
            parts += bars(figures, names, event, LEFT + i * PANEL, y, panel)
        y += block + 20
    parts.append(text(10, height - 10, about, 'font-size="10" fill="#666"'))
    return "\n".join(parts) + "\n</svg>\n"
