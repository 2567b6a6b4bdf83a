# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/config/test_changes \
	tests/config/test_interface_address \
	tests/config/test_load \
	tests/config/test_option_table \
	tests/config/test_print
