#include "workers/tcp_smtp_server/session_log.h"

#include <stdio.h>

enum {
    TEXT_BYTES = 1536,
    FIELD_BYTES = 128,
};

void session_log(int priority, const struct session_settings *settings,
                 const struct session_peer *peer, const char *format, ...)
{
    char text[TEXT_BYTES], service[FIELD_BYTES], connection[FIELD_BYTES];
    char address[FIELD_BYTES], port[FIELD_BYTES];
    const char *const fields[] = {service, connection, address, port};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(service, sizeof(service), "DISPATCHER_SERVICE=%s", settings->service);
    snprintf(connection, sizeof(connection), "DISPATCHER_CONNECTION=%s", peer->connection_id);
    snprintf(address, sizeof(address), "DISPATCHER_CLIENT_ADDRESS=%s", peer->host);
    snprintf(port, sizeof(port), "DISPATCHER_CLIENT_PORT=%u", peer->port);
    log_line(priority, fields, ELEMENTSOF(fields), "%s: connection %s from %s: %s",
             settings->service, peer->connection_id, peer->host, text);
}
