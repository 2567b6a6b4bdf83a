/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/forms.h"

#include "import/access_entries.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The number of sessions if the source has no limit, and the maximum of one worker
 * (dispatcher.cnf(5)). */
#define INSTANCES_DEFAULT 100
#define CONNS_MAX         50
#define PROCS_MAX         1024

#define TEXT_MAX 1024

int importing_start(struct importing *importing)
{
    importing->config = open_memstream(&importing->config_text, &importing->config_size);
    importing->mappings = open_memstream(&importing->mappings_text, &importing->mappings_size);
    importing->tables = open_memstream(&importing->tables_text, &importing->tables_size);
    return importing->config && importing->mappings && importing->tables ? 0 : -ENOMEM;
}

static bool end_stream(FILE *stream)
{
    return stream && fclose(stream) == 0;
}

int importing_end(struct importing *importing, int error, struct import_result *ret)
{
    bool is_good = error == 0 && !importing->is_error;

    if (is_good && importing->n_services == 0)
        import_comment(importing, "No service could be translated.");
    is_good = end_stream(importing->tables) && is_good;
    if (is_good)
        fputs(importing->tables_text, importing->mappings);
    free(importing->tables_text);
    is_good = end_stream(importing->config) && is_good;
    is_good = end_stream(importing->mappings) && is_good;
    str_list_clear(&importing->names);
    str_list_clear(&importing->ports);
    if (!is_good) {
        free(importing->config_text);
        free(importing->mappings_text);
        return error < 0 ? error : -ENOMEM;
    }
    if (importing->n_entries == 0) {
        free(importing->mappings_text);
        importing->mappings_text = NULL;
    }
    *ret = (struct import_result){.config = importing->config_text,
                                  .mappings = importing->mappings_text,
                                  .n_services = importing->n_services,
                                  .n_left_out = importing->n_left_out,
                                  .n_with_access = importing->n_with_access};
    return 0;
}

/* Lines and words */

bool import_next_line(struct importing *importing, struct import_lines *lines, char **ret)
{
    if (lines->at >= lines->end)
        return false;
    const char *newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    size_t length = (size_t)((newline ? newline : lines->end) - lines->at);
    char *line = malloc(length + 1);
    if (!line) {
        importing->is_error = true;
        return false;
    }
    memcpy(line, lines->at, length);
    lines->at += length + (newline != NULL);
    lines->number++;
    while (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\0')
            line[i] = '?';
    *ret = line;
    return true;
}

void import_add(struct importing *importing, struct str_list *list, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (str_list_append(list, text) < 0)
        importing->is_error = true;
}

void import_split(struct importing *importing, const char *text, struct str_list *ret)
{
    static const char blanks[] = " \t\f\v";

    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        size_t length = strcspn(text, blanks);
        _cleanup_str_ char *word = strndup(text, length);

        if (!word || str_list_append(ret, word) < 0)
            importing->is_error = true;
        text += length;
    }
}

/* Comments */

static void write_printable(FILE *stream, const char *text)
{
    for (const char *c = text; *c; c++)
        fputc(*c >= ' ' && *c < 0x7f ? *c : '?', stream);
}

/* A backslash at the end of a comment would join the next line to it. */
static void write_comment(FILE *stream, const char *text)
{
    fputs(text[0] ? "! " : "!", stream);
    write_printable(stream, text);
    fputs(text[0] && text[strlen(text) - 1] == '\\' ? ".\n" : "\n", stream);
}

void import_comment(struct importing *importing, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    write_comment(importing->config, text);
}

void import_leave_out(struct importing *importing, const char *name, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fputs("!\n", importing->config);
    import_comment(importing, "NOT TRANSLATED: %.100s: %.800s", name, text);
    importing->n_left_out++;
}

/* Names */

bool import_has_name(const struct importing *importing, const char *name)
{
    for (size_t i = 0; i < importing->names.n_items; i++)
        if (str_equal_nocase(importing->names.items[i], name))
            return true;
    return false;
}

static bool ends_in(const char *name, const char *suffix)
{
    size_t length = strlen(name), n = strlen(suffix);

    return length >= n && str_equal_nocase(name + length - n, suffix);
}

