# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
sbin_PROGRAMS += dispatcherd-web

# What is pure stands in a library of its own, which the tests link.
noinst_LIBRARIES += libweb.a
libweb_a_SOURCES = \
	%D%/host.c \
	%D%/host.h \
	%D%/http_slots.c \
	%D%/http_slots.h \
	%D%/metrics.c \
	%D%/metrics.h \
	%D%/page/html.c \
	%D%/page/html.h \
	%D%/page/page.c \
	%D%/page/page.h \
	%D%/page/page_lists.c \
	%D%/page/page_parts.c \
	%D%/page/page_service.c \
	%D%/page/plot.c \
	%D%/page/plot.h \
	%D%/page/samples.c \
	%D%/page/samples.h
libweb_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
LINK_WEB = libweb.a $(LINK_CONTROL_CLIENT) -lm

dispatcherd_web_SOURCES = \
	%D%/answers.c \
	%D%/answers.h \
	%D%/assets.c \
	%D%/assets.h \
	%D%/connector.c \
	%D%/connector.h \
	%D%/figures.c \
	%D%/figures.h \
	%D%/http.c \
	%D%/http.h \
	%D%/listen.c \
	%D%/listen.h \
	%D%/main.c
dispatcherd_web_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(MICROHTTPD_CFLAGS)
dispatcherd_web_LDADD = $(LINK_WEB) libprotocol.la $(LINK_LOOP) $(MICROHTTPD_LIBS)
