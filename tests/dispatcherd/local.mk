# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
CONTROL_TESTS = \
	tests/dispatcherd/core/test_alerts \
	tests/dispatcherd/checks/test_checks_store \
	tests/dispatcherd/store/test_closer \
	tests/dispatcherd/control/test_control \
	tests/dispatcherd/control/test_cache \
	tests/dispatcherd/control/test_explain \
	tests/dispatcherd/control/test_follow \
	tests/dispatcherd/control/test_methods \
	tests/dispatcherd/control/test_peer \
	tests/dispatcherd/control/test_places \
	tests/dispatcherd/control/test_share \
	tests/dispatcherd/checks/test_decisions_store \
	tests/dispatcherd/core/test_connection \
	tests/dispatcherd/core/test_due \
	tests/dispatcherd/worker/test_handoff \
	tests/dispatcherd/worker/test_life \
	tests/dispatcherd/control/test_history \
	tests/dispatcherd/core/test_handed_fd \
	tests/dispatcherd/test_last_words \
	tests/dispatcherd/core/test_logfile \
	tests/dispatcherd/core/test_pace \
	tests/dispatcherd/test_loop \
	tests/dispatcherd/core/test_reach \
	tests/dispatcherd/service/test_socket_match \
	tests/dispatcherd/worker/test_spawner_self \
	tests/dispatcherd/store/test_store \
	tests/dispatcherd/test_store_room \
	tests/dispatcherd/worker/test_stress \
	tests/dispatcherd/checks/test_throttle_store \
	tests/dispatcherd/worker/test_cause \
	tests/dispatcherd/worker/test_ring
check_PROGRAMS += $(CONTROL_TESTS)
TESTS += $(CONTROL_TESTS) tests/dispatcherd/test_debug_bits.sh
dist_check_SCRIPTS += %D%/test_debug_bits.sh

CONTROL_SCENE = \
	%D%/control_scene.c \
	%D%/control_scene.h
CONTROL_TEST_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
CONTROL_TEST_LIBS = $(LINK_DAEMON) $(TEST_LIBS)

