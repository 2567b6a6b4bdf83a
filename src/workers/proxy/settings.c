/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/proxy/settings.h"

#include "base/address.h"
#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* Of a back end that neither answers nor refuses. Mail clients wait for 30 s or more. */
#define CONNECT_TIMEOUT_USEC (10 * USEC_PER_SEC)

/* TCP itself never gives up on a receiver that is there and takes nothing. */
#define STALL_TIMEOUT_USEC (300 * USEC_PER_SEC)

static const char *const versions[] = {"v2", "v1", "none", NULL};

/* In the order of enum come_back_protocol, but for the first. */
static const char *const protocols[] = {"port", "smtp", "pop3", "imap",
                                        "nntp", "ftp",  "none", NULL};

/* What a trusting mail server does for everybody whom it takes for this host. */
static const char *const mail_ports[] = {"25", "465", "587", "2525"};

bool settings_split(const char *backend, char host[256], char port[6])
{
    const char *colon = strrchr(backend, ':'), *start = backend;
    size_t length = colon ? (size_t)(colon - backend) : 0;
    char *end;

    if (length > 2 && backend[0] == '[' && backend[length - 1] == ']') {
        start++;
        length -= 2;
    } else if (strpbrk(backend, "[]:") != colon) {
        return false; /* an IPv6 address without brackets */
    }
    if (length == 0 || length > 255 || strlen(colon + 1) > 5)
        return false;
    memcpy(host, start, length);
    host[length] = '\0';
    snprintf(port, 6, "%.5s", colon + 1);
    long number = strtol(port, &end, 10);
    return port[0] >= '0' && port[0] <= '9' && !*end && number > 0 && number <= 65535;
}

static int read_backend(_unused_ const struct parameter *parameter, const char *value, void *place,
                        char *hint)
{
    struct str_list *list = place;
    char host[256], port[6];

    if (list->n_items == BACKENDS_MAX) {
        snprintf(hint, PARAMETER_TEXT_MAX, "one too many; there may be %d", BACKENDS_MAX);
        return -EINVAL;
    }
    if (value[0] == '/' && strlen(value) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        snprintf(hint, PARAMETER_TEXT_MAX, "the path of a socket has 107 bytes at the most");
        return -EINVAL;
    }
    if (value[0] != '/' && !settings_split(value, host, port))
        return -EINVAL;
    return str_list_append(list, value);
}

static int complete(void *place, const struct parameter_report *report)
{
    struct settings *settings = place;
    char host[256], port[6];

    if (settings->backends.n_items == 0) {
        parameter_say(report, PARAMETER_ERROR, PARAMETER_NONE,
                      "PARAMETER=BACKEND= is missing: the path of a Unix socket, or host:port");
        return -EINVAL;
    }
    for (size_t i = 0; settings->version == HEADER_NONE && i < settings->backends.n_items; i++)
        for (size_t k = 0; k < ELEMENTSOF(mail_ports); k++)
            if (settings->backends.items[i][0] != '/' &&
                settings_split(settings->backends.items[i], host, port) &&
                strcmp(port, mail_ports[k]) == 0)
                parameter_say(report, PARAMETER_WARNING, PARAMETER_NONE,
                              "PARAMETER=PROXY=none hides the clients from %s: a mail server that "
                              "trusts this host is an open relay then",
                              settings->backends.items[i]);
    return tls_settings_complete(&settings->tls, report);
}

static const struct parameter items[] = {
    {.name = "BACKEND",
     .read = read_backend,
     .offset = offsetof(struct settings, backends),
     .hint = "must be the path of a Unix socket, or host:port"},
    {.name = "CONNECT_TIMEOUT",
     .read = parameter_read_seconds,
     .offset = offsetof(struct settings, connect_timeout_usec),
     .min = 1,
     .max = 600},
    {.name = "PROTOCOL",
     .read = parameter_read_choice,
     .offset = offsetof(struct settings, protocol),
     .choices = protocols},
    {.name = "PROXY",
     .read = parameter_read_choice,
     .offset = offsetof(struct settings, version),
     .choices = versions},
    {.name = "STALL_TIMEOUT",
     .read = parameter_read_seconds,
     .offset = offsetof(struct settings, stall_timeout_usec),
     .min = 1,
     .max = 86400},
    TLS_PASS_ROW(struct settings, tls),
    TLS_PARAMETER_ROWS(struct settings, tls),
};

const struct parameter_table settings_table = {
    .items = items,
    .n_items = ELEMENTSOF(items),
    .complete = complete,
};

struct settings settings_init(void)
{
    return (struct settings){
        .version = HEADER_V2,
        .connect_timeout_usec = CONNECT_TIMEOUT_USEC,
        .stall_timeout_usec = STALL_TIMEOUT_USEC,
    };
}

void settings_clear(struct settings *settings)
{
    str_list_clear(&settings->backends);
    tls_settings_clear(&settings->tls);
}

enum come_back_protocol settings_protocol(const struct settings *settings, uint16_t port)
{
    if (settings->protocol == 0)
        return come_back_protocol_of_port(port);
    return settings->protocol < COME_BACK_N_PROTOCOLS ? (enum come_back_protocol)settings->protocol
                                                      : COME_BACK_UNKNOWN;
}
