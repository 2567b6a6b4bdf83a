# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += tests/generator/test_units
TESTS += tests/generator/test_units

tests_generator_test_units_SOURCES = %D%/test_units.c
tests_generator_test_units_CPPFLAGS = $(TEST_CPPFLAGS)
tests_generator_test_units_CFLAGS = $(TEST_CFLAGS)
tests_generator_test_units_LDADD = $(LINK_UNITS) $(TEST_LIBS)

check_PROGRAMS += tests/generator/test_listening
TESTS += tests/generator/test_listening

tests_generator_test_listening_SOURCES = %D%/test_listening.c
tests_generator_test_listening_CPPFLAGS = $(TEST_CPPFLAGS)
tests_generator_test_listening_CFLAGS = $(TEST_CFLAGS)
tests_generator_test_listening_LDADD = $(LINK_UNITS) $(TEST_LIBS)
