/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/settings.h"

#include "base/time.h"
#include "workers/inetd/traps.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* As long as tcp_smtp_server(8) gives a session. */
#define DEFAULT_TIMEOUT_USEC (4 * 3600 * USEC_PER_SEC)

/* A mail server may still scan the message of a client that has gone. */
#define DEFAULT_LINGER_USEC (60 * USEC_PER_SEC)

/* A session of git or Exim has 3 to 6. */
#define DEFAULT_PROCESSES 50

#define MAX_TIMEOUT_SEC   (365 * 24 * 3600)
#define MAX_LINGER_SEC    3600
#define MAX_PROCESSES_MAX 10000

static int read_command(const struct parameter *parameter _unused_, const char *value, void *place,
                        char *hint)
{
    struct command command = {0};
    int r = command_parse(value, &command, hint);

    if (r < 0)
        return r;
    command_clear(place);
    *(struct command *)place = command;
    return 0;
}

static int read_environment(const struct parameter *parameter, const char *value, void *place,
                            char *hint)
{
    size_t length = strcspn(value, "=");

    if (length == 0 || !value[length] || isdigit((unsigned char)*value))
        return -EINVAL;
    for (size_t i = 0; i < length; i++)
        if (!isascii(value[i]) || (!isalnum((unsigned char)value[i]) && value[i] != '_'))
            return -EINVAL;
    return parameter_read_list(parameter, value, place, hint);
}

static const char *const standard_errors[] = {"journal", "socket", "null", NULL};
static const char *const protocols[] = {"port", "none", "smtp", "pop3",
                                        "imap", "nntp", "ftp",  NULL};

static int complete(void *data, const struct parameter_report *report)
{
    struct inetd_settings *settings = data;
    struct stat st;

    if (settings->command.words.n_items == 0) {
        parameter_say(report, PARAMETER_ERROR, PARAMETER_NONE,
                      "PARAMETER=COMMAND= is missing, the program that serves a connection, as in "
                      "PARAMETER=COMMAND=/usr/bin/rsync --daemon");
        return -EINVAL;
    }
    const char *program = settings->command.words.items[0];
    if (report->facts.is_check && stat(program, &st) < 0 && errno == ENOENT) {
        parameter_say(report, PARAMETER_ERROR, PARAMETER_NONE,
                      "PARAMETER=COMMAND=%.200s: there is no such program", program);
        return -EINVAL;
    }
    int r = tls_settings_complete(&settings->tls, report);
    return r < 0 ? r
                 : traps_check(&settings->command,
                               tls_settings_ends_here(&settings->tls, &report->facts), report);
}

static const struct parameter parameters[] = {
    {
        .name = "COMMAND",
        .read = read_command,
        .offset = offsetof(struct inetd_settings, command),
    },
    {
        .name = "ENV",
        .read = read_environment,
        .offset = offsetof(struct inetd_settings, environment),
        .hint = "must be NAME=value, with letters, digits and '_' in the name",
    },
    {
        .name = "STDERR",
        .read = parameter_read_choice,
        .offset = offsetof(struct inetd_settings, standard_error),
        .choices = standard_errors,
    },
    {
        .name = "TIMEOUT",
        .read = parameter_read_seconds,
        .offset = offsetof(struct inetd_settings, timeout_usec),
        .max = MAX_TIMEOUT_SEC,
    },
    {
        .name = "LINGER",
        .read = parameter_read_seconds,
        .offset = offsetof(struct inetd_settings, linger_usec),
        .max = MAX_LINGER_SEC,
    },
    {
        .name = "PROCESSES",
        .read = parameter_read_number,
        .offset = offsetof(struct inetd_settings, max_processes),
        .min = 1,
        .max = MAX_PROCESSES_MAX,
    },
    {
        .name = "PROTOCOL",
        .read = parameter_read_choice,
        .offset = offsetof(struct inetd_settings, protocol),
        .choices = protocols,
    },
    TLS_PASS_ROW(struct inetd_settings, tls),
    TLS_PARAMETER_ROWS(struct inetd_settings, tls),
};

const struct parameter_table inetd_parameters = {
    .items = parameters,
    .n_items = ELEMENTSOF(parameters),
    .complete = complete,
};

void inetd_settings_init(struct inetd_settings *settings)
{
    *settings = (struct inetd_settings){
        .timeout_usec = DEFAULT_TIMEOUT_USEC,
        .linger_usec = DEFAULT_LINGER_USEC,
        .max_processes = DEFAULT_PROCESSES,
    };
}

void inetd_settings_clear(struct inetd_settings *settings)
{
    command_clear(&settings->command);
    str_list_clear(&settings->environment);
    tls_settings_clear(&settings->tls);
}
