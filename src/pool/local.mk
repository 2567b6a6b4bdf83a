# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libpool.a

libpool_a_SOURCES = \
	%D%/pace.c \
	%D%/pace.h \
	%D%/policy.c \
	%D%/policy.h \
	%D%/pool.c \
	%D%/pool.h \
	%D%/pool_options.h \
	%D%/ranking.c \
	%D%/ranking.h \
	%D%/standing.c \
	%D%/standing.h
