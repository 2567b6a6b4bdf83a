/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/section.h"

#include "files/number.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNS_MAX 50

/* The most DNS lists of a service (dispatcher.cnf(5)). */
#define LISTS_MAX 5

bool section_is_dispatcher(const struct section *section)
{
    return section->name && strcasecmp(section->name, "DISPATCHER") == 0;
}

/* Output */

static void put(struct importing *importing, struct section *section, const struct option *option,
                char *text)
{
    struct output *lines = reallocarray(section->lines, section->n_lines + 1, sizeof(*lines));

    if (lines)
        section->lines = lines;
    if (!lines || !text) {
        importing->is_error = true;
        free(text);
        return;
    }
    lines[section->n_lines++] = (struct output){.text = text, .option = option};
}

void section_note(struct importing *importing, struct section *section, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    put(importing, section, NULL, text);
}

/* If an option is given twice, the later line counts, as for the original. */
static void drop_earlier(struct section *section, const struct option *option)
{
    if (option->flags & OPTION_IS_LIST)
        return;
    for (size_t i = 0; i < section->n_lines; i++)
        if (section->lines[i].option == option)
            section->lines[i].option = NULL;
}

static void keep(struct importing *importing, struct section *section, const struct option *option,
                 const char *value)
{
    char *text = NULL;

    drop_earlier(section, option);
    if (asprintf(&text, "%s=%s", option->name, value) < 0)
        text = NULL;
    put(importing, section, option, text);
}

/* Values */

/* The file's own name without logical names and folders of any system: "IMTA_BIN:a", "/x/y/a",
 * "PMDF_ROOT:[EXE]A.EXE;3", "C:\x\a.exe". Names of programs are converted to lower case. */
