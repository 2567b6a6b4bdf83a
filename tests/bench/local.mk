# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# make bench: the dispatcher beside its yardstick, a server that accepts for itself. Not part of
# make check: it takes minutes, and its figures are worth something on a quiet machine only.
PROGRAMS_OF_BENCH = \
	tests/bench/client \
	tests/bench/counting \
	tests/bench/direct \
	tests/bench/session \
	tests/bench/spread \
	tests/bench/tls_client \
	tests/bench/worker
EXTRA_PROGRAMS += $(PROGRAMS_OF_BENCH)
CLEANFILES += $(PROGRAMS_OF_BENCH)
EXTRA_DIST += \
	%D%/continuity \
	%D%/flat \
	%D%/fleet \
	%D%/inetd \
	%D%/keeper.py \
	%D%/observers \
	%D%/pass \
	%D%/peers \
	%D%/picture.py \
	%D%/postfix.py \
	%D%/proxy \
	%D%/run \
	%D%/servers.py \
	%D%/tls \
	%D%/wide
CLEANFILES += tests/bench/continuity.svg

BENCH_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

tests_bench_client_SOURCES = %D%/client.c %D%/handler.h
tests_bench_client_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_client_LDADD = libbase.la

tests_bench_counting_SOURCES = %D%/counting.c
tests_bench_counting_LDADD = libstatistics.a libbase.la

tests_bench_direct_SOURCES = %D%/direct.c %D%/handler.c %D%/handler.h
tests_bench_direct_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_direct_CFLAGS = $(AM_CFLAGS) -pthread
tests_bench_direct_LDADD = libbase.la

tests_bench_session_SOURCES = %D%/handler.c %D%/handler.h %D%/session.c
tests_bench_session_CPPFLAGS = $(BENCH_CPPFLAGS)

tests_bench_spread_SOURCES = %D%/handler.c %D%/handler.h %D%/spread.c
tests_bench_spread_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_spread_CFLAGS = $(AM_CFLAGS) -pthread
tests_bench_spread_LDADD = libbase.la

tests_bench_tls_client_SOURCES = %D%/tls_client.c
tests_bench_tls_client_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS)
tests_bench_tls_client_LDADD = libbase.la $(LIBSSL_LIBS)

# With the shared library, as an installed worker has it; no wrapper script around it.
tests_bench_worker_SOURCES = %D%/handler.c %D%/handler.h %D%/worker.c
tests_bench_worker_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_worker_LDADD = libdispatcher.la
tests_bench_worker_LDFLAGS = -no-install

.PHONY: bench bench-continuity bench-flat bench-observers bench-peers bench-tls bench-wide
bench: all tests/system/test_worker $(PROGRAMS_OF_BENCH)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/run $(builddir)
	tests/bench/counting
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/flat $(builddir)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/inetd $(builddir)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/pass $(builddir)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/proxy $(builddir)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/peers $(builddir)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/tls $(builddir)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/fleet --latency
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/wide $(builddir)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/continuity $(builddir)

# It installs all in a container, and the test worker with it.
bench-continuity: all tests/system/test_worker $(PROGRAMS_OF_BENCH)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/continuity $(builddir)

bench-flat: dispatcherd $(PROGRAMS_OF_BENCH)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/flat $(builddir)

bench-observers: dispatcherd dispatcherd-web dispatcherctl $(PROGRAMS_OF_BENCH)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/observers $(builddir)

bench-peers: all $(PROGRAMS_OF_BENCH)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/peers $(builddir)

bench-tls: all $(PROGRAMS_OF_BENCH)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/tls $(builddir)

bench-wide: dispatcherd dispatcherd-web dispatcherctl $(PROGRAMS_OF_BENCH)
	PYTHONDONTWRITEBYTECODE=1 $(srcdir)/tests/bench/wide $(builddir)
