# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += tests/kit/faulty_worker
TESTS += tests/kit/test_kit.sh
dist_check_SCRIPTS += \
	%D%/echo_servers.py \
	%D%/echo_worker.pl \
	%D%/run_faults.py \
	%D%/test_kit.sh

# Without libtool's wrapper script: the kit starts this very program.
tests_kit_faulty_worker_SOURCES = \
	%D%/faults.h \
	%D%/faulty.h \
	%D%/faulty_serve.c \
	%D%/faulty_tell.c \
	%D%/faulty_worker.c
tests_kit_faulty_worker_LDFLAGS = -no-install
tests_kit_faulty_worker_LDADD = libprotocol.la libbase.la
