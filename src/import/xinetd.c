/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Translates what xinetd_read.c has read. */
#include "import/xinetd_access.h"

#include <stdlib.h>
#include <string.h>

static const char *fault(const struct xinetd *xinetd, const struct xinetd_entry *entry)
{
    if (xinetd_is_value(xinetd, entry, "socket_type", "dgram") ||
        xinetd_is_value(xinetd, entry, "protocol", "udp"))
        return "only TCP is served";
    if (xinetd_has(entry, "type", "INTERNAL"))
        return strcmp(entry->name, "echo") == 0
                   ? "xinetd serves it itself; COMMAND=/bin/cat of dispatcher-inetd(8) would do "
                     "the same"
                   : "xinetd serves it itself, without a program";
    if (xinetd_has(entry, "type", "RPC") || xinetd_has(entry, "type", "TCPMUX") ||
        xinetd_has(entry, "type", "TCPMUXPLUS"))
        return "services of RPC and tcpmux have no port of their own";
    if (xinetd_find(entry, "socket_type") &&
        !xinetd_is_value(xinetd, entry, "socket_type", "stream"))
        return "only stream sockets are served";
    if (xinetd_is_value(xinetd, entry, "wait", "yes"))
        return "\"wait = yes\": the program accepts by itself; a unit of systemd can start it, or "
               "see dispatcher-proxy(8)";
    return NULL;
}

/* Adds notes about attributes that have no counterpart. */
static void note_attributes(struct importing *importing, const struct xinetd *xinetd,
                            const struct xinetd_entry *entry, struct foreign_service *service)
{
    static const struct {
        const char *name, *text;
    } notes[] = {
        {"access_times", "access_times: there are no hours of service"},
        {"max_load", "max_load: clients are not turned away for the load of the host"},
        {"banner", "banner: nothing is sent before the program speaks"},
        {"banner_success", "banner_success: nothing is sent before the program speaks"},
        {"banner_fail", "banner_fail: PORT_ACCESS has the text of a rejection"},
        {"passenv", "passenv: nothing is inherited; PARAMETER=ENV=NAME=value sets a variable"},
        {"umask", "umask: UMask= of the workers' unit"},
        {"nice", "nice: Nice= of the workers' unit"},
        {"rlimit_as", "rlimit_as: LimitAS= of the workers' unit"},
        {"rlimit_cpu", "rlimit_cpu: LimitCPU= of the workers' unit"},
        {"rlimit_data", "rlimit_data: LimitDATA= of the workers' unit"},
        {"rlimit_files", "rlimit_files: LimitNOFILE= of the workers' unit"},
        {"libwrap", "libwrap: hosts.allow and hosts.deny are not asked; see PORT_ACCESS"},
        {"deny_time", "deny_time: SENSOR has no counterpart"},
    };

    for (size_t i = 0; i < ELEMENTSOF(notes); i++)
        if (xinetd_value(xinetd, entry, notes[i].name))
            import_add(importing, &service->notes, "%s.", notes[i].text);
}

static void note_rate(struct importing *importing, const struct xinetd *xinetd,
                      const struct xinetd_entry *entry, struct foreign_service *service)
{
    unsigned rate = xinetd_number(xinetd, entry, "cps");

    if (rate == 0)
        return;
    service->per_minute = rate > 1000000 ? 60000000 : 60 * rate;
    import_add(importing, &service->notes,
               "cps: at most %u connections in a second for all clients; here that holds for each "
               "address, by PORT_ACCESS, and nothing is closed for a time.",
               rate);
}

static void note_user(struct importing *importing, const struct xinetd *xinetd,
                      const struct xinetd_entry *entry, struct foreign_service *service)
{
    const char *user = xinetd_value(xinetd, entry, "user"),
               *group = xinetd_value(xinetd, entry, "group");

    if (user) {
        import_add(importing, &service->unit, "User=%.100s", user);
        import_add(importing, &service->unit, "DynamicUser=no");
    }
    if (group)
        import_add(importing, &service->unit, "Group=%.100s", group);
}

/* Both names mean the same. */
static const char *find_bind(const struct xinetd_entry *entry)
{
    static const char *const names[] = {"bind", "interface"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        const struct xinetd_attribute *attribute = xinetd_find(entry, names[i]);

        if (attribute && attribute->values.n_items > 0)
            return attribute->values.items[0];
    }
    return NULL;
}

static bool set_place(struct importing *importing, const struct xinetd *xinetd,
                      const struct xinetd_entry *entry, struct foreign_service *service)
{
    const char *bind = find_bind(entry);

    if (!bind)
        bind = find_bind(&xinetd->defaults);
    service->port = (uint16_t)xinetd_number(xinetd, entry, "port");
    if (service->port == 0 && !xinetd_find(entry, "port"))
        service->port = importing->host->find_port(entry->name);
    if (service->port == 0) {
        import_leave_out(importing, service->name, "its port is not known (see services(5))");
        return false;
    }
    if (bind && !foreign_service_set_address(service, bind)) {
        /* Without an address it would listen on all. */
        import_leave_out(importing, service->name, "bind: %.100s is a name, not an address", bind);
        return false;
    }
    return true;
}

