# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LTLIBRARIES += libprotocol.la

libprotocol_la_SOURCES = \
	%D%/channel.c \
	%D%/channel.h \
	%D%/connection_id.h \
	%D%/debug.c \
	%D%/debug.h \
	%D%/message.c \
	%D%/message.h \
	%D%/ring.c \
	%D%/ring.h \
	%D%/tunables.h
