# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += \
	tests/dispatcherctl/test_selection \
	tests/dispatcherctl/test_table
dist_check_SCRIPTS += %D%/test_dispatcherctl.sh
EXTRA_DIST += \
	%D%/check_schema.py \
	%D%/run_top.py
TESTS += \
	tests/dispatcherctl/test_selection \
	tests/dispatcherctl/test_table \
	tests/dispatcherctl/test_dispatcherctl.sh

tests_dispatcherctl_test_table_SOURCES = %D%/test_table.c
tests_dispatcherctl_test_table_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherctl_test_table_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_dispatcherctl_test_table_LDADD = $(LINK_CTL) $(TEST_LIBS)

tests_dispatcherctl_test_selection_SOURCES = %D%/test_selection.c
tests_dispatcherctl_test_selection_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherctl_test_selection_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_dispatcherctl_test_selection_LDADD = $(LINK_CTL) $(TEST_LIBS)
