# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/files/test_invisible \
	tests/files/test_networks \
	tests/files/test_number \
	tests/files/test_paths \
	tests/files/test_problem \
	tests/files/test_reader
