/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/value.h"
#include "files/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* All PARAMETERs reach a worker in one message of 64 KiB, together with other things; half of that
 * is far more than any known program needs. */
#define PARAMETERS_MAX       256
#define PARAMETERS_BYTES_MAX 32768

/* As long as the name of a host may be (gethostname(2)). */
#define HOST_MAX 64

/* Puts the text, of which the place becomes the owner, into the place. */
static int replace(void *place, char *text)
{
    char **string = place;

    free(*string);
    *string = text;
    return 0;
}

static int copy_string(const void *from, void *place)
{
    const char *string = *(char *const *)from;
    char *copy = string ? strdup(string) : NULL;

    if (string && !copy)
        return -ENOMEM;
    return replace(place, copy);
}

static void clear_string(void *place)
{
    replace(place, NULL);
}

/* A value has no blanks at its ends, but it may end with a backslash, which would join it with the
 * next line. A blank after it prevents that. */
static void print_text(const char *name, const char *text, FILE *stream)
{
    size_t length = strlen(text);

    fprintf(stream, "%s=%s%s\n", name, text, length > 0 && text[length - 1] == '\\' ? " " : "");
}

static void print_string(const char *name, const void *place, FILE *stream)
{
    const char *string = *(char *const *)place;

    print_text(name, string ? string : "", stream);
}

static bool is_string_set(const struct option *option _unused_, const void *place)
{
    return *(char *const *)place != NULL;
}

