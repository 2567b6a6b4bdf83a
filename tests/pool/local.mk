# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/pool/test_pace \
	tests/pool/test_policy \
	tests/pool/test_policy_life \
	tests/pool/test_policy_properties \
	tests/pool/test_pool \
	tests/pool/test_ranking \
	tests/pool/test_spread
