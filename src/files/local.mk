# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libfiles.a

libfiles_a_SOURCES = \
	%D%/invisible.c \
	%D%/invisible.h \
	%D%/networks.c \
	%D%/networks.h \
	%D%/number.c \
	%D%/number.h \
	%D%/paths.c \
	%D%/paths.h \
	%D%/place.h \
	%D%/problem.c \
	%D%/problem.h \
	%D%/reader.c \
	%D%/reader.h \
	%D%/text.c \
	%D%/text.h
LINK_FILES = libfiles.a libbase.la
