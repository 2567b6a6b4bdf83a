# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libvarlink.a

libvarlink_a_SOURCES = \
	%D%/frames.c \
	%D%/frames.h \
	%D%/memory.c \
	%D%/memory.h \
	%D%/message.c \
	%D%/message.h
libvarlink_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
LINK_VARLINK = libvarlink.a $(JANSSON_LIBS)
