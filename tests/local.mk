# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# A test is a program of Check, one for each module, in a folder that mirrors src/: test_NAME.c,
# which defines make_suite(). A folder's local.mk names it, and nothing else is needed: what is
# linked is the same for all, and of archives only what is used.

# Those that take longest begin first.
include tests/system/local.mk

if ENABLE_TESTS

# main(), and what several tests share.
check_LIBRARIES += libtestsupport.a
libtestsupport_a_SOURCES = \
	%D%/access/proxy_cases.h \
	%D%/access/tcp.c \
	%D%/access/tcp.h \
	%D%/config/fixture.c \
	%D%/config/fixture.h \
	%D%/dispatcherd/control_scene.c \
	%D%/dispatcherd/control_scene.h \
	%D%/dispatcherd/fleet/link_scene.c \
	%D%/dispatcherd/fleet/link_scene.h \
	%D%/dispatcherd/fleet/played_store.c \
	%D%/dispatcherd/fleet/played_store.h \
	%D%/dispatcherd/lingering.c \
	%D%/dispatcherd/lingering.h \
	%D%/dispatcherd/manager_scene.c \
	%D%/dispatcherd/manager_scene.h \
	%D%/dispatcherd/played_workers.c \
	%D%/dispatcherd/played_workers.h \
	%D%/dispatcherd/store/played_systemd.c \
	%D%/dispatcherd/store/played_systemd.h \
	%D%/dns/dns_scene.c \
	%D%/dns/dns_scene.h \
	%D%/dns/dns_server.c \
	%D%/dns/dns_server.h \
	%D%/libdispatcher/fake_dispatcher.c \
	%D%/libdispatcher/fake_dispatcher.h \
	%D%/libdispatcher/fake_reading.c \
	%D%/libdispatcher/talkative_worker.c \
	%D%/libdispatcher/talkative_worker.h \
	%D%/mapping/reference.c \
	%D%/mapping/reference.h \
	%D%/mapping/scene.c \
	%D%/mapping/scene.h \
	%D%/pool/facts.c \
	%D%/pool/facts.h \
	%D%/pool/invariants.c \
	%D%/pool/invariants.h \
	%D%/pool/invariants_of_waiting.c \
	%D%/pool/policy_scene.c \
	%D%/pool/policy_scene.h \
	%D%/pool/reference.c \
	%D%/pool/reference.h \
	%D%/pool/simulation.c \
	%D%/pool/simulation.h \
	%D%/pool/simulation_world.c \
	%D%/support/main.c \
	%D%/support/random.c \
	%D%/support/random.h \
	%D%/support/sanitizer.h \
	%D%/support/simulated_clock.h \
	%D%/support/suite.h \
	%D%/web/written.c \
	%D%/web/written.h \
	%D%/workers/smtp_dialogue.c \
	%D%/workers/smtp_dialogue.h \
	%D%/workers/smtp_folder.c \
	%D%/workers/smtp_folder.h \
	%D%/workers/tls_files.c \
	%D%/workers/tls_files.h \
	%D%/workers/worker_log.c \
	%D%/workers/worker_log.h

# For what is made in tests/ without flags of its own.
tests/%.o: AM_CPPFLAGS += $(TEST_CPPFLAGS)
tests/%.o: AM_CFLAGS += $(TEST_CFLAGS)
TEST_CPPFLAGS = \
	-I$(top_srcdir)/tests \
	-DTEST_SOURCE_DIR='"$(abs_top_srcdir)/tests"' \
	-DTEST_BUILD_DIR='"$(abs_top_builddir)/tests"'
TEST_CFLAGS = $(CHECK_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(CARES_CFLAGS) \
	$(LIBSSL_CFLAGS)
LDADD = $(TEST_LDADD)
TEST_LDADD = libtestsupport.a $(LINK_DAEMON) $(LINK_CTL) $(LINK_WEB) libsmtpserver.a libinetd.a \
	libproxy.a libpass.a libworkertls.a libworkeropenssl.a libworkercommon.a libworker.la $(LIBSSL_LIBS) $(CHECK_LIBS)

UNIT_TESTS =
include tests/base/local.mk
include tests/files/local.mk
include tests/config/local.mk
include tests/mapping/local.mk
include tests/dns/local.mk
include tests/access/local.mk
include tests/pool/local.mk
include tests/statistics/local.mk
include tests/recording/local.mk
include tests/simulate/local.mk
include tests/protocol/local.mk
include tests/libdispatcher/local.mk
include tests/kit/local.mk
include tests/python/local.mk
include tests/varlink/local.mk
include tests/dispatcherd/local.mk
include tests/dispatcherctl/local.mk
include tests/generator/local.mk
include tests/import/local.mk
include tests/web/local.mk
include tests/units/local.mk
include tests/workers/local.mk
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

# libtool runs two hundred processes to link one of them, and what it knows is not needed here.
$(UNIT_TESTS): private LINK = $(CCLD) $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS) -o $@
$(UNIT_TESTS): private LDADD = $(patsubst %.la,.libs/%.a,$(TEST_LDADD))

endif

include tests/packages/local.mk
