# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# For packages that ./bootstrap deb has made, and a fresh root file system: .ci/run has both.
EXTRA_DIST += \
	%D%/life.sh \
	%D%/slow_sessions.py
