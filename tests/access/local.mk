# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/access/test_address_limit \
	tests/access/test_concurrency \
	tests/access/test_decisions \
	tests/access/test_ident_client \
	tests/access/test_ident_oidentd \
	tests/access/test_ident_reply \
	tests/access/test_proxy_haproxy \
	tests/access/test_proxy_header \
	tests/access/test_proxy_reader \
	tests/access/test_rejection \
	tests/access/test_source \
	tests/access/test_throttle \
	tests/access/test_throttle_full
