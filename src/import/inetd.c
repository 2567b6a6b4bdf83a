/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* inetd.conf(5), one service a line:
 *
 * [ADDRESS:]NAME stream tcp[4|6|46] nowait[.MAX] USER[.GROUP] PROGRAM ARGUMENT... */
#include "import/forms.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum field {
    FIELD_SERVICE,
    FIELD_TYPE,
    FIELD_PROTOCOL,
    FIELD_WAIT,
    FIELD_USER,
    FIELD_PROGRAM,
    FIELD_ARGUMENTS, /* the first is the program's own name */
};

/* The folder in which tcpd(8) looks for programs without a folder. */
#define TCPD_DIR "/usr/sbin/"

static bool is_tcpd(const char *program)
{
    const char *slash = strrchr(program, '/');

    return strcmp(slash ? slash + 1 : program, "tcpd") == 0;
}

/* Why our program inetd cannot serve it; NULL: it can. */
static const char *fault(char *const fields[])
{
    if (strcmp(fields[FIELD_TYPE], "stream") != 0)
        return "only stream sockets are served";
    if (strncmp(fields[FIELD_PROTOCOL], "tcp", 3) != 0)
        return "only TCP is served";
    if (strncmp(fields[FIELD_WAIT], "nowait", strlen("nowait")) != 0)
        return "\"wait\": the program accepts by itself; a unit of systemd can start it, or see "
               "dispatcher-proxy(8)";
    if (strcmp(fields[FIELD_PROGRAM], "internal") == 0)
        return "inetd serves it itself, without a program";
    return NULL;
}

static void note_user(struct importing *importing, struct foreign_service *service, char *user)
{
    char *group = strpbrk(user, ".:");

    if (group)
        *group++ = '\0';
    import_add(importing, &service->unit, "User=%s", user);
    import_add(importing, &service->unit, "DynamicUser=no");
    if (group)
        import_add(importing, &service->unit, "Group=%s", group);
}

/* If the program in its arguments has no folder, tcpd looks for it. */
static void add_command(struct importing *importing, struct foreign_service *service,
                        const struct str_list *fields)
{
    const char *program = fields->items[FIELD_PROGRAM];
    struct str_list words = {0};
    char path[512];

    if (is_tcpd(program) && fields->n_items > FIELD_ARGUMENTS) {
        const char *name = fields->items[FIELD_ARGUMENTS];
        snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : TCPD_DIR, name);
        program = path;
        import_add(importing, &service->notes,
                   "tcpd(8), hosts.allow and hosts.deny are not asked: see PORT_ACCESS in "
                   "dispatcher-mappings(5).");
    }
    import_add(importing, &words, "%s", program);
    for (size_t i = FIELD_ARGUMENTS + 1; i < fields->n_items; i++)
        import_add(importing, &words, "%s", fields->items[i]);
    if (!importing->host->can_run(program))
        import_leave_out(importing, service->name, "this host has no program %.200s", program);
    else {
        import_add_command(importing, service, &words);
        import_write_service(importing, service);
    }
    str_list_clear(&words);
}

static void read_fields(struct importing *importing, const struct str_list *fields,
                        const char *source, unsigned number)
{
    struct foreign_service service = {.image = "inetd"};
    const char *why;

    if (fields->n_items <= FIELD_PROGRAM) {
        import_leave_out(importing, fields->items[0], "line %u of %.100s has too few fields",
                         number, source);
        return;
    }
    why = fault(fields->items);
    if (why) {
        import_leave_out(importing, fields->items[FIELD_SERVICE], "%s", why);
        return;
    }
    if (!import_parse_port(importing, fields->items[FIELD_SERVICE], &service, "*"))
        return;
    const char *most = strpbrk(fields->items[FIELD_WAIT], ".:/");
    import_add(importing, &service.notes, "Line %u of %.200s", number, source);
    if (most && isdigit((unsigned char)most[1])) {
        service.per_minute = (unsigned)strtoul(most + 1, NULL, 10);
        import_add(importing, &service.notes,
                   "At most %u starts in a minute for all clients; here that holds for each "
                   "address, by PORT_ACCESS.",
                   service.per_minute);
    }
    note_user(importing, &service, fields->items[FIELD_USER]);
    add_command(importing, &service, fields);
    foreign_service_clear(&service);
}

void import_inetd(struct importing *importing, const struct import_source *source)
{
    struct import_lines lines = {.at = source->text, .end = source->text + source->size};
    char *line;

    while (import_next_line(importing, &lines, &line)) {
        struct str_list fields = {0};

        if (line[0] != '#')
            import_split(importing, line, &fields);
        if (fields.n_items > 0)
            read_fields(importing, &fields, source->name, lines.number);
        str_list_clear(&fields);
        free(line);
    }
}
