/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/run.h"

#include "base/fd.h"
#include "base/time.h"
#include "kit/scenes/scenes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    /* longer than any scene: its own limits end it before */
    SCENE_LIMIT_SEC = 240,
    FOLDER_MAX = 64
};

/* A scene that is running. */
struct run {
    pid_t pid;       /* leader of a process group with its worker; 0: none */
    int fd;          /* the pipe for the verdict */
    uint64_t end_at; /* CLOCK_MONOTONIC */
    struct outcome *outcome;
};

_Noreturn static void play_scene(const struct options *options, enum rule_id rule,
                                 const char *scratch, int fd)
{
    static struct play play;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    verdict_open(fd);
    play = (struct play){.options = options, .rule = rule, .scratch = scratch};
    scene_of(rule)(&play);
    verdict_kept();
}

static int run_start(struct run *run, const struct options *options, struct outcome *outcome,
                     const char *scratch)
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        play_scene(options, outcome->rule, scratch, pair[1]);
    }
    fd_close(pair[1]);
    if (pid < 0) {
        int r = -errno;

        fd_close(pair[0]);
        return r;
    }
    (void)setpgid(pid, pid); /* the child does the same: one of both is first */
    *run = (struct run){
        .pid = pid,
        .fd = pair[0],
        .end_at = time_now_usec(CLOCK_MONOTONIC) + SCENE_LIMIT_SEC * USEC_PER_SEC,
        .outcome = outcome,
    };
    return 0;
}

/* The scene has sent its verdict, or has ended without one; its worker may still run. */
static void run_finish(struct run *run)
{
    struct verdict *verdict = &run->outcome->verdict;

    if (read(run->fd, verdict, sizeof(*verdict)) != sizeof(*verdict)) {
        *verdict = (struct verdict){.kind = VERDICT_SKIPPED};
        snprintf(verdict->text, sizeof(verdict->text), "the scene did not come to its end");
    }
    (void)kill(-run->pid, SIGKILL);
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    fd_close(run->fd);
    *run = (struct run){.fd = -1};
}

static void finish_some(struct run runs[], unsigned n)
{
    struct pollfd fds[JOBS_MAX];
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), next = now + SCENE_LIMIT_SEC * USEC_PER_SEC;

    for (unsigned i = 0; i < n; i++) {
        fds[i] = (struct pollfd){.fd = runs[i].pid > 0 ? runs[i].fd : -1, .events = POLLIN};
        if (runs[i].pid > 0 && runs[i].end_at < next)
            next = runs[i].end_at;
    }
    (void)poll(fds, n, next > now ? (int)((next - now) / USEC_PER_MSEC) + 1 : 0);
    now = time_now_usec(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < n; i++) {
        if (runs[i].pid > 0 && now >= runs[i].end_at)
            (void)kill(-runs[i].pid, SIGKILL); /* closes the pipe */
        if (fds[i].revents != 0)
            run_finish(&runs[i]);
    }
}

/* Removes a folder that has only files of scenes. */
static void remove_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    while (directory && (entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
    (void)rmdir(folder);
}

static unsigned count_running(const struct run runs[], unsigned n)
{
    unsigned n_running = 0;

    for (unsigned i = 0; i < n; i++)
        n_running += runs[i].pid > 0;
    return n_running;
}

static int run_all(const struct options *options, struct outcome outcomes[], unsigned n,
                   const char *scratch)
{
    struct run runs[JOBS_MAX];
    unsigned next = 0;
    int r = 0;

    memset(runs, 0, sizeof(runs)); /* no scene runs */
    while ((next < n && r == 0) || count_running(runs, options->n_jobs) > 0) {
        for (unsigned i = 0; i < options->n_jobs && next < n && r == 0; i++)
            if (runs[i].pid == 0)
                r = run_start(&runs[i], options, &outcomes[next++], scratch);
        if (count_running(runs, options->n_jobs) > 0)
            finish_some(runs, options->n_jobs);
    }
    return r;
}

int run_scenes(const struct options *options, struct outcome outcomes[], unsigned n)
{
    char folder[FOLDER_MAX] = "/tmp/dispatcher-worker-test-XXXXXX", scratch[FOLDER_MAX + 1];

    if (!mkdtemp(folder))
        return -errno;
    snprintf(scratch, sizeof(scratch), "%s/", folder);
    int r = run_all(options, outcomes, n, scratch);
    remove_folder(folder);
    return r;
}
