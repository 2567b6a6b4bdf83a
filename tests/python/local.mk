# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
TESTS += tests/python/test_python.sh
dist_check_SCRIPTS += \
	%D%/check_asyncio.py \
	%D%/check_forkserver.py \
	%D%/check_messages.py \
	%D%/check_threads.py \
	%D%/test_python.sh
EXTRA_DIST += %D%/play.py
