# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_LIBRARIES += libtesttcp.a
libtesttcp_a_SOURCES = \
	%D%/tcp.c \
	%D%/tcp.h
libtesttcp_a_CPPFLAGS = $(TEST_CPPFLAGS)
libtesttcp_a_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)

ACCESS_TESTS = \
	tests/access/test_address_limit \
	tests/access/test_concurrency \
	tests/access/test_decisions \
	tests/access/test_dns_answer \
	tests/access/test_dns_cache \
	tests/access/test_dns_client \
	tests/access/test_dns_health \
	tests/access/test_dns_list \
	tests/access/test_dns_lists \
	tests/access/test_dns_lists_health \
	tests/access/test_dns_rbldnsd \
	tests/access/test_ident_client \
	tests/access/test_ident_oidentd \
	tests/access/test_ident_reply \
	tests/access/test_proxy_haproxy \
	tests/access/test_proxy_header \
	tests/access/test_proxy_reader \
	tests/access/test_rejection \
	tests/access/test_resolv_conf \
	tests/access/test_throttle
check_PROGRAMS += $(ACCESS_TESTS)
TESTS += $(ACCESS_TESTS)

tests_access_test_concurrency_SOURCES = %D%/test_concurrency.c
tests_access_test_concurrency_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_concurrency_CFLAGS = $(TEST_CFLAGS)
tests_access_test_concurrency_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_decisions_SOURCES = %D%/test_decisions.c
tests_access_test_decisions_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_decisions_CFLAGS = $(TEST_CFLAGS)
tests_access_test_decisions_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_dns_answer_SOURCES = %D%/test_dns_answer.c
tests_access_test_dns_answer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_answer_CFLAGS = $(TEST_CFLAGS)
tests_access_test_dns_answer_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_dns_cache_SOURCES = %D%/test_dns_cache.c
tests_access_test_dns_cache_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_cache_CFLAGS = $(TEST_CFLAGS)
tests_access_test_dns_cache_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_dns_client_SOURCES = %D%/test_dns_client.c
tests_access_test_dns_client_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_client_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_dns_client_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_dns_health_SOURCES = %D%/test_dns_health.c
tests_access_test_dns_health_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_health_CFLAGS = $(TEST_CFLAGS)
tests_access_test_dns_health_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_dns_list_SOURCES = %D%/test_dns_list.c
tests_access_test_dns_list_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_list_CFLAGS = $(TEST_CFLAGS)
tests_access_test_dns_list_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

DNS_SCENE = \
	%D%/dns_scene.c \
	%D%/dns_scene.h \
	%D%/dns_server.c \
	%D%/dns_server.h
DNS_SCENE_LIBS = libtesttcp.a $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_dns_lists_SOURCES = %D%/test_dns_lists.c $(DNS_SCENE)
tests_access_test_dns_lists_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_lists_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_dns_lists_LDADD = $(DNS_SCENE_LIBS)

tests_access_test_dns_lists_health_SOURCES = %D%/test_dns_lists_health.c $(DNS_SCENE)
tests_access_test_dns_lists_health_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_lists_health_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_dns_lists_health_LDADD = $(DNS_SCENE_LIBS)

tests_access_test_dns_rbldnsd_SOURCES = %D%/test_dns_rbldnsd.c
tests_access_test_dns_rbldnsd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_dns_rbldnsd_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_dns_rbldnsd_LDADD = libtesttcp.a $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_ident_client_SOURCES = %D%/test_ident_client.c
tests_access_test_ident_client_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_ident_client_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_ident_client_LDADD = libtesttcp.a $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_ident_oidentd_SOURCES = %D%/test_ident_oidentd.c
tests_access_test_ident_oidentd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_ident_oidentd_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_ident_oidentd_LDADD = libtesttcp.a $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_ident_reply_SOURCES = %D%/test_ident_reply.c
tests_access_test_ident_reply_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_ident_reply_CFLAGS = $(TEST_CFLAGS)
tests_access_test_ident_reply_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_proxy_haproxy_SOURCES = %D%/test_proxy_haproxy.c
tests_access_test_proxy_haproxy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_proxy_haproxy_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_proxy_haproxy_LDADD = libtesttcp.a $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_proxy_header_SOURCES = %D%/test_proxy_header.c %D%/proxy_cases.h
tests_access_test_proxy_header_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_proxy_header_CFLAGS = $(TEST_CFLAGS)
tests_access_test_proxy_header_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_proxy_reader_SOURCES = %D%/test_proxy_reader.c %D%/proxy_cases.h
tests_access_test_proxy_reader_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_proxy_reader_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_proxy_reader_LDADD = libtesttcp.a $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_rejection_SOURCES = %D%/test_rejection.c
tests_access_test_rejection_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_rejection_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_access_test_rejection_LDADD = libtesttcp.a $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_resolv_conf_SOURCES = %D%/test_resolv_conf.c
tests_access_test_resolv_conf_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_resolv_conf_CFLAGS = $(TEST_CFLAGS)
tests_access_test_resolv_conf_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_throttle_SOURCES = %D%/test_throttle.c
tests_access_test_throttle_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_throttle_CFLAGS = $(TEST_CFLAGS)
tests_access_test_throttle_LDADD = $(LINK_ACCESS) $(TEST_LIBS)

tests_access_test_address_limit_SOURCES = %D%/test_address_limit.c
tests_access_test_address_limit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_access_test_address_limit_CFLAGS = $(TEST_CFLAGS)
tests_access_test_address_limit_LDADD = $(LINK_ACCESS) $(TEST_LIBS)
