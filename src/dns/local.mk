# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libdns.a

libdns_a_SOURCES = \
	%D%/cares.c \
	%D%/cares.h \
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
	%D%/resolv_conf.c \
	%D%/resolv_conf.h
libdns_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(CARES_CFLAGS)
LINK_DNS = libdns.a $(LINK_LOOP) $(CARES_LIBS) $(RESOLV_LIBS)
