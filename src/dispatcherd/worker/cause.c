/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/cause.h"

#include "dispatcherd/core/context.h"
#include "dispatcherd/process/spawner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Results that say more than the code and the status. */
static const struct {
    const char *result;
    const char *text;
} results[] = {
    {"oom-kill", "was killed for lack of memory (MemoryMax= of its unit, or of the machine)"},
    {"watchdog", "was killed because it did not feed its watchdog (WatchdogSec= of its unit)"},
    {"timeout", "was killed after a time limit of its unit"},
    {"resources", "could not be set up by systemd for lack of a resource"},
    {"protocol", "ended before it had sent READY=1"},
};

bool worker_cause_is_coming(const struct worker *worker)
{
    return worker->service->context->spawner == &spawner_unit && !worker->is_child &&
           worker->pid > 0 && !worker->cause[0];
}

/* Returns -1 if the text is no number. */
static int cause_read_number(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    return end != text && *end == '\0' && number >= 0 && number <= 255 ? (int)number : -1;
}

/* systemd gives the name without "SIG". Returns 0 if it is no signal. */
static int cause_read_signal(const char *text)
{
    for (int i = 1; i < NSIG; i++) {
        const char *name = sigabbrev_np(i);

        if (name && strcmp(name, text) == 0)
            return i;
    }
    return 0;
}

/* What systemd could not do for a process before it ran: systemd.exec(5), "Process Exit Codes". A
 * program may use these numbers for something else; systemctl(1) cannot tell either. */
#define SETUP_STATUS_FIRST 200

static const char *const setup_steps[] = {
    [200 - SETUP_STATUS_FIRST] = "CHDIR",
    [201 - SETUP_STATUS_FIRST] = "NICE",
    [202 - SETUP_STATUS_FIRST] = "FDS",
    [203 - SETUP_STATUS_FIRST] = "EXEC",
    [204 - SETUP_STATUS_FIRST] = "MEMORY",
    [205 - SETUP_STATUS_FIRST] = "LIMITS",
    [206 - SETUP_STATUS_FIRST] = "OOM_ADJUST",
    [207 - SETUP_STATUS_FIRST] = "SIGNAL_MASK",
    [208 - SETUP_STATUS_FIRST] = "STDIN",
    [209 - SETUP_STATUS_FIRST] = "STDOUT",
    [210 - SETUP_STATUS_FIRST] = "CHROOT",
    [211 - SETUP_STATUS_FIRST] = "IOPRIO",
    [212 - SETUP_STATUS_FIRST] = "TIMERSLACK",
    [213 - SETUP_STATUS_FIRST] = "SECUREBITS",
    [214 - SETUP_STATUS_FIRST] = "SETSCHEDULER",
    [215 - SETUP_STATUS_FIRST] = "CPUAFFINITY",
    [216 - SETUP_STATUS_FIRST] = "GROUP",
    [217 - SETUP_STATUS_FIRST] = "USER",
    [218 - SETUP_STATUS_FIRST] = "CAPABILITIES",
    [219 - SETUP_STATUS_FIRST] = "CGROUP",
    [220 - SETUP_STATUS_FIRST] = "SETSID",
    [221 - SETUP_STATUS_FIRST] = "CONFIRM",
    [222 - SETUP_STATUS_FIRST] = "STDERR",
    [224 - SETUP_STATUS_FIRST] = "PAM",
    [225 - SETUP_STATUS_FIRST] = "NETWORK",
    [226 - SETUP_STATUS_FIRST] = "NAMESPACE",
    [227 - SETUP_STATUS_FIRST] = "NO_NEW_PRIVILEGES",
    [228 - SETUP_STATUS_FIRST] = "SECCOMP",
    [229 - SETUP_STATUS_FIRST] = "SELINUX_CONTEXT",
    [230 - SETUP_STATUS_FIRST] = "PERSONALITY",
    [231 - SETUP_STATUS_FIRST] = "APPARMOR",
    [232 - SETUP_STATUS_FIRST] = "ADDRESS_FAMILIES",
    [233 - SETUP_STATUS_FIRST] = "RUNTIME_DIRECTORY",
    [235 - SETUP_STATUS_FIRST] = "CHOWN",
    [236 - SETUP_STATUS_FIRST] = "SMACK_PROCESS_LABEL",
    [237 - SETUP_STATUS_FIRST] = "KEYRING",
    [238 - SETUP_STATUS_FIRST] = "STATE_DIRECTORY",
    [239 - SETUP_STATUS_FIRST] = "CACHE_DIRECTORY",
    [240 - SETUP_STATUS_FIRST] = "LOGS_DIRECTORY",
    [241 - SETUP_STATUS_FIRST] = "CONFIGURATION_DIRECTORY",
    [242 - SETUP_STATUS_FIRST] = "NUMA_POLICY",
    [243 - SETUP_STATUS_FIRST] = "CREDENTIALS",
    [244 - SETUP_STATUS_FIRST] = "BPF",
};

static const char *cause_setup_step(int status)
{
    size_t i = (size_t)(status - SETUP_STATUS_FIRST);

    return status >= SETUP_STATUS_FIRST && i < ELEMENTSOF(setup_steps) ? setup_steps[i] : NULL;
}

static void cause_describe_status(struct worker *worker, const char *status)
{
    worker->exit_status = cause_read_number(status);
    const char *step = cause_setup_step(worker->exit_status);

    /* systemd's own line with the error may be lost: its process can no longer connect to the
     * journal then (SystemCallFilter= in the worker's unit). */
    if (step && strcmp(step, "EXEC") == 0)
        snprintf(worker->cause, sizeof(worker->cause), "%s",
                 "could not be run (status 203/EXEC): it, or its interpreter, is missing or not "
                 "executable");
    else if (step)
        snprintf(worker->cause, sizeof(worker->cause),
                 "could not be set up by systemd (status %d/%s)", worker->exit_status, step);
    else
        snprintf(worker->cause, sizeof(worker->cause), "exited with status %.20s", status);
}

static const char *cause_find_result(const char *result)
{
    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        if (strcmp(results[i].result, result) == 0)
            return results[i].text;
    return NULL;
}

static void cause_set_last_lines(struct worker *worker, const char *lines)
{
    free(worker->last_lines);
    worker->last_lines = lines && lines[0] ? strndup(lines, WORKER_LINES_MAX) : NULL;
}

void worker_cause_set(struct worker *worker, const struct worker_cause *cause)
{
    bool has_exited = strcmp(cause->code, "exited") == 0;
    const char *text = cause_find_result(cause->result);

    if (!has_exited)
        worker->exit_signal = cause_read_signal(cause->status);
    /* systemd counts an end by SIGTERM as success; dispatcherd does not. */
    worker->was_stopped = strcmp(cause->result, "success") == 0 && worker->exit_signal == SIGTERM;
    cause_set_last_lines(worker, cause->lines);
    if (text) {
        /* A status of 0 would suggest that all was well. */
        snprintf(worker->cause, sizeof(worker->cause), "%s", text);
    } else if (has_exited) {
        cause_describe_status(worker, cause->status);
    } else {
        snprintf(worker->cause, sizeof(worker->cause), "died of signal %.20s%s", cause->status,
                 strcmp(cause->code, "dumped") == 0 ? " and dumped core" : "");
    }
}
