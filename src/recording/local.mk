# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += librecording.a

librecording_a_SOURCES = \
	%D%/record.c \
	%D%/record.h \
	%D%/record_options.c \
	%D%/record_options.h \
	%D%/recording.c \
	%D%/recording.h