/* These are names of our own units (dispatcher.cnf(5)). */
static bool is_reserved(const char *name)
{
    static const char *const names[] = {"WEB",     "WORKER", "CONTROL",  "DISPATCHER",
                                        "SOCKETS", "KILL",   "GENERATOR"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if (str_equal_nocase(names[i], name))
            return true;
    return ends_in(name, "-WORKER") || ends_in(name, "-TLS");
}

void import_make_name(struct importing *importing, const char *from, char name[IMPORT_NAME_MAX + 1])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char stem[IMPORT_NAME_MAX - 4];
    size_t n = 0;

    for (const char *c = from; *c && n < sizeof(stem) - 1; c++)
        if (strchr(letters, *c))
            stem[n++] = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        else if (n > 0)
            stem[n++] = *c == '_' ? '_' : '-';
    while (n > 0 && (stem[n - 1] == '-' || stem[n - 1] == '_'))
        n--;
    stem[n] = '\0';
    snprintf(name, IMPORT_NAME_MAX + 1, "%s", n > 0 ? stem : "SERVICE");
    for (unsigned i = 2; is_reserved(name) || import_has_name(importing, name); i++)
        snprintf(name, IMPORT_NAME_MAX + 1, "%s-%u", n > 0 ? stem : "SERVICE", i);
    if (str_list_append(&importing->names, name) < 0)
        importing->is_error = true;
}

/* Services of other programs */

bool foreign_service_set_address(struct foreign_service *service, const char *text)
{
    struct address address;

    if (str_equal_nocase(text, "localhost"))
        text = "127.0.0.1";
    if (address_parse(text, &address) < 0)
        return false;
    address_format_host(&address, service->address);
    return true;
}

bool import_parse_port(struct importing *importing, char *field, struct foreign_service *service,
                       const char *everywhere)
{
    char *colon = strrchr(field, ':');

    service->name = colon ? colon + 1 : field;
    if (colon) {
        *colon = '\0';
        if (strcmp(field, everywhere) != 0 && !foreign_service_set_address(service, field)) {
            import_leave_out(importing, service->name, "%.100s is a name of a host, not an address",
                             field);
            return false;
        }
    }
    unsigned long port = strtoul(service->name, NULL, 10);
    service->port = isdigit((unsigned char)service->name[0])
                        ? (uint16_t)(port <= UINT16_MAX ? port : 0)
                        : importing->host->find_port(service->name);
    if (service->port == 0)
        import_leave_out(importing, service->name, "its port is not known (see services(5))");
    return service->port > 0;
}

void foreign_service_clear(struct foreign_service *service)
{
    str_list_clear(&service->parameters);
    str_list_clear(&service->notes);
    str_list_clear(&service->unit);
    str_list_clear(&service->allowed);
    str_list_clear(&service->denied);
    *service = (struct foreign_service){0};
}

/* In the quoting of ExecStart=, which COMMAND= uses. */
static void add_word(struct str_buffer *buffer, const char *word)
{
    bool has_blanks = !*word || strpbrk(word, " \t\"'\\;");

    str_buffer_add(buffer, "%s", has_blanks ? "\"" : "");
    for (const char *c = word; *c; c++) {
        if (*c == '"' || *c == '\\')
            str_buffer_add(buffer, "\\");
        str_buffer_add(buffer, *c == '%' ? "%%%%" : "%c", *c);
    }
    str_buffer_add(buffer, "%s", has_blanks ? "\"" : "");
}

void import_add_command(struct importing *importing, struct foreign_service *service,
                        const struct str_list *words)
{
    char text[TEXT_MAX - 16];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    for (size_t i = 0; i < words->n_items; i++) {
        str_buffer_add(&buffer, "%s", i > 0 ? " " : "");
        add_word(&buffer, words->items[i]);
    }
    if (buffer.is_cut)
        import_add(importing, &service->notes,
                   "The command is longer than a line here: put it into a script.");
    import_add(importing, &service->parameters, "COMMAND=%s", text);
}

