# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libimport.a

libimport_a_SOURCES = \
	%D%/access_entries.c \
	%D%/access_entries.h \
	%D%/dispatcher.c \
	%D%/foreign_networks.c \
	%D%/foreign_networks.h \
	%D%/forms.c \
	%D%/forms.h \
	%D%/import.c \
	%D%/import.h \
	%D%/inetd.c \
	%D%/master_cf.c \
	%D%/section.c \
	%D%/section.h \
	%D%/settle.c \
	%D%/settle.h \
	%D%/xinetd.c \
	%D%/xinetd_access.c \
	%D%/xinetd_access.h \
	%D%/xinetd_read.c \
	%D%/xinetd_read.h
LINK_IMPORT = libimport.a $(LINK_CONFIG)
