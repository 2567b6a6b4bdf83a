# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libaccess.a

libaccess_a_SOURCES = \
	%D%/address_limit.c \
	%D%/address_limit.h \
	%D%/addresses.c \
	%D%/addresses.h \
	%D%/concurrency.c \
	%D%/concurrency.h \
	%D%/decisions.c \
	%D%/decisions.h \
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
	%D%/source.c \
	%D%/source.h \
	%D%/throttle.c \
	%D%/throttle.h \
	%D%/throttle_full.c \
	%D%/throttle_full.h
libaccess_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS)
LINK_ACCESS = libaccess.a $(LINK_LOOP)
