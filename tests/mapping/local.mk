# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/mapping/test_doubts \
	tests/mapping/test_form \
	tests/mapping/test_load \
	tests/mapping/test_network_index \
	tests/mapping/test_pattern \
	tests/mapping/test_port_access \
	tests/mapping/test_run
