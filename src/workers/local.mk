# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# What the delivered workers share.
noinst_LIBRARIES += libworkercommon.a
libworkercommon_a_SOURCES = \
	%D%/common/deadline.c \
	%D%/common/deadline.h \
	%D%/common/descriptors.c \
	%D%/common/descriptors.h \
	%D%/common/line_limit.c \
	%D%/common/line_limit.h \
	%D%/common/parameters.c \
	%D%/common/parameters.h \
	%D%/common/parameters_worker.c \
	%D%/common/pipes.c \
	%D%/common/pipes.h \
	%D%/common/send_away.c \
	%D%/common/send_away.h \
	%D%/common/unit.c \
	%D%/common/unit.h \
	%D%/common/wait.c \
	%D%/common/wait.h \
	%D%/common/way.c \
	%D%/common/way.h

# TLS, for those that speak it. What needs OpenSSL is in a shared object, which workers with a
# certificate load; the tests have it in them.
noinst_LIBRARIES += libworkertls.a libworkertlsload.a
libworkertls_a_SOURCES = \
	%D%/tls/credential.c \
	%D%/tls/credential.h \
	%D%/tls/facts.h \
	%D%/tls/failure.c \
	%D%/tls/failure.h \
	%D%/tls/settings.c \
	%D%/tls/settings.h \
	%D%/tls/tls_end.c \
	%D%/tls/tls_end.h \
	%D%/tls/worker.c \
	%D%/tls/worker.h
libworkertls_a_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS)

libworkertlsload_a_SOURCES = \
	%D%/tls/functions.h \
	%D%/tls/load_module.c
libworkertlsload_a_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS)

openssl_sources = \
	%D%/tls/certificate.c \
	%D%/tls/certificate.h \
	%D%/tls/context.c \
	%D%/tls/context.h \
	%D%/tls/failure_queue.c \
	%D%/tls/failure_queue.h \
	%D%/tls/gate.c \
	%D%/tls/gate.h \
	%D%/tls/socket_bio.c \
	%D%/tls/socket_bio.h \
	%D%/tls/tls_session.c \
	%D%/tls/tls_session.h

worker_LTLIBRARIES = tls.la
tls_la_SOURCES = \
	$(openssl_sources) \
	%D%/common/deadline.c \
	%D%/common/wait.c \
	%D%/tls/credential.c \
	%D%/tls/functions.c
tls_la_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS) -pthread
tls_la_LDFLAGS = -module -avoid-version -shared -pthread -export-symbols-regex '^tls_functions$$'
tls_la_LIBADD = libbase.la $(LIBSSL_LIBS)

check_LIBRARIES += libworkeropenssl.a
libworkeropenssl_a_SOURCES = $(openssl_sources)
libworkeropenssl_a_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS)

# What programs link that use it; libworkercommon.a, libdispatcher.la and libbase.la come after it.
LINK_TLS = libworkertls.a libworkertlsload.a

worker_PROGRAMS += tcp_smtp_server

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libsmtpserver.a
libsmtpserver_a_SOURCES = \
	%D%/tcp_smtp_server/command.c \
	%D%/tcp_smtp_server/command.h \
	%D%/tcp_smtp_server/data.c \
	%D%/tcp_smtp_server/data.h \
	%D%/tcp_smtp_server/envelope.h \
	%D%/tcp_smtp_server/line_reader.c \
	%D%/tcp_smtp_server/line_reader.h \
	%D%/tcp_smtp_server/maildir.c \
	%D%/tcp_smtp_server/maildir.h \
	%D%/tcp_smtp_server/message.c \
	%D%/tcp_smtp_server/message.h \
	%D%/tcp_smtp_server/path.c \
	%D%/tcp_smtp_server/path.h \
	%D%/tcp_smtp_server/reply.c \
	%D%/tcp_smtp_server/reply.h \
	%D%/tcp_smtp_server/session.c \
	%D%/tcp_smtp_server/session.h \
	%D%/tcp_smtp_server/session_commands.c \
	%D%/tcp_smtp_server/session_internal.h \
	%D%/tcp_smtp_server/session_log.c \
	%D%/tcp_smtp_server/session_log.h \
	%D%/tcp_smtp_server/session_tls.c \
	%D%/tcp_smtp_server/settings.c \
	%D%/tcp_smtp_server/settings.h \
	%D%/tcp_smtp_server/trace.c \
	%D%/tcp_smtp_server/trace.h \
	%D%/tcp_smtp_server/transport.c \
	%D%/tcp_smtp_server/transport.h \
	%D%/tcp_smtp_server/transport_tls.c \
	%D%/tcp_smtp_server/transport_tls.h