/* Reads "HOST PORT". */
static void set_redirect(struct importing *importing, const struct xinetd_attribute *redirect,
                         struct foreign_service *service)
{
    const char *host = redirect->values.items[0], *port = redirect->values.items[1];
    bool is_ipv6 = strchr(host, ':') && host[0] != '[';

    service->image = "proxy";
    import_add(importing, &service->parameters, "BACKEND=%s%.200s%s:%.20s", is_ipv6 ? "[" : "",
               host, is_ipv6 ? "]" : "", port);
    import_add(importing, &service->parameters, "PROXY=v2");
    service->is_disabled = true;
    import_add(importing, &service->notes,
               "Off, until the server accepts the PROXY protocol, which tells it the client's "
               "address: to xinetd's redirect every client came from this host (PROXY=none), and a "
               "mail server that trusts this host was an open relay.");
    import_add(importing, &service->unit, "PrivateNetwork=no");
    import_add(importing, &service->unit, "RestrictAddressFamilies=AF_INET AF_INET6");
    import_add(importing, &service->unit, "IPAddressAllow=%.200s", host);
    import_add(importing, &service->unit, "SystemCallFilter=connect setsockopt");
}

/* Returns whether there is a program. */
static bool set_command(struct importing *importing, const struct xinetd_entry *entry,
                        struct foreign_service *service)
{
    const struct xinetd_attribute *server = xinetd_find(entry, "server"),
                                  *arguments = xinetd_find(entry, "server_args");
    bool has_own_name = xinetd_has(entry, "flags", "NAMEINARGS");
    struct str_list words = {0};

    if (!server || server->values.n_items == 0) {
        import_leave_out(importing, service->name, "it names no server");
        return false;
    }
    if (!importing->host->can_run(server->values.items[0])) {
        import_leave_out(importing, service->name, "this host has no program %.200s",
                         server->values.items[0]);
        return false;
    }
    import_add(importing, &words, "%s", server->values.items[0]);
    for (size_t i = has_own_name ? 1 : 0; arguments && i < arguments->values.n_items; i++)
        import_add(importing, &words, "%s", arguments->values.items[i]);
    import_add_command(importing, service, &words);
    const struct xinetd_attribute *env = xinetd_find(entry, "env");
    for (size_t i = 0; env && i < env->values.n_items; i++)
        import_add(importing, &service->parameters, "ENV=%s", env->values.items[i]);
    str_list_clear(&words);
    return true;
}

static bool is_disabled(const struct xinetd *xinetd, const struct xinetd_entry *entry,
                        const char *id)
{
    if (xinetd_is_value(xinetd, entry, "disable", "yes") ||
        xinetd_has(&xinetd->defaults, "disabled", id))
        return true;
    return xinetd_find(&xinetd->defaults, "enabled") &&
           !xinetd_has(&xinetd->defaults, "enabled", id);
}

static void translate(struct importing *importing, const struct xinetd *xinetd,
                      const struct xinetd_entry *entry)
{
    const char *id = xinetd_find(entry, "id") ? xinetd_value(xinetd, entry, "id") : entry->name;
    struct foreign_service service = {.name = id ? id : entry->name, .image = "inetd"};
    const struct xinetd_attribute *redirect = xinetd_find(entry, "redirect");
    const char *why = fault(xinetd, entry);

    if (why) {
        import_leave_out(importing, service.name, "%s", why);
        return;
    }
    import_add(importing, &service.notes, "Line %u of %.200s", entry->line, entry->source);
    service.is_disabled = is_disabled(xinetd, entry, service.name);
    service.instances = xinetd_number(xinetd, entry, "instances");
    service.per_source = xinetd_number(xinetd, entry, "per_source");
    xinetd_set_access(importing, xinetd, entry, &service);
    note_rate(importing, xinetd, entry, &service);
    note_attributes(importing, xinetd, entry, &service);
    bool is_good = set_place(importing, xinetd, entry, &service);
    if (is_good && redirect && redirect->values.n_items == 2) {
        set_redirect(importing, redirect, &service);
    } else if (is_good) {
        note_user(importing, xinetd, entry, &service);
        is_good = set_command(importing, entry, &service);
    }
    if (is_good)
        import_write_service(importing, &service);
    foreign_service_clear(&service);
}

void import_xinetd_finish(struct importing *importing)
{
    struct xinetd *xinetd = importing->form;

    if (!xinetd)
        return;
    for (size_t i = 0; i < xinetd->notes.n_items; i++)
        import_comment(importing, "%s", xinetd->notes.items[i]);
    for (size_t i = 0; i < xinetd->n_entries; i++) {
        translate(importing, xinetd, &xinetd->entries[i]);
        xinetd_entry_clear(&xinetd->entries[i]);
    }
    xinetd_entry_clear(&xinetd->defaults);
    str_list_clear(&xinetd->notes);
    free(xinetd->entries);
    free(xinetd);
    importing->form = NULL;
}
