# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# What the delivered workers share.
noinst_LIBRARIES += libworkercommon.a
libworkercommon_a_SOURCES = \
	%D%/common/parameters.c \
	%D%/common/parameters.h \
	%D%/common/parameters_worker.c \
	%D%/common/send_away.c \
	%D%/common/send_away.h \
	%D%/common/unit.c \
	%D%/common/unit.h

worker_PROGRAMS += tcp_smtp_server

# All but main(), so that the tests link it too.
noinst_LIBRARIES += libsmtpserver.a
libsmtpserver_a_SOURCES = \
	%D%/tcp_smtp_server/command.c \
	%D%/tcp_smtp_server/command.h \
	%D%/tcp_smtp_server/data.c \
	%D%/tcp_smtp_server/data.h \
	%D%/tcp_smtp_server/deadline.c \
	%D%/tcp_smtp_server/deadline.h \
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
	%D%/tcp_smtp_server/settings.c \
	%D%/tcp_smtp_server/settings.h \
	%D%/tcp_smtp_server/trace.c \
	%D%/tcp_smtp_server/trace.h \
	%D%/tcp_smtp_server/transport.c \
	%D%/tcp_smtp_server/transport.h

tcp_smtp_server_SOURCES = \
	%D%/tcp_smtp_server/connection_log.c \
	%D%/tcp_smtp_server/connection_log.h \
	%D%/tcp_smtp_server/main.c
tcp_smtp_server_LDADD = libsmtpserver.a libworkercommon.a libdispatcher.la libbase.la

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
	%D%/inetd/traps.h
libinetd_a_CFLAGS = $(AM_CFLAGS) -pthread

inetd_SOURCES = %D%/inetd/main.c
inetd_CFLAGS = $(AM_CFLAGS) -pthread
inetd_LDADD = libinetd.a libworkercommon.a libdispatcher.la libbase.la

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
	%D%/proxy/pipes.c \
	%D%/proxy/pipes.h \
	%D%/proxy/relay.c \
	%D%/proxy/relay.h \
	%D%/proxy/session.c \
	%D%/proxy/session.h \
	%D%/proxy/settings.c \
	%D%/proxy/settings.h \
	%D%/proxy/trouble.c \
	%D%/proxy/trouble.h \
	%D%/proxy/way.c \
	%D%/proxy/way.h
libproxy_a_CFLAGS = $(AM_CFLAGS) -pthread

proxy_SOURCES = %D%/proxy/main.c
proxy_LDFLAGS = -pthread
proxy_LDADD = libproxy.a libworkercommon.a libdispatcher.la libbase.la
