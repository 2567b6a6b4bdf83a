# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The client's side of the control socket, for dispatcherctl and the page.
noinst_LIBRARIES += libcontrolclient.a

libcontrolclient_a_SOURCES = \
	%D%/client.c \
	%D%/client.h \
	%D%/duration.c \
	%D%/duration.h \
	%D%/reply.c \
	%D%/reply.h \
	%D%/tail.c \
	%D%/tail.h
libcontrolclient_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
LINK_CONTROL_CLIENT = libcontrolclient.a $(LINK_VARLINK) libbase.la
