/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/unit_view.h"

#include "base/macro.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* With DynamicUser=yes a worker has a user that owns nothing and is in no other group. So has this
 * one (systemd-sysusers(8), "nobody"). */
#define WORKER_ID 65534

bool unit_view_applies(const char *config_file, const char *mapping_file)
{
    return geteuid() == 0 && strcmp(config_file, CONFIG_DIR "/dispatcher.cnf") == 0 &&
           strcmp(mapping_file, CONFIG_DIR "/mappings") == 0 &&
           access("/run/systemd/system", F_OK) == 0 && getpwnam(DISPATCHER_USER);
}

static int become_daemon(void)
{
    const struct passwd *user = getpwnam(DISPATCHER_USER);

    if (!user || initgroups(user->pw_name, user->pw_gid) < 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
        return user ? -errno : -ESRCH;
    return 0;
}

static int become_worker(void)
{
    if (setgroups(0, NULL) < 0 || setresgid(WORKER_ID, WORKER_ID, WORKER_ID) < 0 ||
        setresuid(WORKER_ID, WORKER_ID, WORKER_ID) < 0)
        return -errno;
    return 0;
}

static int run_as(int (*become)(void), const char *whom, int (*function)(void *data), void *data)
{
    int status, r;

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        r = become();
        if (r < 0)
            fprintf(stderr, "dispatcherd: cannot check as %s: %s\n", whom, strerror(-r));
        status = r < 0 ? EXIT_FAILURE : function(data);
        fflush(stdout);
        _exit(status);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0) {
        fprintf(stderr, "dispatcherd: cannot check as %s: %s\n", whom, strerror(errno));
        return EXIT_FAILURE;
    }
    if (status != 0)
        fprintf(stderr, "dispatcherd: checked as %s\n", whom);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int unit_view_run_as_daemon(int (*function)(void *data), void *data)
{
    return run_as(become_daemon, "the user " DISPATCHER_USER " of dispatcherd.service", function,
                  data);
}

int unit_view_run_as_worker(int (*function)(void *data), void *data)
{
    return run_as(become_worker, "a worker's user (DynamicUser=)", function, data);
}

/* The setting that hides the file from the unit; NULL if none does. The daemon's unit and the
 * workers' have the same ones. */
static const char *hidden_by(const char *path)
{
    static const struct {
        const char *folder, *setting;
    } hidden[] = {
        {"/home/", "ProtectHome=yes"},     {"/root/", "ProtectHome=yes"},
        {"/run/user/", "ProtectHome=yes"}, {"/tmp/", "PrivateTmp=yes"},
        {"/var/tmp/", "PrivateTmp=yes"},
    };
    char real[PATH_MAX];

    /* The folder may be inaccessible to this user. */
    if (!realpath(path, real))
        snprintf(real, sizeof(real), "%s", path);
    for (size_t i = 0; i < ELEMENTSOF(hidden); i++)
        if (strncmp(real, hidden[i].folder, strlen(hidden[i].folder)) == 0)
            return hidden[i].setting;
    return NULL;
}

void unit_view_check_files(const struct str_list *files, struct problem_list *problems)
{
    for (size_t i = 0; i < files->n_items; i++) {
        const char *setting = hidden_by(files->items[i]);

        if (setting)
            problem_add(problems, PROBLEM_ERROR, files->items[i], 0,
                        "%s of dispatcherd.service hides the file from dispatcherd; keep it "
                        "below " CONFIG_DIR,
                        setting);
    }
}

void unit_view_check_images(const struct config *config, struct problem_list *problems)
{
    for (size_t i = 0; i < config->n_services; i++) {
        const struct service_options *service = &config->services[i];
        const struct origin *at = &service->origins[OPTION_IMAGE];
        const char *setting = service->is_enabled ? hidden_by(service->image) : NULL;

        if (setting)
            problem_add(problems, PROBLEM_ERROR, at->file, at->line,
                        "%s hides the IMAGE %.300s of the service %s from dispatcherd and from its "
                        "workers; keep it below " WORKER_DIR " or /usr/local",
                        setting, service->image, service->name);
    }
}
