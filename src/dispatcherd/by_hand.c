/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/by_hand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define INSTALLED CONFIG_DIR "/dispatcher.cnf"

/* systemd, podman and systemd-socket-activate(1) set one of these variables; in a container, the
 * daemon may be process 1. */
static bool is_managed(void)
{
    return getenv("NOTIFY_SOCKET") || getenv("LISTEN_FDS") || getenv("INVOCATION_ID") ||
           getpid() == 1;
}

static void advise_missing(const char *file)
{
    fprintf(stderr,
            "dispatcherd: there is no configuration file %s.\n"
            "To try dispatcherd without privileges, write these lines into a file:\n"
            "    [SERVICE=SMTP]\n"
            "    PORT=2525\n"
            "    IMAGE=tcp_smtp_server\n"
            "and run:  dispatcherd --config FILE --control ./control\n"
            "          dispatcherctl --socket ./control status\n"
            "A service of this host has its configuration in " INSTALLED "\n"
            "(see dispatcher.cnf(5)), and starts by:  dispatcherctl apply\n",
            file);
}

static void advise_root(void)
{
    fputs(
        "dispatcherd: started by hand, as root: so are its workers, without the sandbox of their\n"
        "units. To run it as the service of this host, end it and run:\n"
        "    systemctl enable dispatcherd\n"
        "    dispatcherctl apply\n"
        "To run it by hand, use another user and another file: --config FILE --control PATH\n",
        stderr);
}

int by_hand_advise(const char *config_file)
{
    if (is_managed())
        return 0;
    if (access(config_file, F_OK) < 0 && errno == ENOENT) {
        advise_missing(config_file);
        return EX_CONFIG;
    }
    if (geteuid() == 0 && strcmp(config_file, INSTALLED) == 0)
        advise_root();
    return 0;
}
