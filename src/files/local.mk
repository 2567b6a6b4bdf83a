# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libfiles.a

libfiles_a_SOURCES = \
	%D%/place.h \
	%D%/places.c \
	%D%/places.h \
	%D%/problem.c \
	%D%/problem.h \
	%D%/reader.c \
	%D%/reader.h
LINK_FILES = libfiles.a libbase.la
