# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
bin_PROGRAMS += dispatcher-worker-test

dispatcher_worker_test_SOURCES = \
	%D%/main.c \
	%D%/report.c \
	%D%/report.h \
	%D%/run.c \
	%D%/run.h \
	%D%/play/connection_events.c \
	%D%/play/connection_events.h \
	%D%/play/notified.c \
	%D%/play/notified.h \
	%D%/play/options.c \
	%D%/play/options.h \
	%D%/play/play.h \
	%D%/play/play_read.c \
	%D%/play/play_send.c \
	%D%/play/play_start.c \
	%D%/play/play_wait.c \
	%D%/play/proc.c \
	%D%/play/proc.h \
	%D%/play/rules.c \
	%D%/play/rules.h \
	%D%/play/verdict.c \
	%D%/play/verdict.h \
	%D%/scenes/scenes.c \
	%D%/scenes/scenes.h \
	%D%/scenes/scenes_connections.c \
	%D%/scenes/scenes_end.c \
	%D%/scenes/scenes_greeting.c \
	%D%/scenes/scenes_rest.c \
	%D%/scenes/scenes_ring.c
dispatcher_worker_test_LDADD = libprotocol.la libfiles.a libbase.la