# What programs link that use it; libbase.la comes after it.
LINK_SMTPSERVER = libsmtpserver.a $(LINK_TLS) libworkercommon.a

tcp_smtp_server_SOURCES = \
	%D%/tcp_smtp_server/connection_log.c \
	%D%/tcp_smtp_server/connection_log.h \
	%D%/tcp_smtp_server/main.c
tcp_smtp_server_LDADD = $(LINK_SMTPSERVER) libdispatcher.la libbase.la

worker_PROGRAMS += inetd

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libinetd.a
libinetd_a_SOURCES = \
	%D%/inetd/advice.c \
	%D%/inetd/advice.h \
	%D%/inetd/command.c \
	%D%/inetd/command.h \
	%D%/inetd/environment.c \
	%D%/inetd/environment.h \
	%D%/inetd/error_lines.c \
	%D%/inetd/error_lines.h \
	%D%/inetd/holder.c \
	%D%/inetd/holder.h \
	%D%/inetd/keeper.c \
	%D%/inetd/keeper.h \
	%D%/inetd/launch.c \
	%D%/inetd/launch.h \
	%D%/inetd/leftovers.c \
	%D%/inetd/leftovers.h \
	%D%/inetd/marks.c \
	%D%/inetd/marks.h \
	%D%/inetd/session.c \
	%D%/inetd/session.h \
	%D%/inetd/session_report.c \
	%D%/inetd/session_report.h \
	%D%/inetd/settings.c \
	%D%/inetd/settings.h \
	%D%/inetd/traps.c \
	%D%/inetd/traps.h \
	%D%/inetd/tunnel.c \
	%D%/inetd/tunnel.h
libinetd_a_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS) -pthread

inetd_SOURCES = %D%/inetd/main.c
inetd_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS) -pthread
inetd_LDADD = libinetd.a $(LINK_TLS) libworkercommon.a libdispatcher.la libbase.la

worker_PROGRAMS += proxy

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libproxy.a
libproxy_a_SOURCES = \
	%D%/proxy/backends.c \
	%D%/proxy/backends.h \
	%D%/proxy/connect.c \
	%D%/proxy/connect.h \
	%D%/proxy/header.c \
	%D%/proxy/header.h \
	%D%/proxy/links.h \
	%D%/proxy/relay.c \
	%D%/proxy/relay.h \
	%D%/proxy/session.c \
	%D%/proxy/session.h \
	%D%/proxy/settings.c \
	%D%/proxy/settings.h \
	%D%/proxy/trouble.c \
	%D%/proxy/trouble.h
libproxy_a_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS) -pthread

proxy_SOURCES = %D%/proxy/main.c
proxy_LDFLAGS = -pthread
proxy_CFLAGS = $(AM_CFLAGS) $(LIBSSL_CFLAGS)
proxy_LDADD = libproxy.a $(LINK_TLS) libworkercommon.a libdispatcher.la libbase.la

worker_PROGRAMS += pass

noinst_LIBRARIES += libpass.a
libpass_a_SOURCES = \
	%D%/pass/handover.c \
	%D%/pass/handover.h \
	%D%/pass/pending.c \
	%D%/pass/pending.h \
	%D%/pass/settings.c \
	%D%/pass/settings.h \
	%D%/pass/target.c \
	%D%/pass/target.h

pass_SOURCES = %D%/pass/main.c
pass_LDADD = libpass.a libworkercommon.a libdispatcher.la libbase.la
