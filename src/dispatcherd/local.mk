# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
sbin_PROGRAMS += dispatcherd

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	%D%/adopt.c \
	%D%/adopt.h \
	%D%/by_hand.c \
	%D%/by_hand.h \
	%D%/checks/admission.c \
	%D%/checks/admission.h \
	%D%/checks/reject.c \
	%D%/checks/reject.h \
	%D%/control/client_limits.c \
	%D%/control/client_limits.h \
	%D%/control_manager.c \
	%D%/control_manager.h \
	%D%/due_find.c \
	%D%/due_find.h \
	%D%/host_name_watch.c \
	%D%/host_name_watch.h \
	%D%/loop.c \
	%D%/loop.h \
	%D%/manager.c \
	%D%/manager.h \
	%D%/messages/worker_ring.c \
	%D%/messages/worker_ring.h \
	%D%/orphans.c \
	%D%/orphans.h \
	%D%/readmit.c \
	%D%/readmit.h \
	%D%/reload.c \
	%D%/reload.h \
	%D%/run.c \
	%D%/run.h \
	%D%/service/statistics_log.c \
	%D%/service/statistics_log.h \
	%D%/status.c \
	%D%/status.h \
	%D%/stop.c \
	%D%/stop.h \
	%D%/store/inherited.c \
	%D%/store/inherited.h \
	%D%/succession.c \
	%D%/succession.h \
	%D%/verify.c \
	%D%/verify.h \
	%D%/alerts/alert_texts.c \
	%D%/alerts/alert_texts.h \
	%D%/alerts/alert_watch.c \
	%D%/alerts/alert_watch.h \
	%D%/checks/check.c \
	%D%/checks/check.h \
	%D%/checks/check_internal.h \
	%D%/checks/check_limits.c \
	%D%/checks/check_mapping.c \
	%D%/checks/check_report.c \
	%D%/checks/check_report.h \
	%D%/checks/decisions_store.c \
	%D%/checks/decisions_store.h \
	%D%/checks/hangup.c \
	%D%/checks/hangup.h \
	%D%/checks/identity.c \
	%D%/checks/identity.h \
	%D%/checks/list_alerts.c \
	%D%/checks/list_alerts.h \
	%D%/checks/name_servers.c \
	%D%/checks/name_servers.h \
	%D%/checks/throttle_store.c \
	%D%/checks/throttle_store.h \
	%D%/checks/trial.c \
	%D%/checks/trial.h \
	%D%/config/config_hash.c \
	%D%/config/config_hash.h \
	%D%/config/config_reading.c \
	%D%/config/config_reading.h \
	%D%/config/config_version.c \
	%D%/config/config_version.h \
	%D%/config/due.c \
	%D%/config/due.h \
	%D%/config/fingerprint.c \
	%D%/config/fingerprint.h \
	%D%/config/last_config.c \
	%D%/config/last_config.h \
	%D%/config/mapping_guard.c \
	%D%/config/mapping_guard.h \
	%D%/config/parameter_check.c \
	%D%/config/parameter_check.h \
	%D%/config/unit_credential.c \
	%D%/config/unit_credential.h \
	%D%/config/unit_view.c \
	%D%/config/unit_view.h \
	%D%/config/units_due.c \
	%D%/config/units_due.h \
	%D%/control/cache.c \
	%D%/control/cache.h \
	%D%/control/call.c \
	%D%/control/call.h \
	%D%/control/client.c \
	%D%/control/client.h \
	%D%/control/commands.c \
	%D%/control/control.c \
	%D%/control/control.h \
	%D%/control/explain.c \
	%D%/control/follow.c \
	%D%/control/lists.c \
	%D%/control/methods.c \
	%D%/control/methods.h \
	%D%/control/page.c \
	%D%/control/page.h \
	%D%/control/peer.c \
	%D%/control/peer.h \
	%D%/control/share.c \
	%D%/control/share.h \
	%D%/control/socket.c \
	%D%/control/socket.h \
	%D%/control/throttles.c \
	%D%/core/alerts.c \
	%D%/core/alerts.h \
	%D%/core/archive.c \
	%D%/core/archive.h \
	%D%/core/backend.c \
	%D%/core/backend.h \
	%D%/core/certificate.c \
	%D%/core/certificate.h \
	%D%/core/completion.c \
	%D%/core/completion.h \
	%D%/core/connection.c \
	%D%/core/connection.h \
	%D%/core/connection_store.c \
	%D%/core/connection_store.h \
	%D%/core/context.c \
	%D%/core/context.h \
	%D%/core/failed_starts.c \
	%D%/core/failed_starts.h \
	%D%/core/passed_on.c \
	%D%/core/passed_on.h \
	%D%/core/ring_watch.c \
	%D%/core/ring_watch.h \
	%D%/core/service.c \
	%D%/core/service.h \
	%D%/core/unsent.c \
	%D%/core/unsent.h \
	%D%/core/worker.c \
	%D%/core/worker.h \
	%D%/fleet/breaker.c \
	%D%/fleet/breaker.h \
	%D%/fleet/fleet.c \
	%D%/fleet/fleet.h \
	%D%/fleet/fleet_key.c \
	%D%/fleet/fleet_key.h \
	%D%/fleet/ledger.c \
	%D%/fleet/ledger.h \
	%D%/fleet/link.h \
	%D%/fleet/open_counts.c \
	%D%/fleet/open_counts.h \
	%D%/fleet/waits.c \
	%D%/fleet/waits.h \
	%D%/limits/store_room.c \
	%D%/limits/store_room.h \
	%D%/limits/task_limits.c \
	%D%/limits/task_limits.h \
	%D%/limits/task_room.c \
	%D%/limits/task_room.h \
	%D%/messages/greeting.c \
	%D%/messages/greeting.h \
	%D%/messages/news.c \
	%D%/messages/news.h \
	%D%/messages/orders.c \
	%D%/messages/orders.h \
	%D%/messages/stress.c \
	%D%/messages/stress.h \
	%D%/messages/tls.c \
	%D%/messages/tls.h \
	%D%/messages/worker_log.c \
	%D%/messages/worker_log.h \
	%D%/process/environment.c \
	%D%/process/environment.h \
	%D%/process/logfile.c \
	%D%/process/logfile.h \
	%D%/process/logfile_limited.c \
	%D%/process/logfile_limited.h \
	%D%/process/reserve.c \
	%D%/process/reserve.h \
	%D%/process/spawner.c \
	%D%/process/spawner.h \
	%D%/process/spawner_self.c \
	%D%/process/spawner_unit.c \
	%D%/process/worker_unit.c \
	%D%/process/worker_unit.h \
	%D%/recorder/memory_watch.c \
	%D%/recorder/memory_watch.h \
	%D%/recorder/recorder.c \
	%D%/recorder/recorder.h \
	%D%/recorder/ring_file.c \
	%D%/recorder/ring_file.h \
	%D%/report/bulk.c \
	%D%/report/bulk.h \
	%D%/report/events.c \
	%D%/report/events.h \
	%D%/report/json.c \
	%D%/report/json.h \
	%D%/report/message_ids.h \
	%D%/report/report.c \
	%D%/report/report.h \
	%D%/service/arrival.c \
	%D%/service/arrival.h \
	%D%/service/dispatch.c \
	%D%/service/dispatch.h \
	%D%/service/families.c \
	%D%/service/families.h \
	%D%/service/listener.c \
	%D%/service/listener.h \
	%D%/service/operations.c \
	%D%/service/operations.h \
	%D%/service/socket_match.c \
	%D%/service/socket_match.h \
	%D%/service/sockets.c \
	%D%/service/sockets.h \
	%D%/service/spare_sockets.c \
	%D%/service/spare_sockets.h \
	%D%/sockets/handed_fd.c \
	%D%/sockets/handed_fd.h \
	%D%/sockets/kernel_queue.c \
	%D%/sockets/kernel_queue.h \
	%D%/sockets/listening_socket.h \
	%D%/sockets/reach.c \
	%D%/sockets/reach.h \
	%D%/store/closer.c \
	%D%/store/closer.h \
	%D%/store/closer_process.c \
	%D%/store/closer_process.h \
	%D%/store/job.c \
	%D%/store/job.h \
	%D%/store/notify.c \
	%D%/store/notify.h \
	%D%/store/stall_guard.c \
	%D%/store/stall_guard.h \
	%D%/store/state.c \
	%D%/store/state.h \
	%D%/store/store.c \
	%D%/store/store.h \
	%D%/store/store_limit.c \
	%D%/store/store_limit.h \
	%D%/store/stored_memory.c \
	%D%/store/stored_memory.h \
	%D%/store/stored_name.c \
	%D%/store/stored_name.h \
	%D%/store/systemd_bus.c \
	%D%/store/systemd_bus.h \
	%D%/views/alert_views.c \
	%D%/views/daemon.c \
	%D%/views/daemon.h \
	%D%/views/decision.c \
	%D%/views/dns_list_views.c \
	%D%/views/due_views.c \
	%D%/views/fleet_view.c \
	%D%/views/history.c \
	%D%/views/options.c \
	%D%/views/plan.c \
	%D%/views/statistics.c \
	%D%/views/views.c \
	%D%/views/views.h \
	%D%/worker/cause.c \
	%D%/worker/cause.h \
	%D%/worker/channel.c \
	%D%/worker/channel.h \
	%D%/worker/exit.c \
	%D%/worker/exit.h \
	%D%/worker/handoff.c \
	%D%/worker/handoff.h \
	%D%/worker/life.c \
	%D%/worker/life.h \
	%D%/worker/life_cells.h \
	%D%/worker/life_leaving.c \
	%D%/worker/life_limit.c \
	%D%/worker/life_limit.h \
	%D%/worker/life_working.c \
	%D%/worker/linger.c \
	%D%/worker/linger.h \
	%D%/worker/ring_poll.c \
	%D%/worker/ring_poll.h \
	%D%/worker/start.c \
	%D%/worker/start.h \
	%D%/worker/worker_end.c \
	%D%/worker/worker_end.h \
	%D%/worker/worker_memory.c \
	%D%/worker/worker_memory.h
