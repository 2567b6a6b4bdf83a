# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# A test is a program of Check, one for each module, in a folder that mirrors src/. It defines
# make_suite(); libtestsupport.a brings main().
if ENABLE_TESTS

check_LIBRARIES += libtestsupport.a
libtestsupport_a_SOURCES = \
	%D%/support/main.c \
	%D%/support/random.c \
	%D%/support/random.h \
	%D%/support/sanitizer.h \
	%D%/support/suite.h
libtestsupport_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
libtestsupport_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

# For every test: _CPPFLAGS, _CFLAGS, and the end of _LDADD.
TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -DTEST_SOURCE_DIR='"$(abs_top_srcdir)/tests"'
TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
TEST_LIBS = libtestsupport.a $(CHECK_LIBS)

include tests/base/local.mk
include tests/files/local.mk
include tests/config/local.mk
include tests/mapping/local.mk
include tests/access/local.mk
include tests/pool/local.mk
include tests/statistics/local.mk
include tests/protocol/local.mk
include tests/libdispatcher/local.mk
include tests/varlink/local.mk
include tests/dispatcherd/local.mk
include tests/dispatcherctl/local.mk
include tests/generator/local.mk
include tests/web/local.mk
include tests/units/local.mk
include tests/workers/local.mk

endif

include tests/system/local.mk
