/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Prints a plan, one line for each item. */
#include "base/str.h"
#include "control_client/reply.h"
#include "dispatcherctl/plan/plan.h"
#include "dispatcherctl/views/cells.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LINE_MAX_BYTES 2048

/* Adds "A, B", or `nothing` if the list is empty. */
static void add_list(struct str_buffer *line, const json_t *array, const char *nothing)
{
    const json_t *item;
    size_t i;

    if (json_array_size(array) == 0)
        str_buffer_add(line, "%s", nothing);
    json_array_foreach(array, i, item) {
        str_buffer_add(line, "%s", i > 0 ? ", " : "");
        if (json_is_integer(item))
            str_buffer_add(line, "%" PRId64, (int64_t)json_integer_value(item));
        else
            str_buffer_add(line, "%s", json_string_value(item) ? json_string_value(item) : "");
    }
}

static void add_origin(struct str_buffer *line, const json_t *item)
{
    str_buffer_add(line, " (%s)",
                   reply_is_set(item, "origin") ? reply_text(item, "origin") : "the default");
}

static void print_option(const json_t *item, FILE *stream)
{
    char text[LINE_MAX_BYTES];
    struct str_buffer line = str_buffer_init(text, sizeof(text));

    str_buffer_add(&line, "%s: %s: ",
                   reply_is_set(item, "service") ? reply_text(item, "service") : "DISPATCHER",
                   reply_text(item, "option"));
    add_list(&line, json_object_get(item, "from"), "not set");
    str_buffer_add(&line, " -> ");
    add_list(&line, json_object_get(item, "to"), "not set");
    add_origin(&line, item);
    table_line(stream, "%s", text);
}

static void add_workers(struct str_buffer *line, const json_t *item)
{
    int64_t n = reply_number(item, "n_workers");

    str_buffer_add(line, "%" PRId64 " %s", n, str_plural((uint64_t)n, "worker", "workers"));
    if (json_array_size(json_object_get(item, "workers")) > 0) {
        str_buffer_add(line, " (");
        add_list(line, json_object_get(item, "workers"), "");
        str_buffer_add(line, ")");
    }
}

static void print_service(const json_t *item, bool is_done, FILE *stream)
{
    const char *change = reply_text(item, "change");
    char text[LINE_MAX_BYTES];
    struct str_buffer line = str_buffer_init(text, sizeof(text));

    if (strcmp(change, "kept") == 0 && reply_number(item, "n_workers") == 0)
        return;
    str_buffer_add(&line, "%s: ", reply_text(item, "service"));
    if (strcmp(change, "added") == 0) {
        str_buffer_add(&line, "%s", is_done ? "new service" : "new service would start");
        add_origin(&line, item);
    } else if (strcmp(change, "removed") == 0) {
        str_buffer_add(&line, "%s; ", is_done ? "is no longer served" : "would end");
        add_workers(&line, item);
        str_buffer_add(&line, "%s", is_done ? " finish their sessions" : " would drain");
    } else {
        add_workers(&line, item);
        str_buffer_add(&line, "%s",
                       is_done ? " replaced, one after another"
                               : " would be replaced, one after another");
    }
    table_line(stream, "%s", text);
}

static void print_socket(const json_t *item, bool is_done, FILE *stream)
{
    const json_t *from = json_object_get(item, "from"), *to = json_object_get(item, "to");
    char text[LINE_MAX_BYTES];
    struct str_buffer line = str_buffer_init(text, sizeof(text));

    str_buffer_add(&line, "%s: %s%s", reply_text(item, "unit"), is_done ? "" : "would be ",
                   reply_text(item, "change"));
    if (json_array_size(to) > 0) {
        str_buffer_add(&line, " at ");
        add_list(&line, to, "");
    }
    if (json_array_size(from) > 0 && !json_equal((json_t *)from, (json_t *)to)) {
        str_buffer_add(&line, json_array_size(to) > 0 ? " instead of " : " at ");
        add_list(&line, from, "");
    }
    if (reply_is_set(item, "because"))
        str_buffer_add(&line, " (%s)", reply_text(item, "because"));
    table_line(stream, "%s", text);
}

