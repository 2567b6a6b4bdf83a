# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# dispatcherd end to end. One suite, in two ways: by hand, and as a service in a container.
if ENABLE_TESTS
check_PROGRAMS += tests/system/test_worker
if ENABLE_SYSTEMD_TESTS
TESTS += %D%/under-systemd.sh
endif

if ENABLE_HAND_TESTS
TESTS += %D%/by-hand.sh
endif

if ENABLE_SYSTEMD_TESTS
TESTS += %D%/walkthrough.sh
endif

# Without libtool's wrapper script: this very program is what dispatcherd starts.
tests_system_test_worker_SOURCES = %D%/test_worker.c
tests_system_test_worker_CFLAGS = $(AM_CFLAGS) -pthread
tests_system_test_worker_LDFLAGS = -no-install
tests_system_test_worker_LDADD = libdispatcher.la

# For LD_PRELOAD. Libtool makes a shared object only of what could be installed somewhere.
check_LTLIBRARIES += tests/system/libfail.la
tests_system_libfail_la_SOURCES = %D%/fail.c
tests_system_libfail_la_CFLAGS = $(AM_CFLAGS)
tests_system_libfail_la_LDFLAGS = -module -shared -avoid-version -rpath /nowhere
endif

dist_check_SCRIPTS += \
	%D%/bad_worker.py \
	%D%/by-hand.sh \
	%D%/container \
	%D%/hostile_worker.py \
	%D%/inetd_session.sh \
	%D%/old_kernel.py \
	%D%/run \
	%D%/under-systemd.sh \
	%D%/walkthrough.sh \
	%D%/whatif.py

EXTRA_DIST += \
	%D%/conftest.py \
	%D%/harness/__init__.py \
	%D%/harness/back_end.py \
	%D%/harness/browser.py \
	%D%/harness/burst.py \
	%D%/harness/client.py \
	%D%/harness/container.py \
	%D%/harness/crowd.py \
	%D%/harness/exim.py \
	%D%/harness/fail.py \
	%D%/harness/hand.py \
	%D%/harness/identd.py \
	%D%/harness/journal.py \
	%D%/harness/mail.py \
	%D%/harness/names.py \
	%D%/harness/samples.py \
	%D%/harness/pairs.py \
	%D%/harness/postfix.py \
	%D%/harness/python.py \
	%D%/harness/shipped.py \
	%D%/harness/site.py \
	%D%/harness/smtp_load.py \
	%D%/harness/soak.py \
	%D%/harness/strangers.py \
	%D%/harness/stream.py \
	%D%/harness/systemd.py \
	%D%/harness/tls.py \
	%D%/harness/traffic.py \
	%D%/harness/varlink.py \
	%D%/harness/wait.py \
	%D%/harness/walk.py \
	%D%/harness/web.py \
	%D%/test_access.py \
	%D%/test_activation.py \
	%D%/test_alerts.py \
	%D%/test_browser.py \
	%D%/test_choice.py \
	%D%/test_dns.py \
	%D%/test_events.py \
	%D%/test_examples.py \
	%D%/test_exim.py \
	%D%/test_explain.py \
	%D%/test_failing_calls.py \
	%D%/test_faults.py \
	%D%/test_files.py \
	%D%/test_figures.py \
	%D%/test_fleet.py \
	%D%/test_fleet_shown.py \
	%D%/test_full.py \
	%D%/test_hostile_workers.py \
	%D%/test_hosts.py \
	%D%/test_identity.py \
	%D%/test_inetd.py \
	%D%/test_inetd_examples.py \
	%D%/test_journal.py \
	%D%/test_life.py \
	%D%/test_listener_lost.py \
	%D%/test_logs.py \
	%D%/test_machine_faults.py \
	%D%/test_pass.py \
	%D%/test_pass_postfix.py \
	%D%/test_plan.py \
	%D%/test_pool_size.py \
	%D%/test_process_1.py \
	%D%/test_python.py \
	%D%/test_proxy.py \
	%D%/test_proxy_examples.py \
	%D%/test_reload.py \
	%D%/test_reload_walk.py \
	%D%/test_samples.py \
	%D%/test_selection.py \
	%D%/test_smtp.py \
	%D%/test_simulate.py \
	%D%/test_sockets.py \
	%D%/test_standard_descriptors.py \
	%D%/test_start_failures.py \
	%D%/test_stop.py \
	%D%/test_store.py \
	%D%/test_strangers.py \
	%D%/test_stress.py \
	%D%/test_survival.py \
	%D%/test_tls.py \
	%D%/test_tls_adapters.py \
	%D%/test_unit_places.py \
	%D%/test_units.py \
	%D%/test_web.py \
	%D%/test_worker.py \
	%D%/test_worker_faults.py \
	%D%/test_worker_life.py
