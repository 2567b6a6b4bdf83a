/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/unit_lines.h"

#include "base/str.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum {
    LINES_MAX = 3,
    LINE_BYTES = 160,
    TRIES = 10, /* journald may take a moment until it has read what a process wrote */
};

#define TRY_USEC 20000

struct lines {
    char items[LINES_MAX][LINE_BYTES]; /* the newest first */
    size_t n;
};

static void journal_cleanup(sd_journal **journal)
{
    sd_journal_close(*journal);
}

/* A process's own lines have the trusted field; lines of systemd before it starts the program have
 * the other one. */
static int match(sd_journal *journal, const char *invocation_id)
{
    char own[64], systemds[64];

    snprintf(own, sizeof(own), "_SYSTEMD_INVOCATION_ID=%.40s", invocation_id);
    snprintf(systemds, sizeof(systemds), "INVOCATION_ID=%.40s", invocation_id);
    int r = sd_journal_add_match(journal, own, 0);
    if (r == 0)
        r = sd_journal_add_disjunction(journal);
    if (r == 0)
        r = sd_journal_add_match(journal, systemds, 0);
    return r;
}

static bool has_field(sd_journal *journal, const char *name, const char *value)
{
    size_t name_length = strlen(name), length;
    const void *data;

    if (sd_journal_get_data(journal, name, &data, &length) < 0 || length <= name_length)
        return false;
    return length - name_length - 1 == strlen(value) &&
           memcmp((const char *)data + name_length + 1, value, strlen(value)) == 0;
}

/* Lines of PID 1 about the end are left out: they would repeat what the report says. */
static bool is_of_interest(sd_journal *journal)
{
    return !has_field(journal, "_PID", "1") && !has_field(journal, "_COMM", "worker_ended");
}

/* The length of "UNIT: " in front of a message; 0 if it is not there. */
static size_t prefix_length(const char *message, size_t length, const char *unit)
{
    size_t n = strlen(unit);

    return length > n + 2 && memcmp(message, unit, n) == 0 && memcmp(message + n, ": ", 2) == 0
               ? n + 2
               : 0;
}

static void take_line(sd_journal *journal, const char *unit, struct lines *lines)
{
    static const size_t name_length = sizeof("MESSAGE=") - 1;
    const void *data;
    size_t length;

    if (!is_of_interest(journal) || sd_journal_get_data(journal, "MESSAGE", &data, &length) < 0 ||
        length <= name_length)
        return;
    const char *message = (const char *)data + name_length;
    length -= name_length;
    size_t prefix = prefix_length(message, length, unit);
    char *line = lines->items[lines->n++];
    snprintf(line, LINE_BYTES, "%.*s", (int)(length - prefix), message + prefix);
    utf8_make_visible(line, strlen(line));
    for (char *c = line; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

static struct lines look(sd_journal *journal, const char *unit)
{
    struct lines lines = {0};

    (void)sd_journal_seek_tail(journal);
    while (lines.n < LINES_MAX && sd_journal_previous(journal) > 0)
        take_line(journal, unit, &lines);
    return lines;
}

void unit_lines_read(const char *unit, const char *invocation_id, char *text, size_t size)
{
    _cleanup_(journal_cleanup) sd_journal *journal = NULL;
    struct str_buffer buffer = str_buffer_init(text, size);
    struct lines lines = {0};

    if (!invocation_id || sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY) < 0 ||
        match(journal, invocation_id) < 0)
        return;
    for (int i = 0; i < TRIES && lines.n == 0; i++) {
        (void)sd_journal_process(journal);
        lines = look(journal, unit);
        if (lines.n == 0)
            (void)usleep(TRY_USEC);
    }
    while (lines.n-- > 0)
        str_buffer_add(&buffer, "%s%s", buffer.length > 0 ? " | " : "", lines.items[lines.n]);
}
