# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/workers/test_inetd_command \
	tests/workers/test_inetd_launch \
	tests/workers/test_inetd_tunnel \
	tests/workers/test_line_limit \
	tests/workers/test_parameters \
	tests/workers/test_pass_handover \
	tests/workers/test_pass_target \
	tests/workers/test_proxy_backends \
	tests/workers/test_proxy_header \
	tests/workers/test_send_away \
	tests/workers/test_smtp_command \
	tests/workers/test_smtp_data \
	tests/workers/test_smtp_line_reader \
	tests/workers/test_smtp_maildir \
	tests/workers/test_smtp_path \
	tests/workers/test_smtp_session \
	tests/workers/test_smtp_settings \
	tests/workers/test_smtp_starttls \
	tests/workers/test_tls_session \
	tests/workers/test_way

# The examples of dispatcher-pass(8): programs that are given connections.
check_PROGRAMS += tests/workers/byte_server
check_DATA += %D%/byte_server.py
CLEANFILES += %D%/byte_server.c %D%/byte_server.py
nodist_tests_workers_byte_server_SOURCES = %D%/byte_server.c
tests_workers_byte_server_CPPFLAGS =
tests_workers_byte_server_LDADD =
%D%/byte_server.c: man/dispatcher-pass.8 tests/libdispatcher/extract_example
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(srcdir)/tests/libdispatcher/extract_example $(srcdir)/man/dispatcher-pass.8 > $@
%D%/byte_server.py: man/dispatcher-pass.8 tests/libdispatcher/extract_example
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(srcdir)/tests/libdispatcher/extract_example $(srcdir)/man/dispatcher-pass.8 example.py > $@
