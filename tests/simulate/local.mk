# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/simulate/test_course \
	tests/simulate/test_happenings \
	tests/simulate/test_memory \
	tests/simulate/test_replay \
	tests/simulate/test_settings
