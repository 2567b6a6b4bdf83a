/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/views.h"

#include "base/str.h"
#include "base/time.h"
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "dispatcherctl/views/cells.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static void format_time(const json_t *object, const char *name, char text[32])
{
    time_t at =
        (time_t)(reply_number(json_object_get(object, name), "realtime") / (int64_t)USEC_PER_SEC);
    struct tm local;

    text[0] = '\0';
    if (at > 0 && localtime_r(&at, &local))
        strftime(text, 32, "%Y-%m-%d %H:%M:%S", &local);
}

/* status */

static void print_ill_list(const json_t *list, uint64_t now, FILE *stream)
{
    uint64_t since = reply_moment(list, "since");
    char date[32], age[DURATION_TEXT_MAX] = "a moment";

    if (!reply_is_true(list, "is_set_aside"))
        return;
    format_time(list, "since", date);
    if (since > 0 && since <= now)
        duration_format(now - since, age);
    table_line(stream, "DNS list %s has been set aside since %s (%s), and rejects nobody: %s",
               reply_text(list, "zone"), date, age, reply_text(list, "reason"));
}

static void add_list_state(struct table *table, const struct row *row, const char *name)
{
    bool is_ill = reply_is_true(row->item, name);

    table_add(table, "%s", is_ill ? "set aside" : "asked");
    table_style(table, is_ill ? STYLE_BAD : STYLE_GOOD);
}

int view_dns(const json_t *parameters, FILE *stream)
{
    static const struct column columns[] = {
        {{"DNS LIST", TABLE_LEFT}, cell_text, "zone"},
        {{"STATE", TABLE_LEFT}, add_list_state, "is_set_aside"},
        {{"ASKED", TABLE_RIGHT}, cell_number, "n_queries"},
        {{"LISTED", TABLE_RIGHT}, cell_number, "n_listed"},
        {{"TIMED OUT", TABLE_RIGHT}, cell_number, "n_timed_out"},
        {{"FAILED", TABLE_RIGHT}, cell_number, "n_failed"},
    };
    const json_t *lists = json_object_get(parameters, "dns_lists");
    const json_t *item;
    size_t i;

    if (json_array_size(lists) == 0)
        return 0;
    fputc('\n', stream);
    int r = print_rows(columns, ELEMENTSOF(columns), lists, 0, stream);
    json_array_foreach(lists, i, item) {
        print_ill_list(item, reply_moment(parameters, "now"), stream);
        if (reply_is_true(item, "lacks_test_entry"))
            table_line(stream, "DNS list %s lacks its test entry 127.0.0.2: it may be empty",
                       reply_text(item, "zone"));
    }
    return r;
}

/* explain */

/* The reason as it reads after "rejected"; unknown ones stay as they are. */
static const char *cause_text(const char *reason)
{
    static const struct {
        const char *reason, *text;
    } causes[] = {
        {"mapping", "by the mapping file"},
        {"dns_list", "by a DNS list"},
        {"throttle", "by a throttle"},
        {"address", "for too many connections"},
        {"proxy_header", "for its PROXY header"},
        {"shutdown", "because the service was stopping"},
        {"error", "because its check failed"},
    };

    for (size_t i = 0; i < ELEMENTSOF(causes); i++)
        if (strcmp(reason, causes[i].reason) == 0)
            return causes[i].text;
    return reason;
}

/* Adds "rejected by the mapping file: PORT_ACCESS entry FILE:LINE: PATTERN", or what else decided.
 */
