# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
lib_LTLIBRARIES += libdispatcher.la
pkgconfig_DATA += %D%/dispatcher.pc
CLEANFILES += %D%/dispatcher.pc
EXTRA_DIST += \
	%D%/dispatcher.pc.in \
	%D%/libdispatcher.map

dispatcherincludedir = $(includedir)/dispatcher
dispatcherinclude_HEADERS = %D%/include/dispatcher/worker.h

# The library's parts, for itself and for the tests that look inside.
noinst_LTLIBRARIES += libworker.la
libworker_la_SOURCES = \
	%D%/alert.c \
	%D%/alert.h \
	%D%/connection.c \
	%D%/debug.c \
	%D%/debug.h \
	%D%/drain.c \
	%D%/drain.h \
	%D%/event_mode.c \
	%D%/held.c \
	%D%/identity.c \
	%D%/internal.h \
	%D%/log.c \
	%D%/life.c \
	%D%/manager.c \
	%D%/manager.h \
	%D%/news.c \
	%D%/news.h \
	%D%/receive.c \
	%D%/session.c \
	%D%/stress.c \
	%D%/stress.h \
	%D%/tls.c \
	%D%/tls.h \
	%D%/welcome.c \
	%D%/welcome.h \
	%D%/worker.c
libworker_la_CFLAGS = $(AM_CFLAGS) -pthread
libworker_la_LIBADD = libprotocol.la libbase.la

libdispatcher_la_SOURCES =
libdispatcher_la_LIBADD = libworker.la
libdispatcher_la_LDFLAGS = \
	-pthread \
	-version-info $(LIBDISPATCHER_VERSION) \
	-Wl,--version-script=$(srcdir)/%D%/libdispatcher.map
libdispatcher_la_DEPENDENCIES = libworker.la %D%/libdispatcher.map

%D%/dispatcher.pc: %D%/dispatcher.pc.in Makefile
	$(SUBSTITUTE) $< > $@
