#include "dispatcherd/worker_cause.h"

#include "dispatcherd/context.h"
#include "dispatcherd/spawner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Results whose code and status say less than the result itself. */
static const struct {
    const char *result;
    const char *text;
} results[] = {
    {"oom-kill", "was killed for want of memory (MemoryMax= of its unit, or of the machine)"},
    {"watchdog", "was killed because it did not feed its watchdog (WatchdogSec= of its unit)"},
    {"timeout", "was killed after a time limit of its unit"},
    {"resources", "could not be set up by systemd for want of a resource"},
};

bool worker_cause_is_coming(const struct worker *worker)
{
    return worker->service->context->spawner == &spawner_unit && !worker->is_child &&
           worker->pid > 0 && !worker->cause[0];
}

/* Returns -1 where it is none. */
static int read_number(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    return end != text && *end == '\0' && number >= 0 && number <= 255 ? (int)number : -1;
}

/* systemd gives the name without "SIG". Returns 0 where it is none. */
static int read_signal(const char *text)
{
    for (int i = 1; i < NSIG; i++) {
        const char *name = sigabbrev_np(i);

        if (name && strcmp(name, text) == 0)
            return i;
    }
    return 0;
}

void worker_cause_set(struct worker *worker, const char *result, const char *code,
                      const char *status)
{
    bool has_exited = strcmp(code, "exited") == 0;

    if (!has_exited)
        worker->exit_signal = read_signal(status);
    /* A status of 0 would say that all was well. */
    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        if (strcmp(results[i].result, result) == 0) {
            snprintf(worker->cause, sizeof(worker->cause), "%s", results[i].text);
            return;
        }
    if (has_exited) {
        snprintf(worker->cause, sizeof(worker->cause), "exited with status %.20s", status);
        worker->exit_status = read_number(status);
    } else {
        snprintf(worker->cause, sizeof(worker->cause), "died of signal %.20s%s", status,
                 strcmp(code, "dumped") == 0 ? " and dumped core" : "");
    }
}
