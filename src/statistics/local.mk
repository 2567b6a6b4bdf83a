# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libstatistics.a

libstatistics_a_SOURCES = \
	%D%/alert.c \
	%D%/alert.h \
	%D%/history.c \
	%D%/history.h \
	%D%/hours.c \
	%D%/hours.h \
	%D%/level.c \
	%D%/level.h \
	%D%/rejection_run.c \
	%D%/rejection_run.h \
	%D%/span.h \
	%D%/statistics.c \
	%D%/statistics.h