static bool has_control_character(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

static bool has_parent_step(const char *path)
{
    for (const char *c = path; (c = strstr(c, "..")); c += 2)
        if ((c == path || c[-1] == '/' || c[-1] == ':') && (c[2] == '/' || !c[2]))
            return true;
    return false;
}

/* The kernel opens no such file, and systemd rejects a unit that names one. */
static bool has_too_long_part(const char *path)
{
    while (*path) {
        size_t length = strcspn(path, "/");

        if (length > NAME_MAX)
            return true;
        path += length + (path[length] == '/');
    }
    return false;
}

static bool is_short_enough(const struct value_source *source, const char *path)
{
    if (strlen(path) >= PATH_MAX) {
        value_error(source, VALUE_SHOWN ": the path is longer than %d bytes", VALUE_ARGS(source),
                    PATH_MAX - 1);
        return false;
    }
    if (has_too_long_part(path)) {
        value_error(source,
                    VALUE_SHOWN
                    ": a part of the path, between two slashes, is longer than %d bytes",
                    VALUE_ARGS(source), NAME_MAX);
        return false;
    }
    return true;
}

/* Checks what every option for a file requires. Returns 0 with the path in *ret. */
static int resolve_file(const struct value_source *source, const char *relative_dir, char **ret)
{
    char reason[PATHS_REASON_MAX];
    const char *text = source->text;

    if (has_control_character(text)) {
        value_error(source, VALUE_SHOWN ": a file's name must not contain control characters",
                    VALUE_ARGS(source));
        return -EINVAL;
    }
    if (has_parent_step(text)) {
        value_error(source, VALUE_SHOWN ": '..' is not allowed; write the whole path",
                    VALUE_ARGS(source));
        return -EINVAL;
    }
    if (text_has_comment(text))
        value_warning(source,
                      VALUE_SHOWN
                      ": all of this is the file's name; a comment must be on a line of its own",
                      VALUE_ARGS(source));
    int r = paths_resolve(source->paths, relative_dir, text, ret, reason);
    if (r == -EINVAL)
        value_error(source, VALUE_SHOWN ": %s", VALUE_ARGS(source), reason);
    if (r == 0 && !is_short_enough(source, *ret)) {
        free(STEAL(*ret));
        return -EINVAL;
    }
    return r;
}

/* Removes the suffix of OpenVMS: tcp_smtp_server.exe. */
static void drop_exe(char *path)
{
    size_t length = strlen(path);

    if (length > 4 && str_equal_nocase(path + length - 4, ".exe") && path[length - 5] != '/')
        path[length - 4] = '\0';
}

static int parse_image(const struct value_source *source, void *place)
{
    char *path;

    if (!*source->text)
        return replace(place, NULL);
    int r = resolve_file(source, source->paths->worker_dir, &path);
    if (r < 0)
        return r;
    drop_exe(path);
    return replace(place, path);
}

const struct option_type value_image = {
    .name = "program",
    .parse = parse_image,
    .copy = copy_string,
    .clear = clear_string,
    .print = print_string,
    .is_set = is_string_set,
};

/* Among the letters is none that means something to the store of a fleet. */
static int parse_name(const struct value_source *source, void *place)
{
    const char *text = source->text;
    bool is_plain = strlen(text) <= HOST_MAX;

    for (const char *c = text; *c; c++)
        is_plain &= isalnum((unsigned char)*c) || strchr("-_.", *c);
    if (!is_plain) {
        value_error(source, VALUE_SHOWN ": a name has up to 64 letters, digits, and - _ .",
                    VALUE_ARGS(source));
        return -EINVAL;
    }
    char *copy = *text ? strdup(text) : NULL;
    return *text && !copy ? -ENOMEM : replace(place, copy);
}

const struct option_type value_name = {
    .name = "name",
    .parse = parse_name,
    .copy = copy_string,
    .clear = clear_string,
    .print = print_string,
    .is_set = is_string_set,
};

/* Whether the text has only %s, the host's name, and %%, a percent sign. They are replaced later
 * (dispatcher-worker(7)). */
static bool has_good_percents(const char *text)
{
    for (; (text = strchr(text, '%')); text += 2)
        if (text[1] != 's' && text[1] != '%')
            return false;
    return true;
}

static int parse_logfile(const struct value_source *source, void *place)
{
    char *path;

    if (!*source->text)
        return replace(place, NULL);
    if (!has_good_percents(source->text)) {
        value_error(source,
                    VALUE_SHOWN
                    ": only %%s (the host's name) and %%%% (a percent sign) are allowed "
                    "in a log file's name",
                    VALUE_ARGS(source));
        return -EINVAL;
    }
    int r = resolve_file(source, source->paths->log_dir, &path);
    return r < 0 ? r : replace(place, path);
}

const struct option_type value_logfile = {
    .name = "file",
    .parse = parse_logfile,
    .copy = copy_string,
    .clear = clear_string,
    .print = print_string,
    .is_set = is_string_set,
};

static int parse_recording(const struct value_source *source, void *place)
{
    char *path;

    if (!*source->text)
        return replace(place, NULL);
    int r = resolve_file(source, source->paths->state_dir, &path);
    return r < 0 ? r : replace(place, path);
}

const struct option_type value_recording = {
    .name = "file",
    .parse = parse_recording,
    .copy = copy_string,
    .clear = clear_string,
    .print = print_string,
    .is_set = is_string_set,
};

int value_reject(const struct value_source *source, const char *reason)
{
    value_error(source, VALUE_SHOWN ": %s", VALUE_ARGS(source),
                text_has_comment(source->text) ? "a comment must be on a line of its own" : reason);
    return -EINVAL;
}

int value_list_copy(const void *from, void *place)
{
    return str_list_copy(from, place);
}

void value_list_clear(void *place)
{
    str_list_clear(place);
}

static void print_list(const char *name, const void *place, FILE *stream)
{
    const struct str_list *list = place;

    if (list->n_items == 0)
        print_text(name, "", stream);
    for (size_t i = 0; i < list->n_items; i++)
        print_text(name, list->items[i], stream);
}

bool value_list_is_set(const struct option *option _unused_, const void *place)
{
    return ((const struct str_list *)place)->n_items > 0;
}

static int parse_parameter(const struct value_source *source, void *place)
{
    struct str_list *list = place;
    size_t n_bytes = strlen(source->text) + 1;

    if (!*source->text) {
        str_list_clear(list);
        return 0;
    }
    for (size_t i = 0; i < list->n_items; i++)
        n_bytes += strlen(list->items[i]) + 1;
    if (list->n_items == PARAMETERS_MAX || n_bytes > PARAMETERS_BYTES_MAX) {
        value_error(source,
                    VALUE_SHOWN ": a service may have %d PARAMETERs of %d bytes together at the "
                                "most",
                    VALUE_ARGS(source), PARAMETERS_MAX, PARAMETERS_BYTES_MAX);
        return -EINVAL;
    }
    return str_list_append(list, source->text);
}

const struct option_type value_parameters = {
    .name = "text",
    .parse = parse_parameter,
    .copy = value_list_copy,
    .clear = value_list_clear,
    .print = print_list,
    .is_set = value_list_is_set,
};

/* The most zones of a service (dispatcher.cnf(5), DNS_VERIFY_DOMAIN), and bytes of a zone's name: a
 * name in a query has at most 253, and an IPv6 client takes 64 of them. */
#define ZONES_MAX      5
#define ZONE_BYTES_MAX (253 - 64)

/* Why the text is no DNS name; NULL if it is one. */
static const char *zone_fault(const char *text)
{
    struct address address;
    size_t length = 0;

    if (address_parse(text, &address) == 0)
        return "an address is not a DNS list; write the name of the list's zone, as in "
               "zen.dnsbl.example";
    if (strlen(text) > ZONE_BYTES_MAX)
        return "the name is too long for a query";
    for (const char *c = text; *c; c++) {
        if (*c == '.') {
            if (length == 0)
                return "a part between the dots is empty";
            length = 0;
        } else if (!isascii(*c) || !(isalnum((unsigned char)*c) || *c == '-' || *c == '_')) {
            return "a zone's name has letters, digits, hyphens and dots, as in zen.dnsbl.example";
        } else if (++length > 63) {
            return "a part between the dots is longer than 63 bytes";
        }
    }
    return NULL;
}

static int parse_zone(const struct value_source *source, void *place)
{
    struct str_list *list = place;

    if (!*source->text) {
        str_list_clear(list);
        return 0;
    }
    const char *fault = zone_fault(source->text);
    if (!fault && list->n_items == ZONES_MAX)
        fault = "a service may have at most 5 lists";
    return fault ? value_reject(source, fault) : str_list_append(list, source->text);
}

const struct option_type value_zones = {
    .name = "DNS zone",
    .parse = parse_zone,
    .copy = value_list_copy,
    .clear = value_list_clear,
    .print = print_list,
    .is_set = value_list_is_set,
};
