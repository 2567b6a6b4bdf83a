# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
WEB_TESTS = \
	tests/web/test_host \
	tests/web/test_html \
	tests/web/test_metrics \
	tests/web/test_page \
	tests/web/test_places \
	tests/web/test_plot \
	tests/web/test_samples
check_PROGRAMS += $(WEB_TESTS)
TESTS += $(WEB_TESTS)

WEB_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
WEB_WRITTEN = %D%/written.c %D%/written.h
WEB_LIBS = $(LINK_WEB) $(TEST_LIBS)

tests_web_test_host_SOURCES = %D%/test_host.c
tests_web_test_host_CPPFLAGS = $(TEST_CPPFLAGS)
tests_web_test_host_CFLAGS = $(WEB_CFLAGS)
tests_web_test_host_LDADD = $(WEB_LIBS)

tests_web_test_html_SOURCES = %D%/test_html.c $(WEB_WRITTEN)
tests_web_test_html_CPPFLAGS = $(TEST_CPPFLAGS)
tests_web_test_html_CFLAGS = $(WEB_CFLAGS)
tests_web_test_html_LDADD = $(WEB_LIBS)

tests_web_test_metrics_SOURCES = %D%/test_metrics.c $(WEB_WRITTEN)
tests_web_test_metrics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_web_test_metrics_CFLAGS = $(WEB_CFLAGS)
tests_web_test_metrics_LDADD = $(WEB_LIBS)

tests_web_test_page_SOURCES = %D%/test_page.c $(WEB_WRITTEN)
tests_web_test_page_CPPFLAGS = $(TEST_CPPFLAGS)
tests_web_test_page_CFLAGS = $(WEB_CFLAGS)
tests_web_test_page_LDADD = $(WEB_LIBS)

tests_web_test_places_SOURCES = %D%/test_places.c
tests_web_test_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_web_test_places_CFLAGS = $(WEB_CFLAGS)
tests_web_test_places_LDADD = $(WEB_LIBS)

tests_web_test_plot_SOURCES = %D%/test_plot.c $(WEB_WRITTEN)
tests_web_test_plot_CPPFLAGS = $(TEST_CPPFLAGS)
tests_web_test_plot_CFLAGS = $(WEB_CFLAGS)
tests_web_test_plot_LDADD = $(WEB_LIBS)

tests_web_test_samples_SOURCES = %D%/test_samples.c
tests_web_test_samples_CPPFLAGS = $(TEST_CPPFLAGS)
tests_web_test_samples_CFLAGS = $(WEB_CFLAGS)
tests_web_test_samples_LDADD = $(WEB_LIBS)
