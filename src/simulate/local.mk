# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libsimulate.a

libsimulate_a_SOURCES = \
	%D%/course.c \
	%D%/course.h \
	%D%/happenings.c \
	%D%/happenings.h \
	%D%/measure.c \
	%D%/measure.h \
	%D%/memory.c \
	%D%/memory.h \
	%D%/replay.c \
	%D%/replay.h \
	%D%/replay_access.c \
	%D%/replay_clients.c \
	%D%/replay_internal.h \
	%D%/settings.c \
	%D%/settings.h
LINK_SIMULATE = libsimulate.a librecording.a libpool.a libstatistics.a $(LINK_CONFIG) $(LINK_ACCESS)
