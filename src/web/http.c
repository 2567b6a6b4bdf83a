/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/http.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "web/assets.h"
#include "web/host.h"
#include "web/http_slots.h"
#include "web/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How long a connection may be without a byte for the client. (http_slots.h limits the time for its
 * request.) */
#define IDLE_LIMIT_SEC 10U

/* How many connections are ended at a time to make room for others. */
#define DISPLACED_AT_ONCE 8

/* A request has few headers, and its body is not read. */
#define REQUEST_MAX_BYTES ((size_t)16384)

struct http {
    struct MHD_Daemon *daemon;
    struct answers *answers;
    const char *const *hosts;
    size_t n_hosts;
    struct http_slots slots;
    unsigned n_added; /* since MHD_run(), which counts them itself from libmicrohttpd 1.0 on */
    struct {
        struct MHD_Response *response; /* owned; NULL: there is none yet */
        uint64_t made_at;
    } cached[ANSWER_KINDS];
};

static const char *const answer_type[ANSWER_KINDS] = {
    [ANSWER_PAGE] = "text/html; charset=utf-8",
};

/* Responses */

/* No content from other origins, no frames, no forms; one request for each connection, so that none
 * is kept open. */
static int add_headers(struct MHD_Response *response, const char *type, const char *cache)
{
    const char *const headers[][2] = {
        {"Content-Type", type},
        {"Cache-Control", cache},
        {"Connection", "close"},
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
         "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };

    for (size_t i = 0; i < ELEMENTSOF(headers); i++)
        if (MHD_add_response_header(response, headers[i][0], headers[i][1]) != MHD_YES)
            return -ENOMEM;
    return 0;
}

/* For a text that is never freed. */
static struct MHD_Response *fixed_response(const char *text, const char *type, const char *cache)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

    if (response && add_headers(response, type, cache) < 0) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

static int make_response(struct http *http, enum answer_kind kind, struct MHD_Response **ret)
{
    const char *type = kind == ANSWER_METRICS_OPEN    ? metrics_content_type[METRICS_OPEN]
                       : kind == ANSWER_METRICS_PLAIN ? metrics_content_type[METRICS_PLAIN]
                                                      : answer_type[kind];
    size_t length;
    char *text;

    int r = answers_make(http->answers, kind, &text, &length);
    if (r < 0)
        return r;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text);
        return -ENOMEM;
    }
    if (add_headers(response, type, "no-store") < 0) {
        MHD_destroy_response(response);
        return -ENOMEM;
    }
    *ret = response;
    return 0;
}

/* The response for all requests within the same second. */
static struct MHD_Response *cached_response(struct http *http, enum answer_kind kind)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct MHD_Response *response;

    if (http->cached[kind].response && now - http->cached[kind].made_at < ANSWER_AGE_USEC)
        return http->cached[kind].response;
    if (make_response(http, kind, &response) < 0)
        return NULL;
    if (http->cached[kind].response)
        MHD_destroy_response(http->cached[kind].response);
    http->cached[kind].response = response;
    http->cached[kind].made_at = time_now_usec(CLOCK_MONOTONIC);
    return response;
}

/* Requests */

static enum MHD_Result answer_fixed(struct MHD_Connection *connection, unsigned status,
                                    const char *text, const char *type, const char *cache)
{
    struct MHD_Response *response = fixed_response(text, type, cache);
    enum MHD_Result result = MHD_NO;

    if (!response)
        return MHD_NO;
    if (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
        MHD_add_response_header(response, "Allow", "GET, HEAD") == MHD_YES)
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer_fixed(connection, status, text, "text/plain; charset=utf-8", "no-store");
}

static enum MHD_Result answer(struct http *http, struct MHD_Connection *connection,
                              enum answer_kind kind)
{
    struct MHD_Response *response = cached_response(http, kind);

    return response ? MHD_queue_response(connection, MHD_HTTP_OK, response) : MHD_NO;
}

/* Prometheus says that it accepts OpenMetrics; other clients get the format that all can read. */
static enum answer_kind metrics_kind(struct MHD_Connection *connection)
{
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");

    return accept && strstr(accept, "application/openmetrics-text") ? ANSWER_METRICS_OPEN
                                                                    : ANSWER_METRICS_PLAIN;
}

static struct http_slot *slot_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

struct hosts_named {
    unsigned n;
    const char *value; /* of the last such header */
};

static enum MHD_Result count_host(void *data, enum MHD_ValueKind kind _unused_, const char *name,
                                  const char *value)
{
    struct hosts_named *named = data;

    if (strcasecmp(name, "Host") == 0) {
        named->n++;
        named->value = value ? value : "";
    }
    return MHD_YES;
}