if WITH_FLEET
libdaemon_a_SOURCES += \
	%D%/fleet/link.c \
	%D%/fleet/link_internal.h \
	%D%/fleet/link_reply.c \
	%D%/fleet/password.c \
	%D%/fleet/password.h \
	%D%/fleet/reply.c \
	%D%/fleet/reply.h \
	%D%/fleet/request.c \
	%D%/fleet/request.h \
	%D%/sockets/fleet_address.c \
	%D%/sockets/fleet_address.h \
	%D%/sockets/fleet_socket.c \
	%D%/sockets/fleet_socket.h
else
libdaemon_a_SOURCES += %D%/fleet/link_none.c
endif
nodist_libdaemon_a_SOURCES = %D%/control/descriptions.c
libdaemon_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(HIREDIS_CFLAGS)
LINK_DAEMON = libdaemon.a $(LINK_VARLINK) libunits.a $(LINK_MAPPING) libpool.a libstatistics.a \
	librecording.a libprotocol.la $(LINK_ACCESS) $(LINK_DNS) $(HIREDIS_LIBS)

dispatcherd_SOURCES = %D%/main.c
dispatcherd_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS)
dispatcherd_LDADD = $(LINK_DAEMON)

# The interface descriptions, which the daemon gives to whoever asks.
CONTROL_DESCRIPTIONS = \
	%D%/io.dispatcherd.Control.varlink \
	%D%/org.varlink.service.varlink
EXTRA_DIST += $(CONTROL_DESCRIPTIONS)
CLEANFILES += %D%/control/descriptions.c

%D%/control/descriptions.c: $(CONTROL_DESCRIPTIONS) %D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) $(@D) && { \
		as_string() { $(SED) -e 's/[\\"]/\\&/g' -e 's/.*/    "&\\n"/'; } && \
		echo '#include "dispatcherd/control/methods.h"' && \
		echo 'const char control_interface_description[] =' && \
		as_string < $(srcdir)/%D%/io.dispatcherd.Control.varlink && echo '    ;' && \
		echo 'const char varlink_service_description[] =' && \
		as_string < $(srcdir)/%D%/org.varlink.service.varlink && echo '    ;'; \
	} > $@.new && mv $@.new $@
