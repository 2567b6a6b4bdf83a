# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/libdispatcher/test_draining \
	tests/libdispatcher/test_draining_taking \
	tests/libdispatcher/test_greeting \
	tests/libdispatcher/test_identity \
	tests/libdispatcher/test_manager \
	tests/libdispatcher/test_manual \
	tests/libdispatcher/test_news \
	tests/libdispatcher/test_news_taking \
	tests/libdispatcher/test_sessions \
	tests/libdispatcher/test_sessions_taking \
	tests/libdispatcher/test_tls

check_PROGRAMS += \
	tests/libdispatcher/example \
	tests/libdispatcher/run_talkative_worker
TESTS += tests/libdispatcher/test_interface.sh

dist_check_SCRIPTS += \
	%D%/extract_example \
	%D%/test_interface.sh

# The manual's examples. The one in C is compiled as a program outside of this tree would be.
check_DATA += %D%/example.py
CLEANFILES += %D%/example.c %D%/example.py
nodist_tests_libdispatcher_example_SOURCES = %D%/example.c
tests_libdispatcher_example_CPPFLAGS = -I$(top_srcdir)/src/libdispatcher/include
tests_libdispatcher_example_LDFLAGS = -no-install
tests_libdispatcher_example_LDADD = libdispatcher.la
%D%/example.c: man/dispatcher-worker.3 %D%/extract_example
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(srcdir)/%D%/extract_example $(srcdir)/man/dispatcher-worker.3 > $@
%D%/example.py: man/dispatcher-worker.7 %D%/extract_example
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(srcdir)/%D%/extract_example $(srcdir)/man/dispatcher-worker.7 > $@ && chmod 755 $@

tests_libdispatcher_run_talkative_worker_LDADD = libtestsupport.a libdispatcher.la $(CHECK_LIBS)

# The same tests with a worker that serves by events.
TAKING_TEST_CPPFLAGS = $(AM_CPPFLAGS) -DWORKER_UNDER_TEST=taking_worker
tests_libdispatcher_test_draining_taking_SOURCES = %D%/test_draining.c
tests_libdispatcher_test_draining_taking_CPPFLAGS = $(TAKING_TEST_CPPFLAGS)
tests_libdispatcher_test_news_taking_SOURCES = %D%/test_news.c
tests_libdispatcher_test_news_taking_CPPFLAGS = $(TAKING_TEST_CPPFLAGS)
tests_libdispatcher_test_sessions_taking_SOURCES = %D%/test_sessions.c
tests_libdispatcher_test_sessions_taking_CPPFLAGS = $(TAKING_TEST_CPPFLAGS)
