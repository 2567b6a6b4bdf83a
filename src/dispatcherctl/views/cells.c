/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/cells.h"

#include "base/str.h"
#include "control_client/duration.h"
#include "control_client/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void cell_text(struct table *table, const struct row *row, const char *name)
{
    table_add(table, "%s", reply_text(row->item, name));
}

void cell_number(struct table *table, const struct row *row, const char *name)
{
    if (reply_is_set(row->item, name))
        table_add(table, "%" PRId64, reply_number(row->item, name));
    else
        table_add(table, "%s", "");
}

static struct row statistics_of(const struct row *row)
{
    return (struct row){json_object_get(row->item, "statistics"), row->now};
}

void cell_counter(struct table *table, const struct row *row, const char *name)
{
    const struct row statistics = statistics_of(row);

    cell_number(table, &statistics, name);
}

void cell_yes_no(struct table *table, const struct row *row, const char *name)
{
    table_add(table, "%s", reply_is_true(row->item, name) ? "yes" : "no");
}

/* The TLS that the worker reports, or else whether the port is a TLS_PORT. */
void cell_tls(struct table *table, const struct row *row, _unused_ const char *name)
{
    const json_t *tls = json_object_get(row->item, "tls");

    if (json_is_object(tls))
        table_add(table, "%s", reply_text(tls, "protocol"));
    else
        cell_yes_no(table, row, "is_tls");
}

void cell_plain_gauge(struct table *table, const struct row *row, const char *name)
{
    const json_t *gauge = json_object_get(row->item, name);

    table_add(table, "%" PRId64 "/%" PRId64, reply_number(gauge, "value"),
              reply_number(gauge, "limit"));
}

void cell_gauge(struct table *table, const struct row *row, const char *name)
{
    const json_t *gauge = json_object_get(row->item, name);

    cell_plain_gauge(table, row, name);
    table_style(table, style_of_gauge(reply_number(gauge, "value"), reply_number(gauge, "limit")));
}

/* Adds nothing if one of the times is unknown. */
static void add_span(struct table *table, uint64_t from, uint64_t to)
{
    char text[DURATION_TEXT_MAX] = "";

    if (from > 0 && from <= to)
        duration_format(to - from, text);
    table_add(table, "%s", text);
}

void cell_age(struct table *table, const struct row *row, const char *name)
{
    add_span(table, reply_moment(row->item, name), row->now);
}

void cell_lasted(struct table *table, const struct row *row, const char *name)
{
    add_span(table, reply_moment(row->item, name), reply_moment(row->item, "ended_at"));
}

void cell_waited(struct table *table, const struct row *row, const char *name)
{
    add_span(table, reply_moment(row->item, name), reply_moment(row->item, "handed_at"));
}

void cell_usec(struct table *table, const struct row *row, const char *name)
{
    char text[DURATION_TEXT_MAX];
    int64_t usec = reply_number(row->item, name);

    table_add(table, "%s", usec > 0 ? duration_format((uint64_t)usec, text) : "");
}

void format_address(const json_t *object, struct str_buffer *buffer)
{
    const char *address = reply_text(object, "address");
    bool is_ipv6 = strchr(address, ':') != NULL;

    str_buffer_add(buffer, is_ipv6 ? "[%s]" : "%s", address);
    if (reply_number(object, "port") > 0)
        str_buffer_add(buffer, ":%" PRId64, reply_number(object, "port"));
}

static void add_address(struct table *table, const json_t *object)
{
    char text[128];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    format_address(object, &buffer);
    table_add(table, "%s", text);
}

void cell_address(struct table *table, const struct row *row, const char *name)
{
    add_address(table, json_object_get(row->item, name));
}

void cell_own_address(struct table *table, const struct row *row, _unused_ const char *name)
{
    add_address(table, row->item);
}

void cell_state(struct table *table, const struct row *row, const char *name)
{
    static const struct {
        const char *state;
        enum style style;
    } styles[] = {{"running", STYLE_GOOD},
                  {"full", STYLE_BAD},
                  {"stopping", STYLE_WARNING},
                  {"stopped", STYLE_DIM}};

    cell_text(table, row, name);
    for (size_t i = 0; i < ELEMENTSOF(styles); i++)
        if (strcmp(reply_text(row->item, name), styles[i].state) == 0)
            table_style(table, styles[i].style);
}

void cell_extremes(struct table *table, const struct row *row, const char *name)
{
    const json_t *object = json_object_get(statistics_of(row).item, name);
    double average = json_number_value(json_object_get(object, "average"));

    if (reply_is_set(object, "n_completed") && reply_number(object, "n_completed") == 0)
        table_add(table, "%" PRId64 " so far", reply_number(object, "running"));
    else
        table_add(table, "%" PRId64 "/%.1f/%" PRId64, reply_number(object, "min"), average,
                  reply_number(object, "max"));
}

static const char *format_usec(const json_t *object, const char *name, char text[DURATION_TEXT_MAX])
{
    int64_t usec = reply_number(object, name);

    return duration_format(usec > 0 ? (uint64_t)usec : 0, text);
}

void cell_extremes_usec(struct table *table, const struct row *row, const char *name)
{
    const json_t *object = json_object_get(statistics_of(row).item, name);
    char min[DURATION_TEXT_MAX], average[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];

    if (reply_number(object, "n") == 0)
        table_add(table, "%s", "");
    else
        table_add(table, "%s/%s/%s", format_usec(object, "min_usec", min),
                  format_usec(object, "average_usec", average),
                  format_usec(object, "max_usec", max));
}

const char *row_title(const json_t *row, const char *name, char text[ROW_TITLE_MAX])
{
    bool has_host = reply_is_set(row, "host");

    snprintf(text, ROW_TITLE_MAX, "%s%s%s", reply_text(row, name), has_host ? " on " : "",
             reply_text(row, "host"));
    return text;
}

int print_rows(const struct column columns[], size_t n_columns, const json_t *array, uint64_t now,
               FILE *stream)
{
    static const struct column host = {{"HOST", TABLE_LEFT}, cell_text, "host"};
    bool has_hosts = reply_is_set(json_array_get(array, 0), "host");
    struct table_column heads[TABLE_COLUMNS_MAX];
    const json_t *item;
    size_t n = 0, i;

    if (has_hosts)
        heads[n++] = host.head;
    for (i = 0; i < n_columns; i++)
        heads[n++] = columns[i].head;
    struct table table = table_init(heads, n);
    json_array_foreach(array, i, item) {
        const struct row row = {item, now};

        if (has_hosts)
            host.cell(&table, &row, host.name);
        for (size_t k = 0; k < n_columns; k++)
            columns[k].cell(&table, &row, columns[k].name);
    }
    int r = table_print(&table, stream);
    table_clear(&table);
    return r;
}
