/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The settings that a recording is replayed with: those that were recorded, and what is to be
 * different. */
#pragma once

#include "config/options.h"
#include "recording/record.h"

#include <stdbool.h>

/* A throttle for each client, which no service has as an option: connections a minute. */
#define SETTING_THROTTLE "THROTTLE"

#define SETTING_REASON_MAX 200

/* One "NAME=value" or "SERVICE:NAME=value" of the command line. */
struct setting {
    char service[RECORD_NAME_MAX + 1]; /* "": all */
    unsigned row;                      /* of the table in settings.c */
    uint32_t value;
};

struct settings {
    const struct config *config; /* replaces what was recorded; NULL: does not */
    const struct setting *items; /* n_items of them, the caller's; a later one wins */
    size_t n_items;
};

/* What is in force for one service at one time. */
struct effective_settings {
    struct record_options options;
    bool has_throttle; /* else the recorded throttles stand */
    uint32_t throttle; /* connections a minute */
};

/* Reads a setting. Returns 0 or -EINVAL with the reason, a phrase. */
int setting_parse(const char *text, struct setting *ret, char reason[SETTING_REASON_MAX]);

/* Reads "NAME" or "SERVICE:NAME", of a setting whose value is still to come. */
int setting_parse_name(const char *text, struct setting *ret, char reason[SETTING_REASON_MAX]);

/* Reads the value. */
int setting_parse_value(struct setting *setting, const char *text, char reason[SETTING_REASON_MAX]);

const char *setting_name(const struct setting *setting);

/* What is in force for the service of that name if `recorded` was. */
struct effective_settings settings_apply(const struct settings *settings, const char *service,
                                         const struct record_options *recorded);
