/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/launch.h"

#include "base/macro.h"
#include "workers/inetd/marks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between vfork() and execve() the child runs in the parent's memory: it calls only what
 * signal-safety(7) names, and changes nothing but `error`. */

static void restore_signals(void)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;

    /* What the library ignores (dispatcher-worker(3)); handlers are reset by execve(). */
    sigaction(SIGPIPE, &by_default, NULL);
    sigaction(SIGXFSZ, &by_default, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Returns the errno of what failed. */
static int become_program(const struct launch *launch)
{
    if (dup2(launch->socket, STDIN_FILENO) < 0 || dup2(launch->socket, STDOUT_FILENO) < 0 ||
        dup2(launch->error, STDERR_FILENO) < 0)
        return errno;
    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (launch->mark)
        (void)marks_set(launch->mark);
    if (launch->descriptors)
        (void)setrlimit(RLIMIT_NOFILE, launch->descriptors);
    restore_signals();
    execve(launch->arguments[0], launch->arguments, launch->environment);
    return errno;
}

/* An address space in which no program can begin: the kernel wants 128 KiB for the stack of a new
 * one when there is no way back any more, and kills it before its first instruction (execve(2),
 * getrlimit(2)). All that can fail has been looked at by then. */
#define TRIAL_ADDRESS_SPACE_BYTES (96 * 1024)

static int try_program(char *program)
{
    const struct rlimit space = {TRIAL_ADDRESS_SPACE_BYTES, TRIAL_ADDRESS_SPACE_BYTES};
    const struct rlimit no_core = {1, 1}; /* not even to a program that takes cores: core(5) */
    char *const no_environment[] = {NULL};
    char *const no_arguments[] = {program, NULL};

    if (setrlimit(RLIMIT_CORE, &no_core) < 0 || setrlimit(RLIMIT_AS, &space) < 0)
        return errno;
    execve(program, no_arguments, no_environment);
    return errno;
}

/* Returns the child, or a negative errno. */
static pid_t start(const struct launch *launch, bool is_trial)
{
    volatile int error = 0;
    sigset_t all, before;

    /* A handler must not run in the child. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) {
        error = is_trial ? try_program(launch->arguments[0]) : become_program(launch);
        _exit(127);
    }
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return -fork_error;
    if (error == 0)
        return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return -error;
}

pid_t launch_program(const struct launch *launch)
{
    return start(launch, false);
}

int launch_try(const char *program)
{
    char *const arguments[] = {(char *)program, NULL};
    const struct launch launch = {.arguments = arguments};
    pid_t pid = start(&launch, true);

    if (pid < 0)
        return (int)pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return 0;
}
