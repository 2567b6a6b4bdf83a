/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/cells.h"

#include "base/str.h"
#include "control_client/duration.h"
#include "control_client/reply.h"

#include <inttypes.h>
#include <string.h>

void cell_text(struct table *table, const json_t *object, const char *name)
{
    table_add(table, "%s", reply_text(object, name));
}

void cell_number(struct table *table, const json_t *object, const char *name)
{
    if (reply_is_set(object, name))
        table_add(table, "%" PRId64, reply_number(object, name));
    else
        table_add(table, "%s", "");
}

void cell_yes_no(struct table *table, const json_t *object, const char *name)
{
    table_add(table, "%s", reply_is_true(object, name) ? "yes" : "no");
}

void cell_gauge(struct table *table, const json_t *object, const char *name)
{
    const json_t *gauge = json_object_get(object, name);
    int64_t value = reply_number(gauge, "value"), limit = reply_number(gauge, "limit");

    table_add(table, "%" PRId64 "/%" PRId64, value, limit);
    table_style(table, style_of_gauge(value, limit));
}

void cell_plain_gauge(struct table *table, const json_t *object, const char *name)
{
    const json_t *gauge = json_object_get(object, name);

    table_add(table, "%" PRId64 "/%" PRId64, reply_number(gauge, "value"),
              reply_number(gauge, "limit"));
}

void cell_age(struct table *table, const json_t *object, const char *name, uint64_t now)
{
    uint64_t at = reply_moment(object, name);
    char text[DURATION_TEXT_MAX] = "";

    if (at > 0 && at <= now)
        duration_format(now - at, text);
    table_add(table, "%s", text);
}

void cell_span(struct table *table, const json_t *object, const char *from, const char *to)
{
    uint64_t from_at = reply_moment(object, from), to_at = reply_moment(object, to);
    char text[DURATION_TEXT_MAX] = "";

    if (from_at > 0 && to_at >= from_at)
        duration_format(to_at - from_at, text);
    table_add(table, "%s", text);
}

void cell_usec(struct table *table, const json_t *object, const char *name)
{
    char text[DURATION_TEXT_MAX];
    int64_t usec = reply_number(object, name);

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

void cell_address(struct table *table, const json_t *object, const char *name)
{
    char text[128];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    format_address(json_object_get(object, name), &buffer);
    table_add(table, "%s", text);
}

void cell_state(struct table *table, const json_t *service)
{
    static const struct {
        const char *state;
        enum style style;
    } styles[] = {{"running", STYLE_GOOD},
                  {"full", STYLE_BAD},
                  {"stopping", STYLE_WARNING},
                  {"stopped", STYLE_DIM}};

    cell_text(table, service, "state");
    for (size_t i = 0; i < ELEMENTSOF(styles); i++)
        if (strcmp(reply_text(service, "state"), styles[i].state) == 0)
            table_style(table, styles[i].style);
}

static void format_usec(const json_t *object, const char *name, struct str_buffer *buffer)
{
    char text[DURATION_TEXT_MAX];
    int64_t usec = reply_number(object, name);

    str_buffer_add(buffer, "%s", duration_format(usec > 0 ? (uint64_t)usec : 0, text));
}

static void add_extremes_usec(struct table *table, const json_t *object)
{
    char text[3 * DURATION_TEXT_MAX];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    if (reply_number(object, "n") == 0) {
        table_add(table, "%s", "");
        return;
    }
    format_usec(object, "min_usec", &buffer);
    str_buffer_add(&buffer, "/");
    format_usec(object, "average_usec", &buffer);
    str_buffer_add(&buffer, "/");
    format_usec(object, "max_usec", &buffer);
    table_add(table, "%s", text);
}

void cell_extremes(struct table *table, const json_t *object, bool is_usec)
{
    double average = json_number_value(json_object_get(object, "average"));

    if (is_usec)
        add_extremes_usec(table, object);
    else if (reply_is_set(object, "n_completed") && reply_number(object, "n_completed") == 0)
        table_add(table, "%" PRId64 " so far", reply_number(object, "running"));
    else
        table_add(table, "%" PRId64 "/%.1f/%" PRId64, reply_number(object, "min"), average,
                  reply_number(object, "max"));
}

int print_and_clear(struct table *table, FILE *stream)
{
    int r = table_print(table, stream);

    table_clear(table);
    return r;
}

int print_rows(const struct table_column columns[], size_t n_columns, const json_t *array,
               uint64_t now, row_function add_row, FILE *stream)
{
    struct table table = table_init(columns, n_columns);
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
        add_row(&table, item, now);
    return print_and_clear(&table, stream);
}
