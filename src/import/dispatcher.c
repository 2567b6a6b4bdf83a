/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcher.cnf of Sun, Oracle or PMDF, whose options are the same as ours. What differs: paths
 * and logical names, programs that this host does not have, options of other systems. section.h
 * has the sections. */
#include "import/section.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The state while the file is read. */
struct reading {
    struct section section; /* the one that is open */
    bool has_common_image;  /* IMAGE is set before the first section */
    bool has_common_smtp;   /* and it is our mail receiver */
};

static struct reading *current(struct importing *importing)
{
    if (!importing->form)
        importing->form = calloc(1, sizeof(struct reading));
    if (!importing->form)
        importing->is_error = true;
    return importing->form;
}

/* In unified configurations, a service called SMTP needs no IMAGE. */
static void add_image(struct importing *importing, const struct reading *reading,
                      struct section *section)
{
    if (!section->name || section_is_dispatcher(section) || section->has_image)
        return;
    section->has_image = section->has_smtp = reading->has_common_image && reading->has_common_smtp;
    section->has_image |= reading->has_common_image;
    if (!section->has_image && strcasecmp(section->name, "SMTP") == 0)
        section_take_image(importing, section, &option_table[OPTION_IMAGE], "tcp_smtp_server");
}

static void end_section(struct importing *importing, struct reading *reading)
{
    struct section *section = &reading->section;

    add_image(importing, reading, section);
    if (!section->name) {
        reading->has_common_image = section->has_image && !section->missing;
        reading->has_common_smtp = section->has_smtp;
    }
    section_write(importing, section);
    section_clear(section);
}

/* Reads "[SERVICE=NAME]", also without brackets, as the manual of PMDF has it once. */
static bool parse_section(const char *text, char **ret)
{
    size_t skip = text[0] == '[' ? 1 : 0;

    if (strncasecmp(text + skip, "SERVICE", strlen("SERVICE")) != 0)
        return false;
    const char *name = text + skip + strlen("SERVICE");
    name += strspn(name, " \t");
    if (*name++ != '=')
        return false;
    name += strspn(name, " \t");
    *ret = strndup(name, strcspn(name, "] \t"));
    return true;
}

static void read_text(struct importing *importing, struct reading *reading, char *text)
{
    struct section *section = &reading->section;
    char *name = NULL;

    if (strchr("!;#", text[0])) {
        section_note(importing, section, "%s", text + 1 + strspn(text + 1, " \t"));
    } else if (text[0] == '<') {
        section_note(importing, section,
                     "NOT READ: %s: translate that file too, and include it here by <FILE", text);
    } else if (parse_section(text, &name)) {
        end_section(importing, reading);
        section->name = name;
        importing->is_error |= !name;
    } else {
        section_take_line(importing, section, text);
    }
}

/* A line that ends in a backslash continues in the next one, a comment never does. */
static void join(struct importing *importing, char **joined, const char *text)
{
    size_t length = *joined ? strlen(*joined) : 0;
    char *whole = realloc(*joined, length + strlen(text) + 1);

    if (!whole) {
        importing->is_error = true;
        return;
    }
    strcpy(whole + length, text);
    *joined = whole;
}

static void cut_blanks(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && strchr(" \t\r\x1a", text[length - 1]))
        text[--length] = '\0';
}

void import_dispatcher(struct importing *importing, const struct import_source *source)
{
    struct import_lines lines = {.at = source->text, .end = source->text + source->size};
    struct reading *reading = current(importing);
    _cleanup_str_ char *joined = NULL;
    char *line;

    while (reading && import_next_line(importing, &lines, &line)) {
        char *text = line + strspn(line, " \t\xef\xbb\xbf");

        cut_blanks(text);
        size_t length = strlen(text);
        bool is_comment = !joined && text[0] && strchr("!;#", text[0]);
        bool goes_on = !is_comment && length > 0 && text[length - 1] == '\\';
        if (goes_on)
            text[length - 1] = '\0';
        join(importing, &joined, text);
        free(line);
        if (goes_on && lines.at < lines.end)
            continue;
        if (joined && joined[0])
            read_text(importing, reading, joined);
        else
            section_note(importing, &reading->section, "%s", "");
        free(joined);
        joined = NULL;
    }
}

void import_dispatcher_finish(struct importing *importing)
{
    struct reading *reading = importing->form;

    if (!reading)
        return;
    end_section(importing, reading);
    free(reading);
    importing->form = NULL;
}
