/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* mend_sockets: repairs socket units. It runs as root before each start of dispatcherd, when its
 * sockets are started, and then notes the options with which each socket was opened
 * (unit_record.h).
 *
 * At daemon-reload, systemd closes the descriptors of a socket unit whose file is gone or has other
 * addresses now, but still calls the unit active: starting it does nothing, and nobody listens.
 * Such units are restarted here, and those whose file is gone are stopped. Sockets that listen are
 * left alone, with the clients in their queues. */
#include "base/log.h"
#include "base/str.h"
#include "generator/listening.h"
#include "generator/unit_record.h"
#include "generator/unit_text.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SHOW                                                                                       \
    "systemctl show --property=Id,LoadState,ActiveState,Triggers,Listen,PrivateNetwork,"           \
    "NetworkNamespacePath,InvocationID,NeedDaemonReload " UNIT_DAEMON " 'dispatcherd-*.socket'"

/* A unit as systemctl shows it. */
struct socket_unit {
    char name[256];
    bool is_loaded;
    bool is_active;
    bool is_elsewhere; /* it is in another network namespace, and cannot be checked */
    bool has_lost;     /* nobody listens at one of its addresses */
    char lost[256];    /* that address */
    char invocation[64];
    bool is_outdated; /* its files have changed since systemd read them */
};

/* What has to be done with the sockets. */
struct findings {
    struct str_list to_restart;
    struct str_list to_stop;
};

extern char **environ;

static void take_line(struct socket_unit *unit, const char *name, const char *value)
{
    if (strcmp(name, "Id") == 0)
        snprintf(unit->name, sizeof(unit->name), "%s", value);
    else if (strcmp(name, "LoadState") == 0)
        unit->is_loaded = strcmp(value, "not-found") != 0;
    else if (strcmp(name, "ActiveState") == 0)
        unit->is_active = strcmp(value, "active") == 0;
    else if (strcmp(name, "PrivateNetwork") == 0)
        unit->is_elsewhere |= strcmp(value, "yes") == 0;
    else if (strcmp(name, "NetworkNamespacePath") == 0)
        unit->is_elsewhere |= value[0] != '\0';
    else if (strcmp(name, "InvocationID") == 0)
        snprintf(unit->invocation, sizeof(unit->invocation), "%s", value);
    else if (strcmp(name, "NeedDaemonReload") == 0)
        unit->is_outdated = strcmp(value, "yes") == 0;
    else if (strcmp(name, "Listen") == 0 && !unit->has_lost && !listening_is_held(value)) {
        unit->has_lost = true;
        snprintf(unit->lost, sizeof(unit->lost), "%s", value);
    }
}

/* The socket of the status page does not belong to dispatcherd.service. */
static bool is_ours(const struct socket_unit *unit)
{
    return unit->name[0] && strcmp(unit->name, "dispatcherd-web.socket") != 0 &&
           strcmp(unit->name, UNIT_DAEMON) != 0;
}

static void judge(const struct socket_unit *unit, struct findings *findings)
{
    if (!is_ours(unit) || !unit->is_active || unit->is_elsewhere)
        return;
    if (!unit->is_loaded) {
        log_notice("the unit %s no longer exists: stopping it", unit->name);
        (void)str_list_append(&findings->to_stop, unit->name);
    } else if (unit->has_lost) {
        log_notice("%s is active, but nobody listens at %s: restarting it", unit->name, unit->lost);
        (void)str_list_append(&findings->to_restart, unit->name);
    }
}

/* The record of a socket is written once for each of its starts, the daemon's always, since it is
 * about to start with the files as they are now. If a unit's files have changed since systemd read
 * them, nothing is known about it. */
static void record(const struct socket_unit *unit)
{
    bool is_daemon = strcmp(unit->name, UNIT_DAEMON) == 0;
    const char *invocation = is_daemon ? "" : unit->invocation;
    _cleanup_str_ char *known = NULL, *text = NULL;

    if (!is_daemon && (!is_ours(unit) || !unit->is_active ||
                       unit_record_read(unit->name, invocation, &known) == 0))
        return;
    if (!unit->is_outdated)
        text = unit_record_text(unit->name);
    int r = unit_record_write(unit->name, invocation, text ? text : "");
    if (r < 0)
        log_warning("cannot note the state of %s in " UNIT_RECORD_DIR ": %s", unit->name,
                    strerror(-r));
}

/* If `findings` is NULL, units are only recorded. */
static void take_unit(const struct socket_unit *unit, struct findings *findings)
{
    if (findings)
        judge(unit, findings);
    else
        record(unit);
}

/* One property a line; an empty line separates units. */
static int read_units(FILE *stream, struct findings *findings)
{
    struct socket_unit unit = {0};
    _cleanup_str_ char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stream) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, '=');

        if (value) {
            *value = '\0';
            take_line(&unit, line, value + 1);
        } else if (!line[0]) {
            take_unit(&unit, findings);
            unit = (struct socket_unit){0};
        }
    }
    take_unit(&unit, findings);
    return ferror(stream) ? -EIO : 0;
}

/* Runs "systemctl VERB UNIT..." and waits for it. systemctl itself reports its errors. */
static int run_systemctl(const char *verb, const struct str_list *units)
{
    const char **arguments = calloc(units->n_items + 3, sizeof(*arguments));
    int status = 0;
    pid_t pid;

    if (units->n_items == 0 || !arguments) {
        free(arguments);
        return units->n_items == 0 ? 0 : -ENOMEM;
    }
    arguments[0] = "systemctl";
    arguments[1] = verb;
    for (size_t i = 0; i < units->n_items; i++)
        arguments[i + 2] = units->items[i];
    int r = -posix_spawnp(&pid, arguments[0], NULL, NULL, (char *const *)arguments, environ);
    free(arguments);
    if (r < 0)
        return r;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return status == 0 ? 0 : -EIO;
}

static int show(struct findings *findings)
{
    FILE *stream = popen(SHOW, "re");

    if (!stream)
        return -errno;
    int r = read_units(stream, findings);
    (void)pclose(stream);
    return r;
}

int main(void)
{
    struct findings findings = {0};

    log_open("dispatcherd-mend-sockets");
    int r = show(&findings);
    if (r == 0)
        r = run_systemctl("stop", &findings.to_stop);
    if (r == 0)
        r = run_systemctl("restart", &findings.to_restart);
    if (r == 0)
        r = show(NULL);
    if (r < 0)
        log_err("cannot check the sockets of dispatcherd: %s", strerror(-r));
    str_list_clear(&findings.to_restart);
    str_list_clear(&findings.to_stop);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