static void print_steps(const json_t *object, bool is_done, FILE *stream)
{
    const json_t *item;
    size_t i;

    if (!is_done)
        json_array_foreach(json_object_get(object, "due"), i, item)
            table_line(stream, "due: %s", reply_text(item, "text"));
    if (reply_is_true(object, "has_new_mappings"))
        table_line(stream, "%s: %s", reply_text(object, "mapping_file"),
                   is_done ? "in force" : "would come into force");
    if (reply_is_true(object, "needs_daemon_reload"))
        table_line(stream, "systemd %s its units again (daemon-reload)",
                   is_done ? "has read" : "would read");
    if (!reply_is_true(object, "is_running"))
        table_line(stream, "dispatcherd.service %s", is_done ? "started" : "would be started");
    else if (reply_is_true(object, "needs_restart"))
        table_line(stream, "dispatcherd.service %s; workers and sessions %s",
                   is_done ? "restarted" : "would be restarted", is_done ? "went on" : "go on");
}

int plan_print_changes(const json_t *object, bool is_done, FILE *stream)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(object, "options"), i, item)
        print_option(item, stream);
    json_array_foreach(json_object_get(object, "services"), i, item)
        print_service(item, is_done, stream);
    json_array_foreach(json_object_get(object, "sockets"), i, item)
        print_socket(item, is_done, stream);
    print_steps(object, is_done, stream);
    return ferror(stream) ? -EIO : 0;
}

void plan_print_problems(const json_t *object, FILE *stream)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(object, "problems"), i, item)
        table_line(stream, "%s", json_string_value(item) ? json_string_value(item) : "");
}

void plan_print_obstacles(const json_t *object, FILE *stream)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(object, "in_the_way"), i, item) {
        char text[LINE_MAX_BYTES];
        struct str_buffer line = str_buffer_init(text, sizeof(text));

        str_buffer_add(&line, "%s cannot listen at %s: ", reply_text(item, "unit"),
                       reply_text(item, "address"));
        if (reply_is_set(item, "pid"))
            str_buffer_add(&line, "process %" PRId64 " (%s%s%s)", reply_number(item, "pid"),
                           reply_text(item, "program"),
                           reply_is_set(item, "holder_unit") ? " of " : "",
                           reply_text(item, "holder_unit"));
        else
            str_buffer_add(&line, "another process");
        str_buffer_add(&line, " listens at %s", reply_text(item, "held_at"));
        table_line(stream, "%s", text);
    }
}

/* Verdicts, and drop-ins */

static void add_verdict(struct str_buffer *line, const json_t *verdict)
{
    bool is_rejected = strcmp(reply_text(verdict, "verdict"), "reject") == 0;

    str_buffer_add(line, "%s", is_rejected ? "rejected" : "accepted");
    if (reply_is_set(verdict, "entry"))
        str_buffer_add(line, " by %s: %s", reply_text(verdict, "entry"),
                       reply_text(verdict, "pattern"));
    else if (reply_is_set(verdict, "zone"))
        str_buffer_add(line, " by list %s", reply_text(verdict, "zone"));
    else if (reply_is_set(verdict, "detail"))
        str_buffer_add(line, " by %s", reply_text(verdict, "detail"));
    if (!reply_is_true(verdict, "is_certain"))
        str_buffer_add(line, " (not certain)");
}

static void print_verdict(const json_t *item, FILE *stream)
{
    char text[LINE_MAX_BYTES];
    struct str_buffer line = str_buffer_init(text, sizeof(text));

    str_buffer_add(&line, "%s: client ", reply_text(item, "service"));
    str_buffer_add(&line, "%s at ", reply_text(json_object_get(item, "client"), "address"));
    format_address(json_object_get(item, "local"), &line);
    str_buffer_add(&line, ": ");
    add_verdict(&line, json_object_get(item, "from"));
    str_buffer_add(&line, " -> ");
    add_verdict(&line, json_object_get(item, "to"));
    table_line(stream, "%s", text);
}

void plan_print_notes(const json_t *object, FILE *stream)
{
    int64_t n_left_out = reply_number(object, "n_verdicts_left_out");
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(object, "drop_ins"), i, item)
        table_line(stream, "%s: %s=%s (%s) wins over %s", reply_text(item, "unit"),
                   reply_text(item, "key"), reply_text(item, "value"), reply_text(item, "origin"),
                   reply_is_set(item, "over") ? reply_text(item, "over") : "the generated unit");
    json_array_foreach(json_object_get(object, "verdicts"), i, item)
        print_verdict(item, stream);
    if (n_left_out > 0)
        table_line(stream, "%" PRId64 " other %s not tried", n_left_out,
                   str_plural((uint64_t)n_left_out, "client was", "clients were"));
}