static void base_of(const char *value, bool is_program, char *ret, size_t size)
{
    const char *start = value;

    for (const char *c = value; *c; c++)
        if (strchr("/\\:]>", *c) && c[1])
            start = c + 1;
    snprintf(ret, size, "%.*s", (int)strcspn(start, ";"), start);
    size_t length = strlen(ret);
    if (is_program && length > 4 &&
        (strcasecmp(ret + length - 4, ".exe") == 0 || strcasecmp(ret + length - 4, ".com") == 0))
        ret[length - 4] = '\0';
    for (char *c = ret; is_program && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
}

static bool can_run_worker(const struct importing *importing, const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", importing->host->worker_dir, name);
    return importing->host->can_run(path);
}

void section_take_image(struct importing *importing, struct section *section,
                        const struct option *option, const char *value)
{
    char name[256];

    section->has_image = true;
    if (value[0] == '/' && importing->host->can_run(value)) {
        keep(importing, section, option, value);
        return;
    }
    base_of(value, true, name, sizeof(name));
    if (!name[0] || !can_run_worker(importing, name)) {
        free(section->missing);
        section->missing = strdup(value);
        section_note(importing, section, "IMAGE=%s", value);
        return;
    }
    section->has_smtp = strcmp(name, "tcp_smtp_server") == 0;
    if (strcmp(name, value) != 0)
        section_note(importing, section, "It was IMAGE=%s", value);
    keep(importing, section, option, name);
}

/* All logs are put into one folder, which the sandbox allows. */
static void take_logfile(struct importing *importing, struct section *section,
                         const struct option *option, const char *value)
{
    char name[256];

    base_of(value, false, name, sizeof(name));
    if (strcmp(name, value) != 0)
        section_note(importing, section, "It was LOGFILE=%s; logs are in /var/log/dispatcherd",
                     value);
    keep(importing, section, option, name);
}

static bool is_known_parameter(const char *value)
{
    static const char *const names[] = {"CHANNEL=", "DOMAIN=", "MAILDIR=", "SIZE="};

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if (strncasecmp(value, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Numbers for which 0 means something else here, or that are above our maximum. */
static void take_number(struct importing *importing, struct section *section,
                        const struct option *option, const char *value)
{
    char reason[NUMBER_REASON_MAX], text[32];
    int64_t number;

    if (number_parse(value, &number, reason) < 0) {
        section_note(importing, section, "NOT TAKEN: %s=%s (%s)", option->name, value, reason);
        return;
    }
    int64_t taken = number;
    if (option->max > 0 && number > option->max)
        taken = option->max;
    if (number < option->min && !(number == 0 && option->flags & OPTION_OR_ZERO))
        taken = option->min;
    if (taken == number) {
        keep(importing, section, option, value);
        return;
    }
    section_note(importing, section, "It was %s=%s; %lld is the %s here", option->name, value,
                 (long long)taken, taken < number ? "most" : "least");
    snprintf(text, sizeof(text), "%lld", (long long)taken);
    keep(importing, section, option, text);
}

static bool has_range(const struct option *option)
{
    return strcmp(option->name, "DEBUG") != 0 && strcmp(option->type->name, "integer") == 0;
}

static void take_option(struct importing *importing, struct section *section,
                        const struct option *option, const char *value)
{
    enum option_id id = option_id(option);

    if (section_is_dispatcher(section) && !(option->scopes & SCOPE_DISPATCHER))
        section_note(importing, section,
                     "NOT TAKEN: %s=%s (the Dispatcher itself has no such option)", option->name,
                     value);
    else if (!section->name && !(option->scopes & SCOPE_GLOBAL))
        section_note(importing, section, "NOT TAKEN: %s=%s (it belongs in a section)", option->name,
                     value);
    else if (id == OPTION_IMAGE)
        section_take_image(importing, section, option, value);
    else if (id == OPTION_LOGFILE && value[0])
        take_logfile(importing, section, option, value);
    else if (id == OPTION_DNS_VERIFY_DOMAIN && ++section->n_lists > LISTS_MAX)
        section_note(importing, section, "NOT TAKEN: %s=%s (at most %d lists are allowed)",
                     option->name, value, LISTS_MAX);
    else if (has_range(option) && value[0])
        take_number(importing, section, option, value);
    else if (value[0])
        keep(importing, section, option, value);
    else
        section_note(importing, section, "%s=", option->name);
}

void section_take_line(struct importing *importing, struct section *section, char *text)
{
    char *equals = strchr(text, '=');

    if (!equals) {
        section_note(importing, section, "NOT READ: %s", text);
        return;
    }
    *equals = '\0';
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]))
        text[--length] = '\0';
    const char *value = equals + 1 + strspn(equals + 1, " \t");
    const struct option *option = option_find(text);
    const struct ignored_option *ignored = ignored_option_find(text);
    if (option)
        take_option(importing, section, option, value);
    else if (ignored)
        section_note(importing, section, "NOT TAKEN: %s=%s (%s)", text, value, ignored->advice);
    else
        section_note(importing, section, "NOT TAKEN: %s=%s (there is no such option)", text, value);
}

/* Writing */

static bool has_option(const struct section *section, enum option_id id)
{
    for (size_t i = 0; i < section->n_lines; i++)
        if (section->lines[i].option == &option_table[id])
            return true;
    return false;
}

/* With an option that our mail receiver does not know, its workers would not start. */
static bool is_refused(const struct section *section, const struct output *line)
{
    if (!section->has_smtp || !line->option)
        return false;
    enum option_id id = option_id(line->option);
    return id == OPTION_TLS_PORT ||
           (id == OPTION_PARAMETER && !is_known_parameter(line->text + strlen("PARAMETER=")));
}

static const char *why_left_out(const struct section *section)
{
    bool has_port = has_option(section, OPTION_PORT) ||
                    (!section->has_smtp && has_option(section, OPTION_TLS_PORT));

    if (section->missing)
        return "this host has no such program";
    if (!section->has_image)
        return "it has no IMAGE";
    return has_port ? NULL : "it has no port but those of TLS, which need a certificate here";
}

static void write_lines(struct importing *importing, const struct section *section, bool is_on)
{
    for (size_t i = 0; i < section->n_lines; i++) {
        const struct output *line = &section->lines[i];
        bool is_out = is_refused(section, line);

        if (is_out)
            import_comment(importing, "NOT TAKEN: %s",
                           option_id(line->option) == OPTION_TLS_PORT
                               ? "it needs a certificate, see TLS in tcp_smtp_server(8)"
                               : "tcp_smtp_server(8) of dispatcherd knows no such parameter");
        if (!line->option || is_out || !is_on)
            import_comment(importing, "%s", line->text);
        else
            fprintf(importing->config, "%s\n", line->text);
    }
}

void section_clear(struct section *section)
{
    for (size_t i = 0; i < section->n_lines; i++)
        free(section->lines[i].text);
    free(section->lines);
    free(section->name);
    free(section->missing);
    *section = (struct section){0};
}

void section_write(struct importing *importing, const struct section *section)
{
    bool is_service = section->name && !section_is_dispatcher(section);
    const char *why = is_service ? why_left_out(section) : NULL;
    char name[IMPORT_NAME_MAX + 1];

    if (!section->name) {
        write_lines(importing, section, true);
        return;
    }
    if (why && import_has_name(importing, section->name))
        why = "there is a section of that name above; put these lines there";
    if (why) {
        import_leave_out(importing, section->name, "%s%s%s",
                         section->missing ? section->missing : "", section->missing ? ": " : "",
                         why);
        import_comment(importing, "[SERVICE=%s]", section->name);
        write_lines(importing, section, false);
        return;
    }
    snprintf(name, sizeof(name), "%s", section->name);
    if (is_service)
        import_make_name(importing, section->name, name);
    bool is_renamed = strcasecmp(name, section->name) != 0;
    if (is_renamed)
        import_comment(importing, "It was called %s.", section->name);
    fprintf(importing->config, "[SERVICE=%s]\n", is_renamed ? name : section->name);
    write_lines(importing, section, true);
    importing->n_services += is_service;
}
