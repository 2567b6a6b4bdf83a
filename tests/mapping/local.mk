# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_LIBRARIES += libtestmapping.a
libtestmapping_a_SOURCES = \
	%D%/reference.c \
	%D%/reference.h \
	%D%/scene.c \
	%D%/scene.h
libtestmapping_a_CPPFLAGS = $(TEST_CPPFLAGS)
libtestmapping_a_CFLAGS = $(TEST_CFLAGS)
LINK_TESTMAPPING = libtestmapping.a $(LINK_MAPPING)

MAPPING_TESTS = \
	tests/mapping/test_doubts \
	tests/mapping/test_form \
	tests/mapping/test_load \
	tests/mapping/test_network_index \
	tests/mapping/test_pattern \
	tests/mapping/test_port_access \
	tests/mapping/test_run
check_PROGRAMS += $(MAPPING_TESTS)
TESTS += $(MAPPING_TESTS)

tests_mapping_test_load_SOURCES = %D%/test_load.c
tests_mapping_test_load_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_load_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_load_LDADD = $(LINK_TESTMAPPING) $(TEST_LIBS)

tests_mapping_test_network_index_SOURCES = %D%/test_network_index.c
tests_mapping_test_network_index_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_network_index_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_network_index_LDADD = $(LINK_TESTMAPPING) $(TEST_LIBS)

tests_mapping_test_pattern_SOURCES = %D%/test_pattern.c
tests_mapping_test_pattern_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_pattern_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_pattern_LDADD = $(LINK_TESTMAPPING) $(TEST_LIBS)

tests_mapping_test_port_access_SOURCES = %D%/test_port_access.c
tests_mapping_test_port_access_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_port_access_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_port_access_LDADD = $(LINK_TESTMAPPING) $(TEST_LIBS)

tests_mapping_test_run_SOURCES = %D%/test_run.c
tests_mapping_test_run_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_run_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_run_LDADD = $(LINK_TESTMAPPING) $(TEST_LIBS)

tests_mapping_test_doubts_SOURCES = %D%/test_doubts.c
tests_mapping_test_doubts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_doubts_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_doubts_LDADD = $(LINK_TESTMAPPING) $(TEST_LIBS)

tests_mapping_test_form_SOURCES = %D%/test_form.c
tests_mapping_test_form_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_form_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_form_LDADD = $(LINK_TESTMAPPING) $(TEST_LIBS)
