# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/generator/test_listening \
	tests/generator/test_unit_merge \
	tests/generator/test_units
