/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/views.h"

#include "base/macro.h"
#include "base/str.h"
#include "control_client/reply.h"
#include "dispatcherctl/views/cells.h"

#include <errno.h>
#include <inttypes.h>

int view_stop(const json_t *parameters, const char *service, FILE *stream)
{
    int64_t n = reply_number(parameters, "n_connections");

    table_line(stream, "%s no longer accepts connections; %" PRId64 " %s may finish", service, n,
               str_plural((uint64_t)n, "connection", "connections"));
    return 0;
}

int view_start(_unused_ const json_t *parameters, const char *service, FILE *stream)
{
    table_line(stream, "%s accepts connections", service);
    return 0;
}

int view_restart(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    int64_t n = reply_number(parameters, "n_workers");

    table_line(stream, "%" PRId64 " %s will be replaced, one after another", n,
               str_plural((uint64_t)n, "worker", "workers"));
    return 0;
}

int view_reload(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    const json_t *warnings = json_object_get(parameters, "warnings");
    const json_t *item;
    size_t i;

    json_array_foreach(warnings, i, item)
        table_line(stream, "%s", json_string_value(item) ? json_string_value(item) : "");
    table_line(stream, "the configuration was reloaded");
    return 0;
}

int view_debug(const json_t *parameters, const char *service, FILE *stream)
{
    const char *whose = service ? service : "the daemon and all services";

    if (!reply_is_set(parameters, "mask"))
        table_line(stream, "%s: DEBUG as configured", whose);
    else
        table_line(stream, "%s: DEBUG=16%%%" PRIX64 "%s", whose, reply_number(parameters, "mask"),
                   reply_is_true(parameters, "is_configured") ? ", as configured"
                                                              : " until the next reload");
    return 0;
}

static void add_mask(struct table *table, const struct row *row, const char *name)
{
    table_add(table, "16%%%" PRIX64, reply_number(json_object_get(row->item, "options"), name));
}

/* The daemon's own mask comes first, under the name that sets it. */
int view_masks(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct column columns[] = {{{"SERVICE", TABLE_LEFT}, cell_text, "name"},
                                            {{"DEBUG", TABLE_LEFT}, add_mask, "DEBUG"}};
    json_auto_t *rows = json_pack("[{s:s, s:{s:I}}]", "name", "DISPATCHER", "options", "DEBUG",
                                  (json_int_t)reply_number(parameters, "debug"));

    if (!rows || json_array_extend(rows, json_object_get(parameters, "services")) < 0)
        return -ENOMEM;
    return print_rows(columns, ELEMENTSOF(columns), rows, 0, stream);
}
