# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/protocol/test_channel \
	tests/protocol/test_message \
	tests/protocol/test_ring
