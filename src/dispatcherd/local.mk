# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
sbin_PROGRAMS += dispatcherd

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	%D%/adopt.c \
	%D%/adopt.h \
	%D%/config_reading.c \
	%D%/config_reading.h \
	%D%/control_manager.c \
	%D%/control_manager.h \
	%D%/due_find.c \
	%D%/due_find.h \
	%D%/host_name_watch.c \
	%D%/host_name_watch.h \
	%D%/last_config.c \
	%D%/last_config.h \
	%D%/loop.c \
	%D%/loop.h \
	%D%/manager.c \
	%D%/manager.h \
	%D%/orphans.c \
	%D%/orphans.h \
	%D%/parameter_check.c \
	%D%/parameter_check.h \
	%D%/readmit.c \
	%D%/readmit.h \
	%D%/reload.c \
	%D%/reload.h \
	%D%/run.c \
	%D%/run.h \
	%D%/status.c \
	%D%/status.h \
	%D%/stop.c \
	%D%/stop.h \
	%D%/store_room.c \
	%D%/store_room.h \
	%D%/succession.c \
	%D%/succession.h \
	%D%/unit_view.c \
	%D%/unit_view.h \
	%D%/units_due.c \
	%D%/units_due.h \
	%D%/verify.c \
	%D%/verify.h \
	%D%/checks/access.c \
	%D%/checks/access.h \
	%D%/checks/check.c \
	%D%/checks/check.h \
	%D%/checks/check_internal.h \
	%D%/checks/check_mapping.c \
	%D%/checks/check_report.c \
	%D%/checks/check_report.h \
	%D%/checks/checks_store.c \
	%D%/checks/checks_store.h \
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
	%D%/checks/refusal.c \
	%D%/checks/refusal.h \
	%D%/checks/throttle_store.c \
	%D%/checks/throttle_store.h \
	%D%/control/alert_views.c \
	%D%/control/cache.c \
	%D%/control/cache.h \
	%D%/control/call.h \
	%D%/control/client.c \
	%D%/control/client.h \
	%D%/control/commands.c \
	%D%/control/control.c \
	%D%/control/control.h \
	%D%/control/due_views.c \
	%D%/control/explain.c \
	%D%/control/follow.c \
	%D%/control/history.c \
	%D%/control/lists.c \
	%D%/control/methods.c \
	%D%/control/methods.h \
	%D%/control/options.c \
	%D%/control/page.c \
	%D%/control/page.h \
	%D%/control/peer.c \
	%D%/control/peer.h \
	%D%/control/places.c \
	%D%/control/places.h \
	%D%/control/share.c \
	%D%/control/share.h \
	%D%/control/socket.c \
	%D%/control/socket.h \
	%D%/control/statistics.c \
	%D%/control/trial.c \
	%D%/control/trial.h \
	%D%/control/views.c \
	%D%/control/views.h \
	%D%/core/alerts.c \
	%D%/core/alerts.h \
	%D%/core/archive.c \
	%D%/core/archive.h \
	%D%/core/backend.c \
	%D%/core/backend.h \
	%D%/core/completion.c \
	%D%/core/completion.h \
	%D%/core/config_version.c \
	%D%/core/config_version.h \
	%D%/core/connection.c \
	%D%/core/connection.h \
	%D%/core/context.c \
	%D%/core/context.h \
	%D%/core/due.c \
	%D%/core/due.h \
	%D%/core/fingerprint.c \
	%D%/core/fingerprint.h \
	%D%/core/handed_fd.c \
	%D%/core/handed_fd.h \
	%D%/core/kernel_queue.c \
	%D%/core/kernel_queue.h \
	%D%/core/listening_socket.h \
	%D%/core/logfile.c \
	%D%/core/logfile.h \
	%D%/core/mapping_guard.c \
	%D%/core/mapping_guard.h \
	%D%/core/pace.c \
	%D%/core/pace.h \
	%D%/core/reach.c \
	%D%/core/reach.h \
	%D%/core/refusal_run.c \
	%D%/core/refusal_run.h \
	%D%/core/reserve.c \
	%D%/core/reserve.h \
	%D%/core/service.c \
	%D%/core/service.h \
	%D%/core/worker.c \
	%D%/core/worker.h \
	%D%/core/worker_unit.c \
	%D%/core/worker_unit.h \
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
	%D%/service/figures.c \
	%D%/service/figures.h \
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
	%D%/store/closer.c \
	%D%/store/closer.h \
	%D%/store/closer_process.c \
	%D%/store/closer_process.h \
	%D%/store/job.c \
	%D%/store/job.h \
	%D%/store/notify.c \
	%D%/store/notify.h \
	%D%/store/passed.c \
	%D%/store/passed.h \
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
	%D%/store/systemd_bus.c \
	%D%/store/systemd_bus.h \
	%D%/worker/cause.c \
	%D%/worker/cause.h \
	%D%/worker/channel.c \
	%D%/worker/channel.h \
	%D%/worker/closing.c \
	%D%/worker/closing.h \
	%D%/worker/environment.c \
	%D%/worker/environment.h \
	%D%/worker/exit.c \
	%D%/worker/exit.h \
	%D%/worker/greeting.c \
	%D%/worker/greeting.h \
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
	%D%/worker/logfile_limited.c \
	%D%/worker/logfile_limited.h \
	%D%/worker/news.c \
	%D%/worker/news.h \
	%D%/worker/orders.c \
	%D%/worker/orders.h \
	%D%/worker/ring.c \
	%D%/worker/ring.h \
	%D%/worker/spawner.c \
	%D%/worker/spawner.h \
	%D%/worker/spawner_self.c \
	%D%/worker/spawner_unit.c \
	%D%/worker/start.c \
	%D%/worker/start.h \
	%D%/worker/stress.c \
	%D%/worker/stress.h \
	%D%/worker/worker_log.c \
	%D%/worker/worker_log.h
nodist_libdaemon_a_SOURCES = %D%/control/descriptions.c
libdaemon_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
LINK_DAEMON = libdaemon.a $(LINK_VARLINK) libunits.a $(LINK_MAPPING) libpool.a libstatistics.a \
	libprotocol.la $(LINK_ACCESS)

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
