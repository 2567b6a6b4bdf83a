# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
VARLINK_TESTS = \
	tests/varlink/test_frames \
	tests/varlink/test_memory \
	tests/varlink/test_message
check_PROGRAMS += $(VARLINK_TESTS)
TESTS += $(VARLINK_TESTS)

tests_varlink_test_frames_SOURCES = %D%/test_frames.c
tests_varlink_test_frames_CPPFLAGS = $(TEST_CPPFLAGS)
tests_varlink_test_frames_CFLAGS = $(TEST_CFLAGS)
tests_varlink_test_frames_LDADD = $(LINK_VARLINK) $(TEST_LIBS)

tests_varlink_test_message_SOURCES = %D%/test_message.c
tests_varlink_test_message_CPPFLAGS = $(TEST_CPPFLAGS)
tests_varlink_test_message_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_varlink_test_message_LDADD = $(LINK_VARLINK) $(TEST_LIBS)

tests_varlink_test_memory_SOURCES = %D%/test_memory.c
tests_varlink_test_memory_CPPFLAGS = $(TEST_CPPFLAGS)
tests_varlink_test_memory_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_varlink_test_memory_LDADD = $(LINK_VARLINK) $(TEST_LIBS)
