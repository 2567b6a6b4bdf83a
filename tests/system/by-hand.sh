#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The system tests against a dispatcherd that was started by hand.
exec "$(dirname "$0")/run" hand "$@"
