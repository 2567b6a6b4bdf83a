# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
TESTS += tests/python/test_python.sh
dist_check_SCRIPTS += \
	%D%/check_messages.py \
	%D%/test_python.sh
