# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/recording/test_record \
	tests/recording/test_recording