/* RFC 9112, section 3.2: one Host header, which may be missing in HTTP/1.0 only. */
static bool has_good_host(struct MHD_Connection *connection, const char *version,
                          const char **ret_host)
{
    struct hosts_named named = {0};

    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_host, &named);
    if (named.n > 1 || (named.n == 0 && strcmp(version, "HTTP/1.0") != 0))
        return false;
    *ret_host = named.value;
    return !named.value || host_is_valid(named.value);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version,
                                  const char *upload _unused_, size_t *upload_size _unused_,
                                  void **state _unused_)
{
    struct http *http = data;
    struct http_slot *slot = slot_of(connection);
    const char *host = NULL;

    if (slot)
        http_slot_answer(slot, time_now_usec(CLOCK_MONOTONIC));
    if (!has_good_host(connection, version, &host))
        return refuse(connection, MHD_HTTP_BAD_REQUEST, "Exactly one Host header is required.\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                      "Only GET and HEAD are supported.\n");
    if (host && !host_is_ours(host, http->hosts, http->n_hosts))
        return refuse(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                      "Unknown host name: see --host in dispatcherd-web(8).\n");
    if (strcmp(path, "/") == 0)
        return answer(http, connection, ANSWER_PAGE);
    if (strcmp(path, "/metrics") == 0)
        return answer(http, connection, metrics_kind(connection));
    if (strcmp(path, "/style.css") == 0)
        return answer_fixed(connection, MHD_HTTP_OK, asset_style, "text/css; charset=utf-8",
                            "max-age=300");
    if (strcmp(path, "/live.js") == 0)
        return answer_fixed(connection, MHD_HTTP_OK, asset_script, "text/javascript; charset=utf-8",
                            "max-age=300");
    return refuse(connection, MHD_HTTP_NOT_FOUND, "Not found; see / and /metrics.\n");
}

/* Connections */

/* The slot is kept with the connection from its start to its end. */
static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = data;

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = http_slots_take(&http->slots, connection, time_now_usec(CLOCK_MONOTONIC));
    else if (*context)
        http_slot_free(*context);
}

/* The library sees the end of the stream, and closes the connection. */
static void end_connection(const struct http_slot *slot)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(slot->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info)
        shutdown(info->connect_fd, SHUT_RDWR);
}

static void end_slow_ones(struct http *http)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    const struct http_slot *slot;

    while ((slot = http_slots_expire(&http->slots, now)))
        end_connection(slot);
}

/* Before 1.0, the library counts a connection when it is added: such a connection takes two slots
 * until http_run(), and new ones wait in the kernel. Beyond the limit it would be reset. */
bool http_has_room(const struct http *http)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info && info->num_connections + http->n_added < HTTP_SLOTS_MAX;
}

bool http_can_make_room(const struct http *http)
{
    return http_slots_can_displace(&http->slots, time_now_usec(CLOCK_MONOTONIC));
}

void http_make_room(struct http *http)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    const struct http_slot *slot;

    for (unsigned i = 0; i < DISPLACED_AT_ONCE; i++)
        if ((slot = http_slots_displace(&http->slots, now)))
            end_connection(slot);
}

int http_add(struct http *http, int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof(peer);

    if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0) {
        int r = -errno;
        fd_close(fd);
        return r;
    }
    if (MHD_add_connection(http->daemon, fd, (struct sockaddr *)&peer, length) != MHD_YES)
        return -ECONNABORTED;
    http->n_added++;
    return 0;
}

uint64_t http_run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG msec;

    end_slow_ones(http);
    MHD_run(http->daemon);
    http->n_added = 0;
    uint64_t limit =
        http_slots_wait(&http->slots, !http_has_room(http), time_now_usec(CLOCK_MONOTONIC));
    if (MHD_get_timeout(http->daemon, &msec) == MHD_YES && msec * USEC_PER_MSEC < limit)
        limit = msec * USEC_PER_MSEC;
    return limit;
}

int http_fd(const struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    return info ? info->epoll_fd : -1;
}

int http_new(struct answers *answers, const char *const hosts[], size_t n_hosts, struct http **ret)
{
    struct http *http = calloc(1, sizeof(*http));

    if (!http)
        return -ENOMEM;
    http->answers = answers;
    http->hosts = hosts;
    http->n_hosts = n_hosts;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, http,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_SLOTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        IDLE_LIMIT_SEC, MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_MAX_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_END);
    if (!http->daemon) {
        free(http);
        return -ENOMEM;
    }
    *ret = http;
    return 0;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    MHD_stop_daemon(http->daemon);
    for (size_t i = 0; i < ANSWER_KINDS; i++)
        if (http->cached[i].response)
            MHD_destroy_response(http->cached[i].response);
    free(http);
}
