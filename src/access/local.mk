# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libaccess.a

libaccess_a_SOURCES = \
	%D%/address_limit.c \
	%D%/address_limit.h \
	%D%/cares.c \
	%D%/cares.h \
	%D%/concurrency.c \
	%D%/concurrency.h \
	%D%/decisions.c \
	%D%/decisions.h \
	%D%/dns_answer.c \
	%D%/dns_answer.h \
	%D%/dns_cache.c \
	%D%/dns_cache.h \
	%D%/dns_client.c \
	%D%/dns_client.h \
	%D%/dns_health.c \
	%D%/dns_health.h \
	%D%/dns_list.c \
	%D%/dns_list.h \
	%D%/dns_lists.c \
	%D%/dns_lists.h \
	%D%/dns_queries.c \
	%D%/dns_queries.h \
	%D%/dns_zones.c \
	%D%/dns_zones.h \
	%D%/ident_client.c \
	%D%/ident_client.h \
	%D%/ident_reply.c \
	%D%/ident_reply.h \
	%D%/proxy_header.c \
	%D%/proxy_header.h \
	%D%/proxy_reader.c \
	%D%/proxy_reader.h \
	%D%/rejection.c \
	%D%/rejection.h \
	%D%/resolv_conf.c \
	%D%/resolv_conf.h \
	%D%/source.c \
	%D%/source.h \
	%D%/throttle.c \
	%D%/throttle.h
libaccess_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(CARES_CFLAGS)
LINK_ACCESS = libaccess.a $(LINK_LOOP) $(CARES_LIBS) $(RESOLV_LIBS)