static void add_decision(struct str_buffer *line, const json_t *item)
{
    bool is_rejected = strcmp(reply_text(item, "verdict"), "reject") == 0;
    const char *separator = ":";

    str_buffer_add(line, "%s", is_rejected ? "rejected" : "accepted");
    if (reply_is_set(item, "reason"))
        str_buffer_add(line, " %s", cause_text(reply_text(item, "reason")));
    if (reply_is_set(item, "detail")) {
        str_buffer_add(line, "%s %s", separator, reply_text(item, "detail"));
        separator = ",";
    }
    if (reply_is_set(item, "zone")) {
        str_buffer_add(line, "%s list %s", separator, reply_text(item, "zone"));
        separator = ",";
    }
    if (reply_is_set(item, "entry"))
        str_buffer_add(line, "%s PORT_ACCESS entry %s: %s", separator, reply_text(item, "entry"),
                       reply_text(item, "pattern"));
}

/* Prints each line of the text on a line of its own. */
static void print_text(const json_t *item, FILE *stream)
{
    const char *text = reply_text(item, "text");

    while (*text) {
        size_t length = strcspn(text, "\n");

        table_line(stream, "    sends: %.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_decision(const json_t *decision, FILE *stream)
{
    char date[32], text[1024];
    struct str_buffer line = str_buffer_init(text, sizeof(text));

    format_time(decision, "at", date);
    str_buffer_add(&line, "%s %s ", date, reply_text(decision, "service"));
    format_address(json_object_get(decision, "client"), &line);
    str_buffer_add(&line, " to ");
    format_address(json_object_get(decision, "local"), &line);
    str_buffer_add(&line, " (%s): ", reply_text(decision, "connection"));
    add_decision(&line, decision);
    table_line(stream, "%s", text);
    print_text(decision, stream);
}

static void print_trial(const json_t *trial, FILE *stream)
{
    const json_t *lines = json_object_get(trial, "trace"), *item;
    char text[1024];
    struct str_buffer line = str_buffer_init(text, sizeof(text));
    size_t i;

    str_buffer_add(&line, "%s at ", reply_text(trial, "service"));
    format_address(json_object_get(trial, "local"), &line);
    str_buffer_add(&line, ": ");
    add_decision(&line, trial);
    if (!reply_is_true(trial, "is_certain"))
        str_buffer_add(&line, " (not certain: see below)");
    table_line(stream, "%s", text);
    print_text(trial, stream);
    json_array_foreach(lines, i, item)
        table_line(stream, "    %s", json_string_value(item) ? json_string_value(item) : "");
}

static void print_no_decisions(const json_t *parameters, FILE *stream)
{
    uint64_t since = reply_moment(parameters, "decisions_since");
    uint64_t now = reply_moment(parameters, "now");
    char date[32], age[DURATION_TEXT_MAX];

    format_time(parameters, "decisions_since", date);
    table_line(stream,
               "no decision about this address is stored; decisions have been stored "
               "since %s (%s)",
               date, duration_format(since > 0 && since <= now ? now - since : 0, age));
}

static void print_decisions(const json_t *parameters, FILE *stream)
{
    const json_t *decisions = json_object_get(parameters, "decisions"), *item;
    int64_t n_older = reply_number(parameters, "n_older_decisions");
    size_t i;

    if (json_array_size(decisions) == 0) {
        print_no_decisions(parameters, stream);
        return;
    }
    table_line(stream, "past decisions, newest first:");
    json_array_foreach(decisions, i, item)
        print_decision(item, stream);
    if (n_older > 0)
        table_line(stream, "and %" PRId64 " before", n_older);
}

int view_explain(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    const json_t *trials = json_object_get(parameters, "trials"), *item;
    int64_t n_left_out = reply_number(parameters, "n_trials_left_out");
    size_t i;

    print_decisions(parameters, stream);
    fputc('\n', stream);
    table_line(stream, "%s",
               json_array_size(trials) > 0 ? "with the tables in force, a connection now would be:"
                                           : "this address cannot reach the socket of any service");
    json_array_foreach(trials, i, item)
        print_trial(item, stream);
    if (n_left_out > 0)
        table_line(stream, "%" PRId64 " %s not shown; name a service", n_left_out,
                   str_plural((uint64_t)n_left_out, "socket was", "sockets were"));
    return ferror(stream) ? -EIO : 0;
}
