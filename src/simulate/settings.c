/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/settings.h"

#include "base/macro.h"
#include "base/str.h"
#include "config/option_table.h"
#include "files/number.h"
#include "pool/pool_options.h"
#include "recording/record_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MEMBER(name)                                                                               \
    offsetof(struct record_options, name), sizeof(((struct record_options *)NULL)->name)

/* What can be different. The last one is no option. */
static const struct setting_row {
    enum option_id id;
    size_t offset, size;
} rows[] = {
    {OPTION_MIN_PROCS, MEMBER(min_procs)},
    {OPTION_MAX_PROCS, MEMBER(max_procs)},
    {OPTION_MIN_CONNS, MEMBER(min_conns)},
    {OPTION_MAX_CONNS, MEMBER(max_conns)},
    {OPTION_MAX_HANDOFFS, MEMBER(max_handoffs)},
    {OPTION_MAX_SHUTDOWN, MEMBER(max_shutdown)},
    {OPTION_MAX_LIFE_TIME, MEMBER(max_life_sec)},
    {OPTION_MAX_LIFE_CONNS, MEMBER(max_life_conns)},
    {OPTION_MAX_IDLE_TIME, MEMBER(max_idle_sec)},
    {OPTION_MAX_CONNS_PER_ADDRESS, MEMBER(max_per_address)},
    {OPTION_MAX_CONNS_PER_NETWORK, MEMBER(max_per_network)},
};

#define ROW_THROTTLE ELEMENTSOF(rows)

const char *setting_name(const struct setting *setting)
{
    return setting->row < ELEMENTSOF(rows) ? option_table[rows[setting->row].id].name
                                           : SETTING_THROTTLE;
}

int setting_parse_name(const char *text, struct setting *ret, char reason[SETTING_REASON_MAX])
{
    const char *colon = strchr(text, ':'), *name = colon ? colon + 1 : text;
    struct setting setting = {0};

    if (colon && (size_t)(colon - text) >= sizeof(setting.service)) {
        snprintf(reason, SETTING_REASON_MAX, "'%.40s': no service has such a long name", text);
        return -EINVAL;
    }
    if (colon)
        memcpy(setting.service, text, (size_t)(colon - text));
    for (setting.row = 0; setting.row <= ROW_THROTTLE; setting.row++)
        if (str_equal_nocase(setting_name(&setting), name)) {
            *ret = setting;
            return 0;
        }
    snprintf(reason, SETTING_REASON_MAX,
             "'%.40s' is nothing that a simulation can change; it can change the options of the "
             "pool, MAX_CONNS_PER_ADDRESS, MAX_CONNS_PER_NETWORK and " SETTING_THROTTLE,
             name);
    return -EINVAL;
}

int setting_parse_value(struct setting *setting, const char *text, char reason[SETTING_REASON_MAX])
{
    int64_t value, min = 0, max = UINT32_MAX;

    if (setting->row < ELEMENTSOF(rows)) {
        min = option_table[rows[setting->row].id].min;
        max = option_table[rows[setting->row].id].max;
    }
    if (number_parse(text, &value, reason) < 0 || value < min || value > max) {
        snprintf(reason, SETTING_REASON_MAX,
                 "%s=%.40s: must be a number from %" PRId64 " to %" PRId64, setting_name(setting),
                 text, min, max);
        return -EINVAL;
    }
    setting->value = (uint32_t)value;
    return 0;
}

int setting_parse(const char *text, struct setting *ret, char reason[SETTING_REASON_MAX])
{
    const char *equals = strchr(text, '=');
    char name[80];

    if (!equals || (size_t)(equals - text) >= sizeof(name)) {
        snprintf(reason, SETTING_REASON_MAX, "'%.40s': a setting is written as NAME=value", text);
        return -EINVAL;
    }
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    int r = setting_parse_name(name, ret, reason);
    return r < 0 ? r : setting_parse_value(ret, equals + 1, reason);
}

static void set(struct effective_settings *effective, const struct setting *setting)
{
    if (setting->row == ROW_THROTTLE) {
        effective->has_throttle = true;
        effective->throttle = setting->value;
        return;
    }
    const struct setting_row *row = &rows[setting->row];
    uint16_t cut = setting->value < UINT16_MAX ? (uint16_t)setting->value : UINT16_MAX;
    char *place = (char *)&effective->options + row->offset;

    if (row->size == sizeof(cut))
        memcpy(place, &cut, sizeof(cut));
    else
        memcpy(place, &setting->value, sizeof(setting->value));
}

/* What dispatcher.cnf(5) says about options that contradict each other. */
static void settle(struct record_options *options)
{
    if (options->max_procs == 0 || options->max_procs > POOL_WORKERS_MAX)
        options->max_procs = options->max_procs == 0 ? 1 : POOL_WORKERS_MAX;
    if (options->max_conns == 0)
        options->max_conns = 1;
    if (options->min_procs > options->max_procs)
        options->min_procs = options->max_procs;
    if (options->min_conns > options->max_conns)
        options->min_conns = options->max_conns;
    if (options->max_shutdown == 0)
        options->max_shutdown = 1;
    if (options->max_handoffs == 0)
        options->max_handoffs = 1;
    if (options->max_handoffs > options->max_conns)
        options->max_handoffs = options->max_conns;
    if (options->max_shutdown > options->max_procs)
        options->max_shutdown = options->max_procs;
}

struct effective_settings settings_apply(const struct settings *settings, const char *service,
                                         const struct record_options *recorded)
{
    struct effective_settings effective = {.options = *recorded};
    const struct service_options *configured =
        settings->config ? config_find_service(settings->config, service) : NULL;

    if (configured)
        effective.options = record_options_of(configured);
    for (size_t i = 0; i < settings->n_items; i++) {
        const struct setting *setting = &settings->items[i];

        if (!setting->service[0] || str_equal_nocase(setting->service, service))
            set(&effective, setting);
    }
    settle(&effective.options);
    return effective;
}
