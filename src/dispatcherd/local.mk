sbin_PROGRAMS += dispatcherd

# All but main(), so that the tests link it too.
noinst_LTLIBRARIES += libdaemon.la
libdaemon_la_SOURCES = \
	%D%/admission.c \
	%D%/admission.h \
	%D%/completion.c \
	%D%/completion.h \
	%D%/connection.c \
	%D%/connection.h \
	%D%/context.c \
	%D%/context.h \
	%D%/debug.h \
	%D%/dispatch.c \
	%D%/dispatch.h \
	%D%/fullness.c \
	%D%/fullness.h \
	%D%/handoff.c \
	%D%/handoff.h \
	%D%/hangup.c \
	%D%/hangup.h \
	%D%/listener.c \
	%D%/listener.h \
	%D%/logfile.c \
	%D%/logfile.h \
	%D%/manager.c \
	%D%/manager.h \
	%D%/message_ids.h \
	%D%/notify.c \
	%D%/notify.h \
	%D%/operations.c \
	%D%/operations.h \
	%D%/report.c \
	%D%/report.h \
	%D%/service.c \
	%D%/service.h \
	%D%/sockets.c \
	%D%/sockets.h \
	%D%/spawner.c \
	%D%/spawner.h \
	%D%/spawner_self.c \
	%D%/spawner_unit.c \
	%D%/status.c \
	%D%/status.h \
	%D%/welcome.c \
	%D%/welcome.h \
	%D%/worker.c \
	%D%/worker.h \
	%D%/worker_channel.c \
	%D%/worker_channel.h \
	%D%/worker_end.c \
	%D%/worker_end.h \
	%D%/worker_start.c \
	%D%/worker_start.h
libdaemon_la_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS)
libdaemon_la_LIBADD = libconfig.la libpool.la libprotocol.la libbase.la $(LIBSYSTEMD_LIBS)

dispatcherd_SOURCES = %D%/main.c
dispatcherd_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS)
dispatcherd_LDADD = libdaemon.la
