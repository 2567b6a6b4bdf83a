CONTROL_TESTS = \
	tests/dispatcherd/test_alerts \
	tests/dispatcherd/test_checks_store \
	tests/dispatcherd/test_closer \
	tests/dispatcherd/test_control \
	tests/dispatcherd/test_control_cache \
	tests/dispatcherd/test_control_explain \
	tests/dispatcherd/test_control_follow \
	tests/dispatcherd/test_control_methods \
	tests/dispatcherd/test_control_peer \
	tests/dispatcherd/test_control_places \
	tests/dispatcherd/test_control_share \
	tests/dispatcherd/test_decisions_store \
	tests/dispatcherd/test_due \
	tests/dispatcherd/test_handoff \
	tests/dispatcherd/test_history \
	tests/dispatcherd/test_handed_fd \
	tests/dispatcherd/test_last_words \
	tests/dispatcherd/test_logfile \
	tests/dispatcherd/test_pace \
	tests/dispatcherd/test_loop \
	tests/dispatcherd/test_reach \
	tests/dispatcherd/test_socket_match \
	tests/dispatcherd/test_spawner_self \
	tests/dispatcherd/test_store \
	tests/dispatcherd/test_store_room \
	tests/dispatcherd/test_stress \
	tests/dispatcherd/test_throttle_store \
	tests/dispatcherd/test_worker_cause \
	tests/dispatcherd/test_worker_ring
check_PROGRAMS += $(CONTROL_TESTS)
TESTS += $(CONTROL_TESTS) tests/dispatcherd/test_debug_bits.sh
dist_check_SCRIPTS += %D%/test_debug_bits.sh

CONTROL_SCENE = \
	%D%/control_scene.c \
	%D%/control_scene.h
CONTROL_TEST_CFLAGS = $(TEST_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
CONTROL_TEST_LIBS = $(LINK_DAEMON) $(TEST_LIBS)

tests_dispatcherd_test_due_SOURCES = %D%/test_due.c
tests_dispatcherd_test_due_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_due_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_due_LDADD = $(CONTROL_TEST_LIBS)
tests_dispatcherd_test_alerts_SOURCES = $(CONTROL_SCENE) %D%/test_alerts.c
tests_dispatcherd_test_alerts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_alerts_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_alerts_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_checks_store_SOURCES = %D%/test_checks_store.c
tests_dispatcherd_test_checks_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_checks_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_checks_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_spawner_self_SOURCES = %D%/test_spawner_self.c
tests_dispatcherd_test_spawner_self_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_spawner_self_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_spawner_self_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_loop_SOURCES = %D%/test_loop.c
tests_dispatcherd_test_loop_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_loop_CFLAGS = $(CONTROL_TEST_CFLAGS) -pthread
tests_dispatcherd_test_loop_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_decisions_store_SOURCES = %D%/test_decisions_store.c
tests_dispatcherd_test_decisions_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_decisions_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_decisions_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_throttle_store_SOURCES = %D%/test_throttle_store.c
tests_dispatcherd_test_throttle_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_throttle_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_throttle_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_SOURCES = $(CONTROL_SCENE) %D%/test_control.c
tests_dispatcherd_test_control_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_methods_SOURCES = $(CONTROL_SCENE) %D%/test_control_methods.c
tests_dispatcherd_test_control_methods_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_methods_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_methods_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_peer_SOURCES = %D%/test_control_peer.c
tests_dispatcherd_test_control_peer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_peer_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_peer_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_cache_SOURCES = %D%/test_control_cache.c
tests_dispatcherd_test_control_cache_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_cache_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_cache_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_places_SOURCES = %D%/test_control_places.c
tests_dispatcherd_test_control_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_places_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_places_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_share_SOURCES = %D%/test_control_share.c
tests_dispatcherd_test_control_share_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_share_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_share_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_explain_SOURCES = $(CONTROL_SCENE) %D%/test_control_explain.c
tests_dispatcherd_test_control_explain_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_explain_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_explain_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_control_follow_SOURCES = $(CONTROL_SCENE) %D%/test_control_follow.c
tests_dispatcherd_test_control_follow_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_control_follow_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_control_follow_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_reach_SOURCES = $(CONTROL_SCENE) %D%/test_reach.c
tests_dispatcherd_test_reach_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_reach_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_reach_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_socket_match_SOURCES = $(CONTROL_SCENE) %D%/test_socket_match.c
tests_dispatcherd_test_socket_match_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_socket_match_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_socket_match_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_history_SOURCES = $(CONTROL_SCENE) %D%/test_history.c
tests_dispatcherd_test_history_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_history_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_history_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_worker_cause_SOURCES = $(CONTROL_SCENE) %D%/test_worker_cause.c
tests_dispatcherd_test_worker_cause_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_worker_cause_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_worker_cause_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_store_SOURCES = %D%/test_store.c
tests_dispatcherd_test_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_store_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_store_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_store_room_SOURCES = %D%/test_store_room.c
tests_dispatcherd_test_store_room_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_store_room_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_store_room_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_stress_SOURCES = $(CONTROL_SCENE) %D%/test_stress.c
tests_dispatcherd_test_stress_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_stress_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_stress_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_worker_ring_SOURCES = $(CONTROL_SCENE) %D%/test_worker_ring.c
tests_dispatcherd_test_worker_ring_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_worker_ring_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_worker_ring_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_handoff_SOURCES = $(CONTROL_SCENE) %D%/test_handoff.c
tests_dispatcherd_test_handoff_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_handoff_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_handoff_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_pace_SOURCES = %D%/test_pace.c
tests_dispatcherd_test_pace_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_pace_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_pace_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_logfile_SOURCES = %D%/test_logfile.c
tests_dispatcherd_test_logfile_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_logfile_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_logfile_LDADD = $(CONTROL_TEST_LIBS)

LINGERING = \
	%D%/lingering.c \
	%D%/lingering.h

tests_dispatcherd_test_closer_SOURCES = $(LINGERING) %D%/test_closer.c
tests_dispatcherd_test_closer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_closer_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_closer_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_handed_fd_SOURCES = $(CONTROL_SCENE) $(LINGERING) %D%/test_handed_fd.c
tests_dispatcherd_test_handed_fd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_handed_fd_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_handed_fd_LDADD = $(CONTROL_TEST_LIBS)

tests_dispatcherd_test_last_words_SOURCES = $(CONTROL_SCENE) $(LINGERING) %D%/test_last_words.c
tests_dispatcherd_test_last_words_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dispatcherd_test_last_words_CFLAGS = $(CONTROL_TEST_CFLAGS)
tests_dispatcherd_test_last_words_LDADD = $(CONTROL_TEST_LIBS)
