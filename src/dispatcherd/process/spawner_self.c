/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/spawner.h"

#include "base/fd.h"
#include "dispatcherd/process/environment.h"
#include "protocol/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A process group of its own, so that Ctrl-C at a terminal reaches only the daemon, which then lets
 * its workers finish. */
static int spawner_self_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    int r = posix_spawnattr_init(attributes);

    if (r != 0)
        return -r;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETPGROUP);
    return 0;
}

static int spawner_self_image(const char *image, int channel, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *arguments[] = {(char *)image, NULL};
    char **environment = worker_environment_new();

    if (!environment)
        return -ENOMEM;
    int r = spawner_self_attributes(&attributes);
    if (r < 0) {
        free(environment);
        return r;
    }
    r = posix_spawn_file_actions_init(&actions);
    if (r == 0) {
        r = posix_spawn_file_actions_adddup2(&actions, channel, PROTOCOL_CHANNEL_FD);
        if (r == 0)
            r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
            r = posix_spawn(ret_pid, image, &actions, &attributes, arguments, environment);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    free(environment);
    return -r;
}

/* If the interpreter of a script is missing, the kernel reports the same error as for a missing
 * program. */
static const char *spawner_self_explain(const char *image, int error)
{
    if (access(image, F_OK) < 0)
        return strerror(error);
    if (error == ENOENT)
        return "the interpreter that it names (its first line, or its dynamic loader) does not "
               "exist";
    if (error == ENOEXEC)
        return "neither a program for this machine nor a script, which begins with #! and its "
               "interpreter";
    if (error == EACCES)
        return "not executable for the user of dispatcherd, or on a file system mounted noexec";
    return strerror(error);
}

static int spawner_self_start(const struct service_options *options, struct spawned *ret,
                              char *error, size_t error_size)
{
    const int on = 1;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        int r = -errno;
        snprintf(error, error_size, "cannot create a control channel: %s", strerror(-r));
        return r;
    }
    _cleanup_fd_ int ours = ends[0], theirs = ends[1];
    if (setsockopt(ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
        int r = -errno;
        snprintf(error, error_size, "cannot set up the control channel: %s", strerror(-r));
        return r;
    }
    (void)fd_refuse_rights(ours);
    int r = spawner_self_image(options->image, theirs, &ret->pid);
    if (r < 0) {
        snprintf(error, error_size, "cannot start %.150s: %s", options->image,
                 spawner_self_explain(options->image, -r));
        return r;
    }
    ret->channel = take_fd(&ours);
    return 0;
}

const struct spawner spawner_self = {.name = "self", .start = spawner_self_start};
