# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
STATISTICS_TESTS = \
	tests/statistics/test_alert \
	tests/statistics/test_history \
	tests/statistics/test_hours \
	tests/statistics/test_level \
	tests/statistics/test_statistics
check_PROGRAMS += $(STATISTICS_TESTS)
TESTS += $(STATISTICS_TESTS)

tests_statistics_test_alert_SOURCES = %D%/test_alert.c
tests_statistics_test_alert_CPPFLAGS = $(TEST_CPPFLAGS)
tests_statistics_test_alert_CFLAGS = $(TEST_CFLAGS)
tests_statistics_test_alert_LDADD = libstatistics.a libbase.la $(TEST_LIBS)

tests_statistics_test_history_SOURCES = %D%/test_history.c
tests_statistics_test_history_CPPFLAGS = $(TEST_CPPFLAGS)
tests_statistics_test_history_CFLAGS = $(TEST_CFLAGS)
tests_statistics_test_history_LDADD = libstatistics.a libbase.la $(TEST_LIBS)

tests_statistics_test_hours_SOURCES = %D%/test_hours.c
tests_statistics_test_hours_CPPFLAGS = $(TEST_CPPFLAGS)
tests_statistics_test_hours_CFLAGS = $(TEST_CFLAGS)
tests_statistics_test_hours_LDADD = libstatistics.a libbase.la $(TEST_LIBS)

tests_statistics_test_level_SOURCES = %D%/test_level.c
tests_statistics_test_level_CPPFLAGS = $(TEST_CPPFLAGS)
tests_statistics_test_level_CFLAGS = $(TEST_CFLAGS)
tests_statistics_test_level_LDADD = libstatistics.a libbase.la $(TEST_LIBS)

tests_statistics_test_statistics_SOURCES = %D%/test_statistics.c
tests_statistics_test_statistics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_statistics_test_statistics_CFLAGS = $(TEST_CFLAGS)
tests_statistics_test_statistics_LDADD = libstatistics.a libbase.la $(TEST_LIBS)
