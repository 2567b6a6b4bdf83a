#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The system tests against dispatcherd as a service, in a container.
exec "$(dirname "$0")/run" systemd "$@"
