# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""How often something is repeated: a few times, or as often as the day is long with SOAK=1."""

import os

import pytest

IS_SOAK = os.environ.get("SOAK", "0") != "0"

soak_only = pytest.mark.skipif(not IS_SOAK, reason="takes long; SOAK=1 runs it")


def times(few, many):
    return many if IS_SOAK else few
