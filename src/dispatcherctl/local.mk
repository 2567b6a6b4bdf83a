# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
bin_PROGRAMS += dispatcherctl

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libctl.a
libctl_a_SOURCES = \
	%D%/cells.c \
	%D%/cells.h \
	%D%/events.c \
	%D%/events.h \
	%D%/explain.c \
	%D%/explain.h \
	%D%/query.c \
	%D%/query.h \
	%D%/request.h \
	%D%/selection.c \
	%D%/selection.h \
	%D%/selection_apply.c \
	%D%/style.c \
	%D%/style.h \
	%D%/table.c \
	%D%/table.h \
	%D%/test_access.c \
	%D%/test_access.h \
	%D%/top.c \
	%D%/top.h \
	%D%/views.c \
	%D%/views.h \
	%D%/views_access.c \
	%D%/views_commands.c \
	%D%/views_lists.c
libctl_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
LINK_CTL = libctl.a $(LINK_MAPPING) $(LINK_CONTROL_CLIENT)

dispatcherctl_SOURCES = \
	%D%/arguments.c \
	%D%/arguments.h \
	%D%/main.c \
	%D%/verbs.h
dispatcherctl_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
dispatcherctl_LDADD = $(LINK_CTL) $(LIBSYSTEMD_LIBS)

# What --json prints, made from the interface: python3 make_schema.py
# ../dispatcherd/io.dispatcherd.Control.varlink. A test tells when it is out of date.
schemadir = $(datadir)/dispatcherd
dist_schema_DATA = %D%/dispatcherctl.schema.json
EXTRA_DIST += %D%/make_schema.py

worker_PROGRAMS += worker_ended
worker_ended_SOURCES = \
	%D%/unit_lines.c \
	%D%/unit_lines.h \
	%D%/worker_ended.c
worker_ended_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
worker_ended_LDADD = $(LINK_CTL) $(LIBSYSTEMD_LIBS)

# Completions are found by the name of the command.
EXTRA_DIST += %D%/dispatcherctl.bash
nodist_bashcompletion_DATA = %D%/dispatcherctl
CLEANFILES += %D%/dispatcherctl

%D%/dispatcherctl: %D%/dispatcherctl.bash
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@
