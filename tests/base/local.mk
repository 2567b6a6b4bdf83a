# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += \
	tests/base/test_accept_error \
	tests/base/test_address \
	tests/base/test_call_filter \
	tests/base/test_event_source \
	tests/base/test_fd \
	tests/base/test_host_name \
	tests/base/test_limited_call \
	tests/base/test_log \
	tests/base/test_log_limit \
	tests/base/test_invisible \
	tests/base/test_memfd \
	tests/base/test_networks \
	tests/base/test_siphash \
	tests/base/test_str \
	tests/base/test_text_file \
	tests/base/test_timer \
	tests/base/test_utf8
TESTS += \
	tests/base/test_accept_error \
	tests/base/test_address \
	tests/base/test_call_filter \
	tests/base/test_event_source \
	tests/base/test_fd \
	tests/base/test_host_name \
	tests/base/test_limited_call \
	tests/base/test_log \
	tests/base/test_log_limit \
	tests/base/test_invisible \
	tests/base/test_memfd \
	tests/base/test_networks \
	tests/base/test_siphash \
	tests/base/test_str \
	tests/base/test_text_file \
	tests/base/test_timer \
	tests/base/test_utf8

tests_base_test_accept_error_SOURCES = %D%/test_accept_error.c
tests_base_test_accept_error_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_accept_error_CFLAGS = $(TEST_CFLAGS)
tests_base_test_accept_error_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_address_SOURCES = %D%/test_address.c
tests_base_test_address_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_address_CFLAGS = $(TEST_CFLAGS)
tests_base_test_address_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_memfd_SOURCES = %D%/test_memfd.c
tests_base_test_memfd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_memfd_CFLAGS = $(TEST_CFLAGS)
tests_base_test_memfd_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_networks_SOURCES = %D%/test_networks.c
tests_base_test_networks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_networks_CFLAGS = $(TEST_CFLAGS)
tests_base_test_networks_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_siphash_SOURCES = %D%/test_siphash.c
tests_base_test_siphash_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_siphash_CFLAGS = $(TEST_CFLAGS)
tests_base_test_siphash_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_str_SOURCES = %D%/test_str.c
tests_base_test_str_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_str_CFLAGS = $(TEST_CFLAGS)
tests_base_test_str_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_invisible_SOURCES = %D%/test_invisible.c
tests_base_test_invisible_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_invisible_CFLAGS = $(TEST_CFLAGS)
tests_base_test_invisible_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_text_file_SOURCES = %D%/test_text_file.c
tests_base_test_text_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_text_file_CFLAGS = $(TEST_CFLAGS)
tests_base_test_text_file_LDADD = libbase.la $(TEST_LIBS)
tests_base_test_fd_SOURCES = %D%/test_fd.c
tests_base_test_fd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_fd_CFLAGS = $(TEST_CFLAGS)
tests_base_test_fd_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_host_name_SOURCES = %D%/test_host_name.c
tests_base_test_host_name_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_host_name_CFLAGS = $(TEST_CFLAGS)
tests_base_test_host_name_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_limited_call_SOURCES = %D%/test_limited_call.c
tests_base_test_limited_call_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_limited_call_CFLAGS = $(TEST_CFLAGS)
tests_base_test_limited_call_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_log_SOURCES = %D%/test_log.c
tests_base_test_log_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_log_CFLAGS = $(TEST_CFLAGS)
tests_base_test_log_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_log_limit_SOURCES = %D%/test_log_limit.c
tests_base_test_log_limit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_log_limit_CFLAGS = $(TEST_CFLAGS)
tests_base_test_log_limit_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_call_filter_SOURCES = %D%/test_call_filter.c
tests_base_test_call_filter_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_call_filter_CFLAGS = $(TEST_CFLAGS)
tests_base_test_call_filter_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_utf8_SOURCES = %D%/test_utf8.c
tests_base_test_utf8_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_utf8_CFLAGS = $(TEST_CFLAGS)
tests_base_test_utf8_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_timer_SOURCES = %D%/test_timer.c
tests_base_test_timer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_timer_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_base_test_timer_LDADD = $(LINK_LOOP) $(TEST_LIBS)

tests_base_test_event_source_SOURCES = %D%/test_event_source.c
tests_base_test_event_source_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_event_source_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_base_test_event_source_LDADD = $(LINK_LOOP) $(TEST_LIBS)
