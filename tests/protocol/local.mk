# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += \
	tests/protocol/test_channel \
	tests/protocol/test_message \
	tests/protocol/test_ring
TESTS += \
	tests/protocol/test_channel \
	tests/protocol/test_message \
	tests/protocol/test_ring

tests_protocol_test_channel_SOURCES = %D%/test_channel.c
tests_protocol_test_channel_CPPFLAGS = $(TEST_CPPFLAGS)
tests_protocol_test_channel_CFLAGS = $(TEST_CFLAGS)
tests_protocol_test_channel_LDADD = libprotocol.la libbase.la $(TEST_LIBS)

tests_protocol_test_message_SOURCES = %D%/test_message.c
tests_protocol_test_message_CPPFLAGS = $(TEST_CPPFLAGS)
tests_protocol_test_message_CFLAGS = $(TEST_CFLAGS)
tests_protocol_test_message_LDADD = libprotocol.la libbase.la $(TEST_LIBS)

tests_protocol_test_ring_SOURCES = %D%/test_ring.c
tests_protocol_test_ring_CPPFLAGS = $(TEST_CPPFLAGS)
tests_protocol_test_ring_CFLAGS = $(TEST_CFLAGS) -pthread
tests_protocol_test_ring_LDADD = libprotocol.la libbase.la $(TEST_LIBS)
