# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/dns/test_dns_answer \
	tests/dns/test_dns_cache \
	tests/dns/test_dns_client \
	tests/dns/test_dns_health \
	tests/dns/test_dns_list \
	tests/dns/test_dns_lists \
	tests/dns/test_dns_lists_health \
	tests/dns/test_dns_rbldnsd \
	tests/dns/test_resolv_conf
