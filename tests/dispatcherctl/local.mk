# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/dispatcherctl/hosts/test_gather \
	tests/dispatcherctl/hosts/test_hosts_count \
	tests/dispatcherctl/hosts/test_merge \
	tests/dispatcherctl/hosts/test_remote \
	tests/dispatcherctl/query/test_query \
	tests/dispatcherctl/query/test_selection \
	tests/dispatcherctl/views/test_table

dist_check_SCRIPTS += %D%/test_dispatcherctl.sh
EXTRA_DIST += \
	%D%/check_schema.py \
	%D%/run_top.py
TESTS += tests/dispatcherctl/test_dispatcherctl.sh
