# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libconfig.a

libconfig_a_SOURCES = \
	%D%/changes.c \
	%D%/changes.h \
	%D%/check.c \
	%D%/check.h \
	%D%/image.c \
	%D%/image.h \
	%D%/interface_address.c \
	%D%/interface_address.h \
	%D%/load.c \
	%D%/load.h \
	%D%/option.h \
	%D%/option_table.c \
	%D%/option_table.h \
	%D%/options.c \
	%D%/options.h \
	%D%/print.c \
	%D%/print.h \
	%D%/scope.c \
	%D%/scope.h \
	%D%/value.h \
	%D%/value_network.c \
	%D%/value_number.c \
	%D%/value_servers.c \
	%D%/value_text.c
LINK_CONFIG = libconfig.a $(LINK_FILES)
