# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/statistics/test_alert \
	tests/statistics/test_history \
	tests/statistics/test_hours \
	tests/statistics/test_level \
	tests/statistics/test_statistics
