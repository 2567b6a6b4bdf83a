/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/parameters.h"

#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int parameter_read_text(const struct parameter *parameter, const char *value, void *place,
                        char *hint)
{
    char **text = place;

    if (!*value) {
        if (!parameter->hint)
            snprintf(hint, PARAMETER_TEXT_MAX, "must not be empty");
        return -EINVAL;
    }
    char *copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(*text);
    *text = copy;
    return 0;
}

int parameter_read_list(const struct parameter *parameter, const char *value, void *place,
                        char *hint)
{
    if (!*value) {
        if (!parameter->hint)
            snprintf(hint, PARAMETER_TEXT_MAX, "must not be empty");
        return -EINVAL;
    }
    return str_list_append(place, value);
}

/* Decimal digits only: strtoull() also accepts blanks and signs. */
static bool read_digits(const struct parameter *parameter, const char *value, uint64_t *ret)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno != 0 || number < parameter->min ||
        number > parameter->max)
        return false;
    *ret = number;
    return true;
}

int parameter_read_number(const struct parameter *parameter, const char *value, void *place,
                          char *hint)
{
    if (read_digits(parameter, value, place))
        return 0;
    if (!parameter->hint)
        snprintf(hint, PARAMETER_TEXT_MAX, "must be a number from %llu to %llu",
                 (unsigned long long)parameter->min, (unsigned long long)parameter->max);
    return -EINVAL;
}

int parameter_read_seconds(const struct parameter *parameter, const char *value, void *place,
                           char *hint)
{
    uint64_t seconds, *usec = place;

    if (!read_digits(parameter, value, &seconds)) {
        if (!parameter->hint)
            snprintf(hint, PARAMETER_TEXT_MAX, "must be a number of seconds from %llu to %llu",
                     (unsigned long long)parameter->min, (unsigned long long)parameter->max);
        return -EINVAL;
    }
    *usec = seconds * USEC_PER_SEC;
    return 0;
}

int parameter_read_choice(const struct parameter *parameter, const char *value, void *place,
                          char *hint)
{
    struct str_buffer text = str_buffer_init(hint, PARAMETER_TEXT_MAX);
    unsigned *choice = place;

    for (unsigned i = 0; parameter->choices[i]; i++)
        if (str_equal_nocase(value, parameter->choices[i])) {
            *choice = i;
            return 0;
        }
    if (parameter->hint)
        return -EINVAL;
    str_buffer_add(&text, "must be %s", parameter->choices[0]);
    for (size_t i = 1; parameter->choices[i]; i++)
        str_buffer_add(&text, "%s%s", parameter->choices[i + 1] ? ", " : " or ",
                       parameter->choices[i]);
    return -EINVAL;
}

/* "CHANNEL=, DOMAIN= and SIZE=" */
static void list_names(const struct parameter_table *table, struct str_buffer *text)
{
    for (size_t i = 0; i < table->n_items; i++)
        str_buffer_add(text, "%s%s=",
                       i == 0                    ? ""
                       : i + 1 == table->n_items ? " and "
                                                 : ", ",
                       table->items[i].name);
}

static bool is_named(const char *line, const char *name)
{
    return str_starts_nocase(line, name) && line[strlen(name)] == '=';
}

static const struct parameter *find_parameter(const struct parameter_table *table, const char *line)
{
    for (size_t i = 0; i < table->n_items; i++)
        if (is_named(line, table->items[i].name))
            return &table->items[i];
    return NULL;
}

int parameters_apply(const struct parameter_table *table, void *settings, const char *line,
                     char error[PARAMETER_TEXT_MAX])
{
    const struct parameter *parameter = find_parameter(table, line);
    struct str_buffer text = str_buffer_init(error, PARAMETER_TEXT_MAX);
    char hint[PARAMETER_TEXT_MAX] = "";

    if (!parameter) {
        str_buffer_add(&text, "PARAMETER=%.200s: unknown; the parameters are ", line);
        list_names(table, &text);
        return -EINVAL;
    }
    int r = parameter->read(parameter, line + strlen(parameter->name) + 1,
                            (char *)settings + parameter->offset, hint);
    if (r == -EINVAL)
        str_buffer_add(&text, "PARAMETER=%.200s: %s", line,
                       !*hint && parameter->hint ? parameter->hint : hint);
    return r;
}

void parameter_say(const struct parameter_report *report, enum parameter_severity severity,
                   size_t index, const char *format, ...)
{
    struct parameter_report of_line = *report;
    char text[PARAMETER_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    of_line.index = index;
    report->write(&of_line, severity, text);
}

size_t parameter_line(const struct parameter_report *report, const char *name, size_t n)
{
    for (size_t i = 0; i < report->n_lines; i++)
        if (is_named(report->lines[i], name) && n-- == 0)
            return i;
    return PARAMETER_NONE;
}

int parameters_read(const struct parameter_table *table, void *settings,
                    const char *const parameters[], size_t n_parameters,
                    struct parameter_report *report)
{
    char error[PARAMETER_TEXT_MAX];
    int result = 0;

    report->lines = parameters;
    report->n_lines = n_parameters;
    for (size_t i = 0; i < n_parameters; i++) {
        int r = parameters_apply(table, settings, parameters[i], error);

        if (r == -ENOMEM)
            return r;
        if (r < 0)
            parameter_say(report, PARAMETER_ERROR, i, "%s", error);
        if (r < 0)
            result = r;
    }
    return result == 0 && table->complete ? table->complete(settings, report) : result;
}

bool parameters_is_check(int argc, char *argv[])
{
    return argc > 1 && strcmp(argv[1], "--check-parameters") == 0;
}

static void write_to_output(const struct parameter_report *report, enum parameter_severity severity,
                            const char *text)
{
    const char *word = severity == PARAMETER_ERROR ? "error" : "warning";

    if (report->index == PARAMETER_NONE)
        printf("- %s: %s\n", word, text);
    else
        printf("%zu %s: %s\n", report->index, word, text);
}

int parameters_check(const struct parameter_table *table, void *settings, int argc, char *argv[])
{
    struct parameter_report report = {.facts.is_check = true, .write = write_to_output};
    int i = 2;

    /* Facts of a newer dispatcherd are unknown here, and ignored. */
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        report.facts.has_proxy_protocol |= strcmp(argv[i], "PROXY_PROTOCOL") == 0;
        report.facts.has_tls_port |= strcmp(argv[i], "TLS_PORT") == 0;
        report.facts.has_tls_credential |= strcmp(argv[i], "TLS_CREDENTIAL") == 0;
    }
    i += i < argc;
    int r = parameters_read(table, settings, (const char *const *)argv + i, (size_t)(argc - i),
                            &report);
    if (fflush(stdout) != 0)
        r = -EIO;
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
