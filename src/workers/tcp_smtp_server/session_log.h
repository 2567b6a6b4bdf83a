/* A line about a session in the log: the service's name first, the connection in the journal's
 * fields. */
#pragma once

#include "base/log.h"
#include "workers/tcp_smtp_server/envelope.h"
#include "workers/tcp_smtp_server/settings.h"

void session_log(int priority, const struct session_settings *settings,
                 const struct session_peer *peer, const char *format, ...) _printf_(4, 5);
