# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += \
	tests/libdispatcher/example \
	tests/libdispatcher/run_talkative_worker \
	tests/libdispatcher/test_draining \
	tests/libdispatcher/test_draining_taking \
	tests/libdispatcher/test_greeting \
	tests/libdispatcher/test_manager \
	tests/libdispatcher/test_manual \
	tests/libdispatcher/test_news \
	tests/libdispatcher/test_news_taking \
	tests/libdispatcher/test_sessions \
	tests/libdispatcher/test_sessions_taking
TESTS += \
	tests/libdispatcher/test_draining \
	tests/libdispatcher/test_draining_taking \
	tests/libdispatcher/test_greeting \
	tests/libdispatcher/test_interface.sh \
	tests/libdispatcher/test_manager \
	tests/libdispatcher/test_manual \
	tests/libdispatcher/test_news \
	tests/libdispatcher/test_news_taking \
	tests/libdispatcher/test_sessions \
	tests/libdispatcher/test_sessions_taking

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

# A dispatcher and a worker that the tests of the library play with.
check_LTLIBRARIES += libtestworker.la
libtestworker_la_SOURCES = \
	%D%/fake_dispatcher.c \
	%D%/fake_dispatcher.h \
	%D%/fake_reading.c \
	%D%/talkative_worker.c \
	%D%/talkative_worker.h
libtestworker_la_CPPFLAGS = $(TEST_CPPFLAGS)
libtestworker_la_CFLAGS = $(TEST_CFLAGS) -pthread

WORKER_TEST_CPPFLAGS = $(TEST_CPPFLAGS) -DTEST_BUILD_DIR='"$(abs_top_builddir)/tests"'
# The same tests with a worker that serves by events.
TAKING_TEST_CPPFLAGS = $(WORKER_TEST_CPPFLAGS) -DWORKER_UNDER_TEST=taking_worker
WORKER_TEST_CFLAGS = $(TEST_CFLAGS) -pthread
WORKER_TEST_LIBS = libtestworker.la libworker.la $(TEST_LIBS)

tests_libdispatcher_run_talkative_worker_SOURCES = %D%/run_talkative_worker.c
tests_libdispatcher_run_talkative_worker_CPPFLAGS = $(TEST_CPPFLAGS)
tests_libdispatcher_run_talkative_worker_LDADD = libtestworker.la libdispatcher.la $(TEST_LIBS)

tests_libdispatcher_test_draining_SOURCES = %D%/test_draining.c
tests_libdispatcher_test_draining_CPPFLAGS = $(WORKER_TEST_CPPFLAGS)
tests_libdispatcher_test_draining_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_draining_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_draining_taking_SOURCES = %D%/test_draining.c
tests_libdispatcher_test_draining_taking_CPPFLAGS = $(TAKING_TEST_CPPFLAGS)
tests_libdispatcher_test_draining_taking_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_draining_taking_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_greeting_SOURCES = %D%/test_greeting.c
tests_libdispatcher_test_greeting_CPPFLAGS = $(WORKER_TEST_CPPFLAGS)
tests_libdispatcher_test_greeting_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_greeting_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_manager_SOURCES = %D%/test_manager.c
tests_libdispatcher_test_manager_CPPFLAGS = $(WORKER_TEST_CPPFLAGS)
tests_libdispatcher_test_manager_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_manager_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_manual_SOURCES = %D%/test_manual.c
tests_libdispatcher_test_manual_CPPFLAGS = $(WORKER_TEST_CPPFLAGS)
tests_libdispatcher_test_manual_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_manual_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_news_SOURCES = %D%/test_news.c
tests_libdispatcher_test_news_CPPFLAGS = $(WORKER_TEST_CPPFLAGS)
tests_libdispatcher_test_news_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_news_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_news_taking_SOURCES = %D%/test_news.c
tests_libdispatcher_test_news_taking_CPPFLAGS = $(TAKING_TEST_CPPFLAGS)
tests_libdispatcher_test_news_taking_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_news_taking_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_sessions_SOURCES = %D%/test_sessions.c
tests_libdispatcher_test_sessions_CPPFLAGS = $(WORKER_TEST_CPPFLAGS)
tests_libdispatcher_test_sessions_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_sessions_LDADD = $(WORKER_TEST_LIBS)

tests_libdispatcher_test_sessions_taking_SOURCES = %D%/test_sessions.c
tests_libdispatcher_test_sessions_taking_CPPFLAGS = $(TAKING_TEST_CPPFLAGS)
tests_libdispatcher_test_sessions_taking_CFLAGS = $(WORKER_TEST_CFLAGS)
tests_libdispatcher_test_sessions_taking_LDADD = $(WORKER_TEST_LIBS)
