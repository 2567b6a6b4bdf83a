/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* master(5) of Postfix, one service a line; indented lines continue it:
 *
 * NAME TYPE PRIVATE UNPRIV CHROOT WAKEUP MAXPROC COMMAND ARGUMENT...
 *
 * Network services of smtpd can get connections from dispatcher-pass(8), if master.cf gets a
 * service of type pass for them. All others are programs that Postfix starts for itself. */
#include "import/forms.h"

#include <stdlib.h>
#include <string.h>

enum field {
    FIELD_NAME,
    FIELD_TYPE,
    FIELD_PRIVATE,
    FIELD_UNPRIV,
    FIELD_CHROOT,
    FIELD_WAKEUP,
    FIELD_MAXPROC,
    FIELD_COMMAND,
    N_FIELDS,
};

/* default_process_limit of postconf(5). */
#define PROCESSES_DEFAULT 100

/* The folder of sockets that other programs may connect to (queue_directory of postconf(5)). */
#define PUBLIC_DIR "/var/spool/postfix/public/"

/* How many arguments are shown; people write fewer. */
#define OPTIONS_SHOWN 24

/* Why a network service cannot be served; the others are recognized by their type. */
static const char *fault(const char *type, const char *command)
{
    if (strcmp(type, "inet") != 0)
        return NULL;
    if (strcmp(command, "postscreen") == 0)
        return "postscreen takes no connections from others; let dispatcherd in front of smtpd "
               "instead, or keep it in Postfix";
    return strcmp(command, "smtpd") == 0 ? NULL
                                         : "only smtpd takes connections of type pass (see "
                                           "dispatcher-pass(8))";
}

static void note_postfix(struct importing *importing, struct foreign_service *service,
                         const struct str_list *fields, const char *entry, const char *source,
                         unsigned number)
{
    import_add(importing, &service->notes,
               "Line %u of %.200s. In master.cf that service becomes:", number, source);
    import_add(importing, &service->notes, "    %s pass n - %s - %s smtpd", entry,
               fields->items[FIELD_CHROOT], fields->items[FIELD_MAXPROC]);
    for (size_t i = N_FIELDS; i < fields->n_items && i < N_FIELDS + OPTIONS_SHOWN; i++)
        import_add(importing, &service->notes, "        %.200s", fields->items[i]);
    if (fields->n_items > N_FIELDS + OPTIONS_SHOWN)
        import_add(importing, &service->notes, "        and %zu more words",
                   fields->n_items - N_FIELDS - OPTIONS_SHOWN);
    import_add(importing, &service->notes, "and Postfix has to be restarted before dispatcherd.");
    import_add(importing, &service->unit, "SupplementaryGroups=postdrop");
    import_add(importing, &service->unit, "SystemCallFilter=connect");
}

static void write_smtpd(struct importing *importing, const struct str_list *fields,
                        const char *source, unsigned number)
{
    struct foreign_service service = {.image = "pass"};
    char entry[64];
    long processes = strtol(fields->items[FIELD_MAXPROC], NULL, 10);

    if (!import_parse_port(importing, fields->items[FIELD_NAME], &service, ""))
        return;
    snprintf(entry, sizeof(entry), "dispatcher-%u", service.port);
    service.instances =
        processes > 0 && processes <= 50000 ? (unsigned)processes : PROCESSES_DEFAULT;
    import_add(importing, &service.parameters, "TO=" PUBLIC_DIR "%s", entry);
    note_postfix(importing, &service, fields, entry, source, number);
    import_write_service(importing, &service);
    foreign_service_clear(&service);
}

static void read_fields(struct importing *importing, const struct str_list *fields,
                        const char *source, unsigned number)
{
    if (fields->n_items == 0)
        return;
    if (fields->n_items < N_FIELDS) {
        import_leave_out(importing, fields->items[0], "line %u of %.100s has too few fields",
                         number, source);
        return;
    }
    const char *why = fault(fields->items[FIELD_TYPE], fields->items[FIELD_COMMAND]);
    if (why)
        import_leave_out(importing, fields->items[FIELD_NAME], "%s", why);
    else if (strcmp(fields->items[FIELD_TYPE], "inet") == 0)
        write_smtpd(importing, fields, source, number);
    else
        import_leave_out(importing, fields->items[FIELD_NAME],
                         "type %.20s: Postfix starts %.40s for itself; it stays in master.cf",
                         fields->items[FIELD_TYPE], fields->items[FIELD_COMMAND]);
}

void import_master_cf(struct importing *importing, const struct import_source *source)
{
    struct import_lines lines = {.at = source->text, .end = source->text + source->size};
    struct str_list fields = {0};
    unsigned first = 0;
    char *line;

    while (import_next_line(importing, &lines, &line)) {
        const char *text = line + strspn(line, " \t");
        bool is_comment = *text == '#' || !*text;

        if (!is_comment && text == line) {
            read_fields(importing, &fields, source->name, first);
            str_list_clear(&fields);
            first = lines.number;
        }
        if (!is_comment)
            import_split(importing, text, &fields);
        free(line);
    }
    read_fields(importing, &fields, source->name, first);
    str_list_clear(&fields);
}
