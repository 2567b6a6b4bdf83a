# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/varlink/test_frames \
	tests/varlink/test_memory \
	tests/varlink/test_message
