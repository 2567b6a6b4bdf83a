# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/base/test_accept_error \
	tests/base/test_address \
	tests/base/test_call_filter \
	tests/base/test_event_source \
	tests/base/test_fd \
	tests/base/test_host_name \
	tests/base/test_limited_call \
	tests/base/test_log \
	tests/base/test_log_limit \
	tests/base/test_memfd \
	tests/base/test_siphash \
	tests/base/test_socket_question \
	tests/base/test_str \
	tests/base/test_syn_filter \
	tests/base/test_text_file \
	tests/base/test_time \
	tests/base/test_timer \
	tests/base/test_utf8
