sbin_PROGRAMS += dispatcherd

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	%D%/access.c \
	%D%/access.h \
	%D%/admission.c \
	%D%/admission.h \
	%D%/adopt.c \
	%D%/adopt.h \
	%D%/alerts.c \
	%D%/alerts.h \
	%D%/bulk.c \
	%D%/bulk.h \
	%D%/check.c \
	%D%/check.h \
	%D%/check_internal.h \
	%D%/check_mapping.c \
	%D%/check_report.c \
	%D%/check_report.h \
	%D%/checks_store.c \
	%D%/checks_store.h \
	%D%/closer.c \
	%D%/closer.h \
	%D%/closer_process.c \
	%D%/closer_process.h \
	%D%/completion.c \
	%D%/completion.h \
	%D%/config_reading.c \
	%D%/config_reading.h \
	%D%/config_version.c \
	%D%/config_version.h \
	%D%/connection.c \
	%D%/connection.h \
	%D%/context.c \
	%D%/context.h \
	%D%/control.c \
	%D%/control.h \
	%D%/control_alerts.c \
	%D%/control_cache.c \
	%D%/control_cache.h \
	%D%/control_call.h \
	%D%/control_client.c \
	%D%/control_client.h \
	%D%/control_commands.c \
	%D%/control_due.c \
	%D%/control_explain.c \
	%D%/control_lists.c \
	%D%/control_manager.c \
	%D%/control_manager.h \
	%D%/control_methods.c \
	%D%/control_methods.h \
	%D%/control_options.c \
	%D%/control_page.c \
	%D%/control_page.h \
	%D%/control_peer.c \
	%D%/control_peer.h \
	%D%/control_places.c \
	%D%/control_places.h \
	%D%/control_follow.c \
	%D%/control_history.c \
	%D%/control_share.c \
	%D%/control_share.h \
	%D%/control_socket.c \
	%D%/control_socket.h \
	%D%/control_statistics.c \
	%D%/control_views.c \
	%D%/control_views.h \
	%D%/decisions_store.c \
	%D%/decisions_store.h \
	%D%/dispatch.c \
	%D%/dispatch.h \
	%D%/due.c \
	%D%/due.h \
	%D%/due_find.c \
	%D%/due_find.h \
	%D%/ended.c \
	%D%/ended.h \
	%D%/events.c \
	%D%/events.h \
	%D%/families.c \
	%D%/families.h \
	%D%/figures.c \
	%D%/figures.h \
	%D%/fingerprint.c \
	%D%/fingerprint.h \
	%D%/handed_fd.c \
	%D%/handed_fd.h \
	%D%/handoff.c \
	%D%/handoff.h \
	%D%/hangup.c \
	%D%/hangup.h \
	%D%/host_name_watch.c \
	%D%/host_name_watch.h \
	%D%/identity.c \
	%D%/identity.h \
	%D%/job.c \
	%D%/job.h \
	%D%/json.c \
	%D%/json.h \
	%D%/last_config.c \
	%D%/last_config.h \
	%D%/list_alerts.c \
	%D%/list_alerts.h \
	%D%/listener.c \
	%D%/listener.h \
	%D%/listening_socket.h \
	%D%/logfile.c \
	%D%/logfile.h \
	%D%/logfile_limited.c \
	%D%/logfile_limited.h \
	%D%/loop.c \
	%D%/loop.h \
	%D%/manager.c \
	%D%/manager.h \
	%D%/mapping_guard.c \
	%D%/mapping_guard.h \
	%D%/message_ids.h \
	%D%/name_servers.c \
	%D%/name_servers.h \
	%D%/notify.c \
	%D%/notify.h \
	%D%/operations.c \
	%D%/operations.h \
	%D%/pace.c \
	%D%/pace.h \
	%D%/passed.c \
	%D%/passed.h \
	%D%/orphans.c \
	%D%/orphans.h \
	%D%/queue.c \
	%D%/queue.h \
	%D%/refusal.c \
	%D%/refusal.h \
	%D%/reach.c \
	%D%/reach.h \
	%D%/refusal_run.c \
	%D%/refusal_run.h \
	%D%/readmit.c \
	%D%/readmit.h \
	%D%/reload.c \
	%D%/reload.h \
	%D%/report.c \
	%D%/report.h \
	%D%/reserve.c \
	%D%/reserve.h \
	%D%/run.c \
	%D%/run.h \
	%D%/service.c \
	%D%/service.h \
	%D%/socket_match.c \
	%D%/socket_match.h \
	%D%/sockets.c \
	%D%/sockets.h \
	%D%/spare_sockets.c \
	%D%/spare_sockets.h \
	%D%/spawner.c \
	%D%/spawner.h \
	%D%/spawner_self.c \
	%D%/spawner_unit.c \
	%D%/stall_guard.c \
	%D%/stall_guard.h \
	%D%/state.c \
	%D%/state.h \
	%D%/status.c \
	%D%/status.h \
	%D%/stop.c \
	%D%/stop.h \
	%D%/store.c \
	%D%/store.h \
	%D%/store_limit.c \
	%D%/store_limit.h \
	%D%/store_room.c \
	%D%/store_room.h \
	%D%/succession.c \
	%D%/succession.h \
	%D%/stress.c \
	%D%/stress.h \
	%D%/systemd_bus.c \
	%D%/systemd_bus.h \
	%D%/throttle_store.c \
	%D%/throttle_store.h \
	%D%/trial.c \
	%D%/trial.h \
	%D%/unit_view.c \
	%D%/unit_view.h \
	%D%/units_due.c \
	%D%/units_due.h \
	%D%/verify.c \
	%D%/verify.h \
	%D%/welcome.c \
	%D%/welcome.h \
	%D%/worker.c \
	%D%/worker.h \
	%D%/worker_cause.c \
	%D%/worker_cause.h \
	%D%/worker_channel.c \
	%D%/worker_channel.h \
	%D%/worker_end.c \
	%D%/worker_end.h \
	%D%/worker_environment.c \
	%D%/worker_environment.h \
	%D%/worker_exit.c \
	%D%/worker_exit.h \
	%D%/worker_ids.c \
	%D%/worker_ids.h \
	%D%/worker_limits.c \
	%D%/worker_limits.h \
	%D%/worker_linger.c \
	%D%/worker_linger.h \
	%D%/worker_log.c \
	%D%/worker_log.h \
	%D%/worker_ring.c \
	%D%/worker_ring.h \
	%D%/worker_start.c \
	%D%/worker_start.h \
	%D%/worker_unit.c \
	%D%/worker_unit.h
nodist_libdaemon_a_SOURCES = %D%/control_descriptions.c
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
CLEANFILES += %D%/control_descriptions.c

%D%/control_descriptions.c: $(CONTROL_DESCRIPTIONS) %D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) $(@D) && { \
		as_string() { $(SED) -e 's/[\\"]/\\&/g' -e 's/.*/    "&\\n"/'; } && \
		echo '#include "dispatcherd/control_methods.h"' && \
		echo 'const char control_interface_description[] =' && \
		as_string < $(srcdir)/%D%/io.dispatcherd.Control.varlink && echo '    ;' && \
		echo 'const char varlink_service_description[] =' && \
		as_string < $(srcdir)/%D%/org.varlink.service.varlink && echo '    ;'; \
	} > $@.new && mv $@.new $@