tests_dispatcherd_core_test_due_SOURCES = %D%/core/test_due.c
tests_dispatcherd_core_test_due_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_core_test_due_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_core_test_due_LDADD = $(CONTROL_TEST_LIBS)
tests_dispatcherd_core_test_alerts_SOURCES = $(CONTROL_SCENE) %D%/core/test_alerts.c
tests_dispatcherd_core_test_alerts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_core_test_alerts_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_core_test_alerts_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_checks_test_checks_store_SOURCES = %D%/checks/test_checks_store.c
tests_dispatcherd_checks_test_checks_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_checks_test_checks_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_checks_test_checks_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_worker_test_spawner_self_SOURCES = %D%/worker/test_spawner_self.c
tests_dispatcherd_worker_test_spawner_self_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_worker_test_spawner_self_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_worker_test_spawner_self_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_loop_SOURCES = %D%/test_loop.c
tests_dispatcherd_test_loop_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_loop_CFLAGS = $(CONTROL_TEST_CFLAGS) -pthread
tests_dispatcherd_test_loop_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_checks_test_decisions_store_SOURCES = %D%/checks/test_decisions_store.c
tests_dispatcherd_checks_test_decisions_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_checks_test_decisions_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_checks_test_decisions_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_checks_test_throttle_store_SOURCES = %D%/checks/test_throttle_store.c
tests_dispatcherd_checks_test_throttle_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_checks_test_throttle_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_checks_test_throttle_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_control_SOURCES = $(CONTROL_SCENE) %D%/control/test_control.c
tests_dispatcherd_control_test_control_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_control_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_control_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_methods_SOURCES = $(CONTROL_SCENE) %D%/control/test_methods.c
tests_dispatcherd_control_test_methods_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_methods_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_methods_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_peer_SOURCES = %D%/control/test_peer.c
tests_dispatcherd_control_test_peer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_peer_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_peer_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_cache_SOURCES = %D%/control/test_cache.c
tests_dispatcherd_control_test_cache_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_cache_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_cache_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_places_SOURCES = %D%/control/test_places.c
tests_dispatcherd_control_test_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_places_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_places_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_share_SOURCES = %D%/control/test_share.c
tests_dispatcherd_control_test_share_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_share_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_share_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_explain_SOURCES = $(CONTROL_SCENE) %D%/control/test_explain.c
tests_dispatcherd_control_test_explain_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_explain_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_explain_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_follow_SOURCES = $(CONTROL_SCENE) %D%/control/test_follow.c
tests_dispatcherd_control_test_follow_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_follow_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_follow_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_core_test_reach_SOURCES = $(CONTROL_SCENE) %D%/core/test_reach.c
tests_dispatcherd_core_test_reach_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_core_test_reach_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_core_test_reach_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_service_test_socket_match_SOURCES = $(CONTROL_SCENE) %D%/service/test_socket_match.c
tests_dispatcherd_service_test_socket_match_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_service_test_socket_match_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_service_test_socket_match_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_control_test_history_SOURCES = $(CONTROL_SCENE) %D%/control/test_history.c
tests_dispatcherd_control_test_history_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_control_test_history_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_control_test_history_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_worker_test_cause_SOURCES = $(CONTROL_SCENE) %D%/worker/test_cause.c
tests_dispatcherd_worker_test_cause_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_worker_test_cause_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_worker_test_cause_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_store_test_store_SOURCES = %D%/store/test_store.c
tests_dispatcherd_store_test_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_store_test_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_store_test_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_store_room_SOURCES = %D%/test_store_room.c
tests_dispatcherd_test_store_room_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_store_room_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_store_room_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_worker_test_stress_SOURCES = $(CONTROL_SCENE) %D%/worker/test_stress.c
tests_dispatcherd_worker_test_stress_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_worker_test_stress_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_worker_test_stress_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_worker_test_ring_SOURCES = $(CONTROL_SCENE) %D%/worker/test_ring.c
tests_dispatcherd_worker_test_ring_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_worker_test_ring_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_worker_test_ring_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_worker_test_handoff_SOURCES = $(CONTROL_SCENE) %D%/worker/test_handoff.c
tests_dispatcherd_worker_test_handoff_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_worker_test_handoff_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_worker_test_handoff_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_core_test_pace_SOURCES = %D%/core/test_pace.c
tests_dispatcherd_core_test_pace_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_core_test_pace_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_core_test_pace_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_core_test_logfile_SOURCES = %D%/core/test_logfile.c
tests_dispatcherd_core_test_logfile_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_core_test_logfile_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_core_test_logfile_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_core_test_connection_SOURCES = $(CONTROL_SCENE) %D%/core/test_connection.c
tests_dispatcherd_core_test_connection_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_core_test_connection_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_core_test_connection_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_worker_test_life_SOURCES = $(CONTROL_SCENE) %D%/worker/test_life.c
tests_dispatcherd_worker_test_life_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_worker_test_life_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_worker_test_life_LDADD = $(CONTROL_TEST_LIBS)

LINGERING = \
	%D%/lingering.c \
	%D%/lingering.h

tests_dispatcherd_store_test_closer_SOURCES = $(LINGERING) %D%/store/test_closer.c
tests_dispatcherd_store_test_closer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_store_test_closer_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_store_test_closer_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_core_test_handed_fd_SOURCES = $(CONTROL_SCENE) $(LINGERING) %D%/core/test_handed_fd.c
tests_dispatcherd_core_test_handed_fd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_core_test_handed_fd_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_core_test_handed_fd_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_last_words_SOURCES = $(CONTROL_SCENE) $(LINGERING) %D%/test_last_words.c
tests_dispatcherd_test_last_words_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_last_words_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_last_words_LDADD = $(CONTROL_TEST_LIBS)
