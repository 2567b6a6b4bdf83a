/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/pass/settings.h"

#include "base/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* RFC 5321, 4.5.3.2.1 has clients wait five minutes for a greeting; people do not. */
#define DEFAULT_TIMEOUT_SEC 60
#define TIMEOUT_MAX_SEC     3600

static int read_path(const struct parameter *parameter, const char *value, void *place, char *hint)
{
    if (value[0] != '/' || strlen(value) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return -EINVAL;
    return parameter_read_text(parameter, value, place, hint);
}

/* In the order of enum pass_format. */
static const char *const formats[] = {"postfix", "byte", NULL};

static const struct parameter items[] = {
    {.name = "TO",
     .read = read_path,
     .offset = offsetof(struct pass_settings, to),
     .hint = "must be the path of a Unix socket, which begins with / and has at most 107 octets"},
    {.name = "FORMAT",
     .read = parameter_read_choice,
     .offset = offsetof(struct pass_settings, format),
     .choices = formats},
    {.name = "TIMEOUT",
     .read = parameter_read_seconds,
     .offset = offsetof(struct pass_settings, timeout_usec),
     .min = 1,
     .max = TIMEOUT_MAX_SEC},
};

static int complete(void *userdata, const struct parameter_report *report)
{
    const struct pass_settings *settings = userdata;

    if (!settings->to) {
        parameter_say(report, PARAMETER_ERROR, PARAMETER_NONE,
                      "PARAMETER=TO=path is missing: the Unix socket of the program that serves");
        return -EINVAL;
    }
    if (settings->format == PASS_FORMAT_BYTE && report->facts.has_proxy_protocol)
        parameter_say(report, PARAMETER_WARNING, PARAMETER_NONE,
                      "FORMAT=byte sends no addresses: with PROXY_PROTOCOL the program sees the "
                      "proxy's address, not the client's");
    return 0;
}

const struct parameter_table pass_parameters = {
    .items = items, .n_items = ELEMENTSOF(items), .complete = complete};

void pass_settings_init(struct pass_settings *settings)
{
    *settings = (struct pass_settings){.timeout_usec = DEFAULT_TIMEOUT_SEC * USEC_PER_SEC};
}

void pass_settings_clear(struct pass_settings *settings)
{
    free(settings->to);
    *settings = (struct pass_settings){0};
}
