# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
UNIT_TESTS += \
	tests/dispatcherd/alerts/test_alerts \
	tests/dispatcherd/checks/test_decisions_store \
	tests/dispatcherd/checks/test_hangup \
	tests/dispatcherd/checks/test_list_alerts \
	tests/dispatcherd/checks/test_reject \
	tests/dispatcherd/checks/test_throttle_store \
	tests/dispatcherd/checks/test_trial \
	tests/dispatcherd/config/test_due \
	tests/dispatcherd/config/test_fingerprint \
	tests/dispatcherd/control/test_cache \
	tests/dispatcherd/control/test_client_limits \
	tests/dispatcherd/control/test_control \
	tests/dispatcherd/control/test_explain \
	tests/dispatcherd/control/test_follow \
	tests/dispatcherd/control/test_methods \
	tests/dispatcherd/control/test_peer \
	tests/dispatcherd/control/test_share \
	tests/dispatcherd/core/test_backend \
	tests/dispatcherd/core/test_certificate \
	tests/dispatcherd/core/test_connection \
	tests/dispatcherd/core/test_connection_store \
	tests/dispatcherd/core/test_failed_starts \
	tests/dispatcherd/core/test_passed_on \
	tests/dispatcherd/core/test_ring_watch \
	tests/dispatcherd/core/test_unsent \
	tests/dispatcherd/fleet/test_breaker \
	tests/dispatcherd/fleet/test_fleet_key \
	tests/dispatcherd/fleet/test_ledger \
	tests/dispatcherd/fleet/test_open_counts \
	tests/dispatcherd/fleet/test_reply \
	tests/dispatcherd/fleet/test_waits \
	tests/dispatcherd/limits/test_store_room \
	tests/dispatcherd/limits/test_task_limits \
	tests/dispatcherd/limits/test_task_room \
	tests/dispatcherd/messages/test_orders \
	tests/dispatcherd/messages/test_stress \
	tests/dispatcherd/messages/test_tls \
	tests/dispatcherd/messages/test_worker_ring \
	tests/dispatcherd/process/test_environment \
	tests/dispatcherd/process/test_logfile \
	tests/dispatcherd/process/test_reserve \
	tests/dispatcherd/process/test_spawner_self \
	tests/dispatcherd/recorder/test_recorder \
	tests/dispatcherd/recorder/test_ring_file \
	tests/dispatcherd/report/test_bulk \
	tests/dispatcherd/report/test_json \
	tests/dispatcherd/service/test_arrival \
	tests/dispatcherd/service/test_dispatch \
	tests/dispatcherd/service/test_families \
	tests/dispatcherd/service/test_socket_match \
	tests/dispatcherd/service/test_spare_sockets \
	tests/dispatcherd/service/test_statistics_log \
	tests/dispatcherd/sockets/test_handed_fd \
	tests/dispatcherd/sockets/test_kernel_queue \
	tests/dispatcherd/sockets/test_reach \
	tests/dispatcherd/store/test_closer \
	tests/dispatcherd/store/test_inherited \
	tests/dispatcherd/store/test_state \
	tests/dispatcherd/store/test_store \
	tests/dispatcherd/store/test_store_limit \
	tests/dispatcherd/store/test_stored_name \
	tests/dispatcherd/test_last_words \
	tests/dispatcherd/test_loop \
	tests/dispatcherd/views/test_history \
	tests/dispatcherd/worker/test_cause \
	tests/dispatcherd/worker/test_closing \
	tests/dispatcherd/worker/test_exit \
	tests/dispatcherd/worker/test_handoff \
	tests/dispatcherd/worker/test_life \
	tests/dispatcherd/worker/test_start

TESTS += tests/dispatcherd/test_debug_bits.sh
dist_check_SCRIPTS += %D%/test_debug_bits.sh
