# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/web/test_host \
	tests/web/page/test_html \
	tests/web/test_http_slots \
	tests/web/test_metrics \
	tests/web/page/test_page \
	tests/web/page/test_plot \
	tests/web/page/test_samples
