# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What the system tests are written with: one interface to a running dispatcherd, two ways to it."""
