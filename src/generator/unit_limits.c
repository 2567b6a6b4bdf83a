/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/unit_limits.h"

#include "config/image.h"

#define MIB (UINT64_C(1) << 20)

/* For the program, its libraries, and files on their way to the disk. */
#define PROGRAM_BYTES (256 * MIB)

/* What a session needs besides its stack. In tcp_smtp_server that is a buffer and the recipients,
 * less than 1 MiB, since messages are not held in memory. A program that holds them may need more.
 */
#define SESSION_BYTES (4 * MIB)

/* For STACKSIZE=0: a thread's stack is then RLIMIT_STACK of setrlimit(2), which systemd leaves at
 * the kernel's default. */
#define DEFAULT_STACK_BYTES (8 * MIB)

/* Each session has a thread, and perhaps a process. */
#define TASKS_PER_SESSION 2

/* The same for programs that dispatcher-inetd(8) runs: a session of rsync, git or Exim has 2 to 6
 * processes of some MiB each, a script in Python or Perl takes 20 MiB. */
#define PROGRAM_SESSION_BYTES     (32 * MIB)
#define PROGRAM_TASKS_PER_SESSION 8

/* The number that a session may have by default (PROCESSES=) before it is ended. */
#define PROGRAM_TASKS 50

/* The main thread, threads of the program itself, and what runs after the worker's end. */
#define OTHER_TASKS 16

/* One more than sessions: it reads the channel. */
static unsigned n_threads(const struct service_options *service)
{
    return service->max_conns + 1;
}

uint64_t unit_limits_memory_bytes(const struct service_options *service)
{
    uint64_t stack = service->stacksize_bytes > 0 ? service->stacksize_bytes : DEFAULT_STACK_BYTES;
    uint64_t session = image_runs_programs(service->image) ? PROGRAM_SESSION_BYTES : SESSION_BYTES;

    return PROGRAM_BYTES + n_threads(service) * (stack + session);
}

unsigned unit_limits_tasks(const struct service_options *service)
{
    if (image_runs_programs(service->image))
        return n_threads(service) * PROGRAM_TASKS_PER_SESSION + PROGRAM_TASKS + OTHER_TASKS;
    return n_threads(service) * TASKS_PER_SESSION + OTHER_TASKS;
}
