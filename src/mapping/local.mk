# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
noinst_LIBRARIES += libmapping.a

libmapping_a_SOURCES = \
	%D%/arena.c \
	%D%/arena.h \
	%D%/callout.c \
	%D%/callout.h \
	%D%/character.h \
	%D%/character_set.c \
	%D%/character_set.h \
	%D%/check.c \
	%D%/check.h \
	%D%/doubts.c \
	%D%/doubts.h \
	%D%/form.c \
	%D%/form.h \
	%D%/form_automaton.c \
	%D%/form_internal.h \
	%D%/lines.c \
	%D%/lines.h \
	%D%/load.c \
	%D%/metermaid.c \
	%D%/metermaid.h \
	%D%/network.c \
	%D%/network.h \
	%D%/network_index.c \
	%D%/network_index.h \
	%D%/pattern.h \
	%D%/pattern_compile.c \
	%D%/pattern_match.c \
	%D%/port_access.c \
	%D%/port_access.h \
	%D%/run.c \
	%D%/run.h \
	%D%/run_internal.h \
	%D%/run_template.c \
	%D%/run_trace.c \
	%D%/set.c \
	%D%/set.h \
	%D%/template.c \
	%D%/template.h \
	%D%/trace_lines.c \
	%D%/trace_lines.h
LINK_MAPPING = libmapping.a $(LINK_CONFIG)
