/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/settings.h"

#include "base/time.h"
#include "workers/tcp_smtp_server/path.h"
#include "workers/tls/context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL_MAX         32
#define DEFAULT_SIZE_OCTETS UINT64_C(26214400)
/* RFC 5321, 4.5.3.1.7: every server must accept messages of 64 KiB. */
#define MIN_SIZE_OCTETS UINT64_C(65536)
/* More than any Maildir takes, and sums of sizes cannot overflow. */
#define MAX_SIZE_OCTETS (UINT64_C(1) << 40)

const struct session_timeouts session_timeouts_default = {
    .command = 5 * 60 * USEC_PER_SEC,    /* RFC 5321, 4.5.3.2.7 */
    .data_start = 2 * 60 * USEC_PER_SEC, /* 4.5.3.2.4 */
    .data_block = 3 * 60 * USEC_PER_SEC, /* 4.5.3.2.5 */
    .discard = 10 * 60 * USEC_PER_SEC, /* for as long as a client waits for the reply: 4.5.3.2.6 */
    .session = 4 * 60 * 60 * USEC_PER_SEC,
    .linger = 10 * USEC_PER_SEC,
    .message = 60 * 60 * USEC_PER_SEC,
    .min_octets_per_sec = 500, /* Postfix's smtpd_min_data_rate */
};

/* Postfix also allows 10 s under stress (smtpd_timeout). A client that is sent away comes back. */
const struct session_timeouts session_timeouts_stressed = {
    .command = 10 * USEC_PER_SEC,
    .data_start = 10 * USEC_PER_SEC,
    .data_block = 20 * USEC_PER_SEC,
    .discard = 20 * USEC_PER_SEC,
    .session = 10 * 60 * USEC_PER_SEC,
    .linger = 2 * USEC_PER_SEC,
    .message = 10 * 60 * USEC_PER_SEC,
    .min_octets_per_sec = 5000,
};

int session_settings_init(struct session_settings *settings, const char *service,
                          const char *host_name)
{
    *settings = (struct session_settings){
        .service = strdup(service),
        .host_name = strdup(host_name),
        .max_message_octets = DEFAULT_SIZE_OCTETS,
        .timeouts = session_timeouts_default,
        .stressed = session_timeouts_stressed,
        .stop_fd = -1,
        .stress_fd = -1,
    };
    return settings->service && settings->host_name ? 0 : -ENOMEM;
}

static int replace_string(char **string, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return -ENOMEM;
    free(*string);
    *string = copy;
    return 0;
}

/* The name becomes part of a comment in Received:, where it must need no quoting. */
static int read_channel(const struct parameter *parameter, const char *value, void *place,
                        char *hint)
{
    size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-");

    if (length > CHANNEL_MAX || value[length])
        return -EINVAL;
    return parameter_read_text(parameter, value, place, hint);
}

static int read_domain(const struct parameter *parameter, const char *value, void *place,
                       char *hint)
{
    return path_is_domain(value, true) ? parameter_read_list(parameter, value, place, hint)
                                       : -EINVAL;
}

static int complete(void *data, const struct parameter_report *report)
{
    struct session_settings *settings = data;
    int r = tls_settings_complete(&settings->tls, report);

    return r == 0 ? session_settings_complete(settings) : r;
}

static const struct parameter parameters[] = {
    {
        .name = "CHANNEL",
        .read = read_channel,
        .offset = offsetof(struct session_settings, channel),
        .hint = "must be a channel's name: 1 to 32 letters, digits, '_' and '-'",
    },
    {
        .name = "DOMAIN",
        .read = read_domain,
        .offset = offsetof(struct session_settings, domains),
        .hint = "must be a domain, such as example.com, or an address literal, such as [192.0.2.1]",
    },
    {
        .name = "MAILDIR",
        .read = parameter_read_text,
        .offset = offsetof(struct session_settings, maildir),
        .hint = "must be the path of a folder",
    },
    {
        .name = "SIZE",
        .read = parameter_read_number,
        .offset = offsetof(struct session_settings, max_message_octets),
        .min = MIN_SIZE_OCTETS,
        .max = MAX_SIZE_OCTETS,
        .hint = "must be a number of bytes from 65536 to 1099511627776",
    },
    {
        .name = "TLS_REQUIRED",
        .read = parameter_read_choice,
        .offset = offsetof(struct session_settings, tls.is_required),
        .choices = tls_yes_no_words,
    },
    TLS_PARAMETER_ROWS(struct session_settings, tls),
};

const struct parameter_table session_parameters = {
    .items = parameters,
    .n_items = ELEMENTSOF(parameters),
    .complete = complete,
};

int session_settings_complete(struct session_settings *settings)
{
    const char *state_folder = getenv("STATE_DIRECTORY");

    if (settings->domains.n_items == 0 &&
        (str_list_append(&settings->domains, "localhost") < 0 ||
         str_list_append(&settings->domains, settings->host_name) < 0))
        return -ENOMEM;
    if (settings->maildir)
        return 0;
    if (!state_folder || !*state_folder)
        return replace_string(&settings->maildir, "./mail");
    /* With several StateDirectory=, systemd separates them by colons; the first one is ours. */
    int length = (int)strcspn(state_folder, ":");
    if (asprintf(&settings->maildir, "%.*s/mail", length, state_folder) < 0) {
        settings->maildir = NULL;
        return -ENOMEM;
    }
    return 0;
}

void session_settings_clear(struct session_settings *settings)
{
    free(settings->service);
    free(settings->host_name);
    free(settings->channel);
    free(settings->maildir);
    str_list_clear(&settings->domains);
    tls_settings_clear(&settings->tls);
    tls_context_free(settings->tls_context);
    *settings = (struct session_settings){0};
}

bool session_settings_has_domain(const struct session_settings *settings, const char *domain)
{
    for (size_t i = 0; i < settings->domains.n_items; i++)
        if (str_equal_nocase(settings->domains.items[i], domain))
            return true;
    return false;
}
