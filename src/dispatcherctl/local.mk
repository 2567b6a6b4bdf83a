# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
bin_PROGRAMS += dispatcherctl

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libctl.a
libctl_a_SOURCES = \
	%D%/bridge.c \
	%D%/bridge.h \
	%D%/events.c \
	%D%/events.h \
	%D%/import_command.c \
	%D%/import_command.h \
	%D%/test_access.c \
	%D%/test_access.h \
	%D%/top.c \
	%D%/top.h \
	%D%/hosts/clients.c \
	%D%/hosts/clients.h \
	%D%/hosts/gather.c \
	%D%/hosts/gather.h \
	%D%/hosts/hosts.c \
	%D%/hosts/hosts.h \
	%D%/hosts/hosts_count.c \
	%D%/hosts/hosts_count.h \
	%D%/hosts/hosts_print.c \
	%D%/hosts/hosts_print.h \
	%D%/hosts/merge.c \
	%D%/hosts/merge.h \
	%D%/hosts/remote.c \
	%D%/hosts/remote.h \
	%D%/plan/apply.c \
	%D%/plan/json_text.c \
	%D%/plan/json_text.h \
	%D%/plan/offline_plan.c \
	%D%/plan/offline_plan.h \
	%D%/plan/plan.c \
	%D%/plan/plan.h \
	%D%/plan/plan_print.c \
	%D%/plan/port_holder.c \
	%D%/plan/port_holder.h \
	%D%/plan/systemctl.c \
	%D%/plan/systemctl.h \
	%D%/plan/unit_addresses.c \
	%D%/plan/unit_addresses.h \
	%D%/plan/unit_plan.c \
	%D%/plan/unit_plan.h \
	%D%/plan/vacating.c \
	%D%/plan/vacating.h \
	%D%/query/query.c \
	%D%/query/query.h \
	%D%/query/request.h \
	%D%/query/selection.c \
	%D%/query/selection.h \
	%D%/query/selection_apply.c \
	%D%/simulate/outcome.h \
	%D%/simulate/outcome_draw.c \
	%D%/simulate/outcome_json.c \
	%D%/simulate/outcome_print.c \
	%D%/simulate/simulate.c \
	%D%/simulate/simulate.h \
	%D%/views/cells.c \
	%D%/views/cells.h \
	%D%/views/explain.c \
	%D%/views/explain.h \
	%D%/views/style.c \
	%D%/views/style.h \
	%D%/views/table.c \
	%D%/views/table.h \
	%D%/views/views.c \
	%D%/views/views.h \
	%D%/views/views_access.c \
	%D%/views/views_commands.c \
	%D%/views/views_lists.c
libctl_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
LINK_CTL = libctl.a $(LINK_SIMULATE) $(LINK_MAPPING) $(LINK_CONTROL_CLIENT) $(LINK_UNITS) $(LINK_IMPORT)

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