/* MAX_PROCS times MAX_CONNS must not exceed the limit of the source, and equals it if possible. */
static void write_limits(struct importing *importing, const struct foreign_service *service)
{
    unsigned wanted = service->instances > 0 ? service->instances : INSTANCES_DEFAULT;
    unsigned procs = (wanted + CONNS_MAX - 1) / CONNS_MAX;

    if (procs > PROCS_MAX)
        procs = PROCS_MAX;
    unsigned conns = wanted / procs < CONNS_MAX ? wanted / procs : CONNS_MAX;
    FILE *stream = importing->config;
    if (service->instances == 0)
        fprintf(stream, "! The source has no limit of sessions; this is one.\n");
    else if (procs * conns != wanted)
        fprintf(stream, "! Of %u sessions at a time %u: MAX_PROCS times MAX_CONNS.\n", wanted,
                procs * conns);
    fprintf(stream, "MAX_PROCS=%u\nMAX_CONNS=%u\nMIN_CONNS=%u\nBACKLOG=1024\n", procs, conns,
            conns < 3 ? conns : 3);
    if (service->per_source > 0)
        fprintf(stream, "MAX_CONNS_PER_ADDRESS=%u\n", service->per_source);
}

/* Two services with the same address and port are an error. A single address and all addresses are
 * not the same. */
static bool take_port(struct importing *importing, const struct foreign_service *service)
{
    char text[ADDRESS_TEXT_MAX + 8];

    snprintf(text, sizeof(text), "%s:%u", service->address[0] ? service->address : "*",
             service->port);
    for (size_t i = 0; i < importing->ports.n_items; i++)
        if (strcmp(importing->ports.items[i], text) == 0 ||
            strcmp(strrchr(importing->ports.items[i], ':'), strrchr(text, ':')) == 0)
            return false;
    if (str_list_append(&importing->ports, text) < 0)
        importing->is_error = true;
    return true;
}

static bool is_too_long(const struct str_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        if (strlen(list->items[i]) >= TEXT_MAX - 1)
            return true;
    return false;
}

static void write_unit(struct importing *importing, const struct foreign_service *service,
                       const char *name)
{
    if (service->unit.n_items == 0)
        return;
    fputs("! By \"systemctl edit dispatcherd-", importing->config);
    for (const char *c = name; *c; c++)
        fputc(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c, importing->config);
    fputs("-worker@.service\", in [Service]:\n", importing->config);
    for (size_t i = 0; i < service->unit.n_items; i++)
        import_comment(importing, "    %s", service->unit.items[i]);
}

void import_write_service(struct importing *importing, const struct foreign_service *service)
{
    char name[IMPORT_NAME_MAX + 1];

    if (importing->n_services >= IMPORT_SERVICES_MAX) {
        import_leave_out(importing, service->name, "there are more than %d services",
                         IMPORT_SERVICES_MAX);
        return;
    }
    if (is_too_long(&service->parameters)) {
        import_leave_out(importing, service->name, "a line of it is too long");
        return;
    }
    if (!service->is_disabled && !take_port(importing, service)) {
        import_leave_out(importing, service->name, "another service above has port %u",
                         service->port);
        return;
    }
    bool has_access = access_entries_are_needed(service);
    bool is_open = has_access && !importing->host->has_mappings;
    import_make_name(importing, service->name, name);
    fputs("!\n", importing->config);
    for (size_t i = 0; i < service->notes.n_items; i++)
        import_comment(importing, "%s", service->notes.items[i]);
    if (is_open)
        import_comment(importing, "Off, until the mapping file has its access rules; see the end.");
    write_unit(importing, service, name);
    fprintf(importing->config, "[SERVICE=%s]\n%sPORT=%u\n", name,
            service->is_disabled || is_open ? "ENABLE=0\n" : "", service->port);
    if (service->address[0])
        fprintf(importing->config, "INTERFACE_ADDRESS=%s\n", service->address);
    fprintf(importing->config, "IMAGE=%s\n", service->image);
    for (size_t i = 0; i < service->parameters.n_items; i++) {
        const char *text = service->parameters.items[i];

        fprintf(importing->config, "PARAMETER=%s%s\n", text,
                text[strlen(text) - 1] == '\\' ? " " : "");
    }
    write_limits(importing, service);
    access_entries_write(importing, service, name);
    importing->n_with_access += has_access;
    importing->n_services++;
}
