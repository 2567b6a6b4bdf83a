# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
FILES_TESTS = \
	tests/files/test_places \
	tests/files/test_problem \
	tests/files/test_reader
check_PROGRAMS += $(FILES_TESTS)
TESTS += $(FILES_TESTS)

tests_files_test_places_SOURCES = %D%/test_places.c
tests_files_test_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_files_test_places_CFLAGS = $(TEST_CFLAGS)
tests_files_test_places_LDADD = $(LINK_FILES) $(TEST_LIBS)

tests_files_test_problem_SOURCES = %D%/test_problem.c
tests_files_test_problem_CPPFLAGS = $(TEST_CPPFLAGS)
tests_files_test_problem_CFLAGS = $(TEST_CFLAGS)
tests_files_test_problem_LDADD = $(LINK_FILES) $(TEST_LIBS)

tests_files_test_reader_SOURCES = %D%/test_reader.c
tests_files_test_reader_CPPFLAGS = $(TEST_CPPFLAGS)
tests_files_test_reader_CFLAGS = $(TEST_CFLAGS)
tests_files_test_reader_LDADD = libtestconfig.a $(LINK_MAPPING) $(TEST_LIBS)
