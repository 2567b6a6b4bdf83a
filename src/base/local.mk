# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LTLIBRARIES += libbase.la

libbase_la_SOURCES = \
	%D%/accept_error.c \
	%D%/accept_error.h \
	%D%/address.c \
	%D%/address.h \
	%D%/call_filter.c \
	%D%/call_filter.h \
	%D%/come_back.c \
	%D%/come_back.h \
	%D%/fd.c \
	%D%/fd.h \
	%D%/host_name.c \
	%D%/host_name.h \
	%D%/limited_call.c \
	%D%/limited_call.h \
	%D%/log.c \
	%D%/log.h \
	%D%/log_limit.c \
	%D%/log_limit.h \
	%D%/macro.h \
	%D%/memfd.c \
	%D%/memfd.h \
	%D%/nearest.c \
	%D%/nearest.h \
	%D%/notify_socket.c \
	%D%/notify_socket.h \
	%D%/rate.c \
	%D%/rate.h \
	%D%/service_name.h \
	%D%/signals.c \
	%D%/signals.h \
	%D%/siphash.c \
	%D%/siphash.h \
	%D%/socket_question.c \
	%D%/socket_question.h \
	%D%/str.c \
	%D%/str.h \
	%D%/syn_filter.c \
	%D%/syn_filter.h \
	%D%/tally.c \
	%D%/tally.h \
	%D%/text_file.c \
	%D%/text_file.h \
	%D%/time.h \
	%D%/utf8.c \
	%D%/utf8.h

# For users of an event loop; not in libbase.la, all of which is in libdispatcher.so.
noinst_LIBRARIES += libloop.a
libloop_a_SOURCES = \
	%D%/event_source.c \
	%D%/event_source.h \
	%D%/timer.c \
	%D%/timer.h
libloop_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS)
LINK_LOOP = libloop.a libbase.la $(LIBSYSTEMD_LIBS)
