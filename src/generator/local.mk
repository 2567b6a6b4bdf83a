# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# What is pure stands in a library of its own: the daemon compares units by it.
noinst_LIBRARIES += libunits.a

libunits_a_SOURCES = \
	%D%/environment.c \
	%D%/environment.h \
	%D%/listening.c \
	%D%/listening.h \
	%D%/unit_merge.c \
	%D%/unit_merge.h \
	%D%/unit_record.c \
	%D%/unit_record.h \
	%D%/unit_text.c \
	%D%/unit_text.h \
	%D%/units.c \
	%D%/units.h \
	%D%/unit_limits.c \
	%D%/unit_limits.h
libunits_a_CPPFLAGS = $(AM_CPPFLAGS) -DSYSTEMD_VERSION=$(SYSTEMD_VERSION)
LINK_UNITS = libunits.a $(LINK_CONFIG)

generatordir = $(systemdsystemgeneratordir)
generator_PROGRAMS = dispatcherd-generator

dispatcherd_generator_SOURCES = \
	%D%/boot_log.c \
	%D%/boot_log.h \
	%D%/main.c \
	%D%/write.c \
	%D%/write.h
dispatcherd_generator_LDADD = $(LINK_UNITS)

# Run by dispatcherd-sockets.service.
worker_PROGRAMS += mend_sockets
mend_sockets_SOURCES = %D%/mend_sockets.c
mend_sockets_LDADD = $(LINK_UNITS)
