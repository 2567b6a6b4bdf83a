/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* mend_sockets: run as root before each start of dispatcherd, while its sockets can be started.
 *
 * At daemon-reload systemd closes the descriptors of a socket unit whose file is gone, or names
 * other addresses now, and goes on to call the unit active: starting it does nothing, and nobody
 * listens. Such units are restarted here; those whose file is gone are stopped. Sockets that listen
 * are left alone, with the clients in their queues. */
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "generator/listening.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SHOW                                                                                       \
    "systemctl show --property=Id,LoadState,ActiveState,Triggers,Listen,PrivateNetwork,"           \
    "NetworkNamespacePath 'dispatcherd-*.socket'"

/* What systemctl says of one unit. */
struct socket_unit {
    char name[256];
    bool is_loaded;
    bool is_active;
    bool is_elsewhere; /* in another network, where it cannot be looked at */
    bool has_lost;     /* nobody listens at one of its addresses */
    char lost[256];    /* the address */
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
    else if (strcmp(name, "Listen") == 0 && !unit->has_lost && !listening_is_held(value)) {
        unit->has_lost = true;
        snprintf(unit->lost, sizeof(unit->lost), "%s", value);
    }
}

/* The status page's socket is no socket of dispatcherd.service. */
static bool is_ours(const struct socket_unit *unit)
{
    return unit->name[0] && strcmp(unit->name, "dispatcherd-web.socket") != 0;
}

static void judge(const struct socket_unit *unit, struct str_list *to_restart,
                  struct str_list *to_stop)
{
    if (!is_ours(unit) || !unit->is_active || unit->is_elsewhere)
        return;
    if (!unit->is_loaded) {
        log_notice("the unit %s no longer exists: stopping it", unit->name);
        (void)str_list_append(to_stop, unit->name);
    } else if (unit->has_lost) {
        log_notice("%s is active, but nobody listens at %s: restarting it", unit->name, unit->lost);
        (void)str_list_append(to_restart, unit->name);
    }
}

/* Properties are lines, units are separated by an empty one. */
static int read_units(FILE *stream, struct str_list *to_restart, struct str_list *to_stop)
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
            judge(&unit, to_restart, to_stop);
            unit = (struct socket_unit){0};
        }
    }
    judge(&unit, to_restart, to_stop);
    return ferror(stream) ? -EIO : 0;
}

/* Runs "systemctl VERB UNIT..." and waits for it. What fails is told by systemctl. */
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

int main(void)
{
    struct str_list to_restart = {0}, to_stop = {0};

    log_open("dispatcherd-mend-sockets");
    FILE *stream = popen(SHOW, "re");
    if (!stream) {
        log_err("cannot run systemctl: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    int r = read_units(stream, &to_restart, &to_stop);
    (void)pclose(stream);
    if (r == 0)
        r = run_systemctl("stop", &to_stop);
    if (r == 0)
        r = run_systemctl("restart", &to_restart);
    if (r < 0)
        log_err("cannot check the sockets of dispatcherd: %s", strerror(-r));
    str_list_clear(&to_restart);
    str_list_clear(&to_stop);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
