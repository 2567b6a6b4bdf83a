# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_LIBRARIES += libsmtptest.a
libsmtptest_a_SOURCES = \
	%D%/smtp_dialogue.c \
	%D%/smtp_dialogue.h \
	%D%/smtp_folder.c \
	%D%/smtp_folder.h
libsmtptest_a_CPPFLAGS = $(TEST_CPPFLAGS)
libsmtptest_a_CFLAGS = $(TEST_CFLAGS) -pthread

COMMON_TESTS = \
	tests/workers/test_parameters \
	tests/workers/test_send_away
check_PROGRAMS += $(COMMON_TESTS)
TESTS += $(COMMON_TESTS)

tests_workers_test_parameters_SOURCES = %D%/test_parameters.c
tests_workers_test_parameters_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_parameters_CFLAGS = $(TEST_CFLAGS)
tests_workers_test_parameters_LDADD = libworkercommon.a libbase.la $(TEST_LIBS)

tests_workers_test_send_away_SOURCES = %D%/test_send_away.c
tests_workers_test_send_away_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_send_away_CFLAGS = $(TEST_CFLAGS)
tests_workers_test_send_away_LDADD = libworkercommon.a libbase.la $(TEST_LIBS)

INETD_TESTS = \
	tests/workers/test_inetd_command \
	tests/workers/test_inetd_launch
check_PROGRAMS += $(INETD_TESTS)
TESTS += $(INETD_TESTS)

tests_workers_test_inetd_command_SOURCES = %D%/test_inetd_command.c
tests_workers_test_inetd_command_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_inetd_command_CFLAGS = $(TEST_CFLAGS)
tests_workers_test_inetd_command_LDADD = libinetd.a libbase.la $(TEST_LIBS)

tests_workers_test_inetd_launch_SOURCES = %D%/test_inetd_launch.c
tests_workers_test_inetd_launch_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_inetd_launch_CFLAGS = $(TEST_CFLAGS)
tests_workers_test_inetd_launch_LDADD = libinetd.a libbase.la $(TEST_LIBS)

SMTP_TESTS = \
	tests/workers/test_smtp_command \
	tests/workers/test_smtp_data \
	tests/workers/test_smtp_line_reader \
	tests/workers/test_smtp_maildir \
	tests/workers/test_smtp_path \
	tests/workers/test_smtp_session \
	tests/workers/test_smtp_settings
check_PROGRAMS += $(SMTP_TESTS)
TESTS += $(SMTP_TESTS)

SMTP_TEST_LIBS = libsmtptest.a libsmtpserver.a libworkercommon.a libbase.la $(TEST_LIBS)

tests_workers_test_smtp_command_SOURCES = %D%/test_smtp_command.c
tests_workers_test_smtp_command_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_smtp_command_CFLAGS = $(TEST_CFLAGS) -pthread
tests_workers_test_smtp_command_LDADD = $(SMTP_TEST_LIBS)

tests_workers_test_smtp_data_SOURCES = %D%/test_smtp_data.c
tests_workers_test_smtp_data_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_smtp_data_CFLAGS = $(TEST_CFLAGS) -pthread
tests_workers_test_smtp_data_LDADD = $(SMTP_TEST_LIBS)

tests_workers_test_smtp_line_reader_SOURCES = %D%/test_smtp_line_reader.c
tests_workers_test_smtp_line_reader_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_smtp_line_reader_CFLAGS = $(TEST_CFLAGS) -pthread
tests_workers_test_smtp_line_reader_LDADD = $(SMTP_TEST_LIBS)

tests_workers_test_smtp_maildir_SOURCES = %D%/test_smtp_maildir.c
tests_workers_test_smtp_maildir_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_smtp_maildir_CFLAGS = $(TEST_CFLAGS) -pthread
tests_workers_test_smtp_maildir_LDADD = $(SMTP_TEST_LIBS)

tests_workers_test_smtp_path_SOURCES = %D%/test_smtp_path.c
tests_workers_test_smtp_path_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_smtp_path_CFLAGS = $(TEST_CFLAGS) -pthread
tests_workers_test_smtp_path_LDADD = $(SMTP_TEST_LIBS)

tests_workers_test_smtp_session_SOURCES = %D%/test_smtp_session.c
tests_workers_test_smtp_session_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_smtp_session_CFLAGS = $(TEST_CFLAGS) -pthread
tests_workers_test_smtp_session_LDADD = $(SMTP_TEST_LIBS)

tests_workers_test_smtp_settings_SOURCES = %D%/test_smtp_settings.c
tests_workers_test_smtp_settings_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_smtp_settings_CFLAGS = $(TEST_CFLAGS) -pthread
tests_workers_test_smtp_settings_LDADD = $(SMTP_TEST_LIBS)

PROXY_TESTS = \
	tests/workers/test_proxy_backends \
	tests/workers/test_proxy_header \
	tests/workers/test_proxy_way
check_PROGRAMS += $(PROXY_TESTS)
TESTS += $(PROXY_TESTS)

tests_workers_test_proxy_backends_SOURCES = %D%/test_proxy_backends.c
tests_workers_test_proxy_backends_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_proxy_backends_CFLAGS = $(TEST_CFLAGS)
tests_workers_test_proxy_backends_LDADD = libproxy.a libworkercommon.a libbase.la $(TEST_LIBS)

tests_workers_test_proxy_header_SOURCES = %D%/test_proxy_header.c
tests_workers_test_proxy_header_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_proxy_header_CFLAGS = $(TEST_CFLAGS)
tests_workers_test_proxy_header_LDADD = libproxy.a libworkercommon.a libbase.la $(TEST_LIBS)

tests_workers_test_proxy_way_SOURCES = %D%/test_proxy_way.c
tests_workers_test_proxy_way_CPPFLAGS = $(TEST_CPPFLAGS)
tests_workers_test_proxy_way_CFLAGS = $(TEST_CFLAGS)
tests_workers_test_proxy_way_LDADD = libproxy.a libworkercommon.a libbase.la $(TEST_LIBS)
