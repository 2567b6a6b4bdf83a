bin_PROGRAMS += dispatcherctl

# All but main(), so that the tests link it too.
noinst_LTLIBRARIES += libctl.la
libctl_la_SOURCES = \
	%D%/client.c \
	%D%/client.h \
	%D%/duration.c \
	%D%/duration.h \
	%D%/explain.c \
	%D%/explain.h \
	%D%/reply.c \
	%D%/reply.h \
	%D%/table.c \
	%D%/table.h \
	%D%/views.c \
	%D%/views.h
libctl_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libctl_la_LIBADD = libvarlink.la libbase.la $(JANSSON_LIBS)

dispatcherctl_SOURCES = %D%/main.c
dispatcherctl_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
dispatcherctl_LDADD = libctl.la $(LIBSYSTEMD_LIBS) $(JANSSON_LIBS)

worker_PROGRAMS += worker_ended
worker_ended_SOURCES = %D%/worker_ended.c
worker_ended_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
worker_ended_LDADD = libctl.la $(LIBSYSTEMD_LIBS) $(JANSSON_LIBS)

# Completions are found by the name of the command.
EXTRA_DIST += %D%/dispatcherctl.bash
nodist_bashcompletion_DATA = %D%/dispatcherctl
CLEANFILES += %D%/dispatcherctl

%D%/dispatcherctl: %D%/dispatcherctl.bash
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@
