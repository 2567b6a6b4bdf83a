/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/life.h"

#include "base/fd.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/messages/worker_ring.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/life_cells.h"
#include "dispatcherd/worker/life_limit.h"
#include "dispatcherd/worker/linger.h"
#include "protocol/debug.h"

#include <assert.h>
#include <errno.h>
#include <sys/pidfd.h>

static const struct worker_happening nothing_else = {0};

const char *worker_state_to_string(enum worker_state state)
{
    static const char *const texts[N_WORKER_STATES] = {
        [WORKER_STARTING] = "starting", [WORKER_ADOPTED] = "adopted",
        [WORKER_WELCOMED] = "welcomed", [WORKER_READY] = "ready",
        [WORKER_DRAINING] = "draining", [WORKER_CLOSED] = "closed",
        [WORKER_EXITED] = "exited",     [WORKER_LINGERING] = "lingering",
    };

    return texts[state];
}

const char *worker_event_to_string(enum worker_event event)
{
    static const char *const texts[N_WORKER_EVENTS] = {
        [WORKER_SAYS_HELLO] = "hello",
        [WORKER_SAYS_ANSWER] = "answer",
        [WORKER_SAYS_HELD] = "held",
        [WORKER_SAYS_READY] = "ready",
        [WORKER_SAYS_DRAINS] = "drains",
        [WORKER_BREAKS_RULE] = "broken rule",
        [WORKER_HAS_FAULT] = "fault",
        [WORKER_CHANNEL_ENDS] = "end of the channel",
        [WORKER_TIME_IS_OVER] = "time limit",
        [WORKER_RETIRE] = "retire",
        [WORKER_HURRY] = "hurry",
        [WORKER_CUT] = "cut",
        [WORKER_PROCESS_ENDS] = "end of the process",
        [WORKER_CAUSE_IS_KNOWN] = "cause",
    };

    return texts[event];
}

static void life_ignore(_unused_ struct worker *worker, _unused_ const struct worker_happening *how)
{
}

/* A missing cell does not compile. */
#define ROW(starting, adopted, welcomed, ready, draining, closed, exited, lingering)               \
    {                                                                                              \
        [WORKER_STARTING] = life_##starting, [WORKER_ADOPTED] = life_##adopted,                    \
        [WORKER_WELCOMED] = life_##welcomed, [WORKER_READY] = life_##ready,                        \
        [WORKER_DRAINING] = life_##draining, [WORKER_CLOSED] = life_##closed,                      \
        [WORKER_EXITED] = life_##exited, [WORKER_LINGERING] = life_##lingering,                    \
    }

/* clang-format off */
static life_cell *const cells[][N_WORKER_STATES] = {
    /*      STARTING,  ADOPTED,   WELCOMED,  READY,    DRAINING,   CLOSED,    EXITED,    LINGERING */
    [WORKER_SAYS_HELLO] =
        ROW(greet,     twice,     twice,     twice,    twice,      ignore,    ignore,    ignore),
    /* Before the answer to us an adopted one may have sent answers to our predecessors. */
    [WORKER_SAYS_ANSWER] =
        ROW(unasked,   answer,    unasked,   unasked,  unasked,    ignore,    ignore,    ignore),
    [WORKER_SAYS_HELD] =
        ROW(unasked,   hold,      unasked,   unasked,  unasked,    ignore,    ignore,    ignore),
    /* One that drains has been retired in the meantime. */
    [WORKER_SAYS_READY] =
        ROW(untimely,  get_ready, get_ready, untimely, ignore,     ignore,    ignore,    ignore),
    /* An adopted one has reported it to our predecessor, and will report it again when it is ready. */
    [WORKER_SAYS_DRAINS] =
        ROW(note_drain, ignore,   note_drain, drain,   note_drain, ignore,    ignore,    ignore),
    [WORKER_BREAKS_RULE] =
        ROW(give_up,   give_up,   give_up,   give_up,  give_up,    ignore,    ignore,    ignore),
    [WORKER_HAS_FAULT] =
        ROW(give_up,   give_up,   give_up,   give_up,  give_up,    ignore,    ignore,    ignore),
    [WORKER_CHANNEL_ENDS] =
        ROW(close,     close,     close,     close,    close,      ignore,    ignore,    ignore),
    [WORKER_TIME_IS_OVER] =
        ROW(late,      silent,    late,      handoffs, look_drain, stuck,     end,       look_unit),
    /* The policy retires workers that are ready, or starting for the pool, but never one that
     * drains or lingers. */
    [WORKER_RETIRE] =
        ROW(turn_away, turn_away, turn_away, retire,   retire,     turn_away, turn_away, ignore),
    /* Those that do not drain yet are told when they are retired. */
    [WORKER_HURRY] =
        ROW(ignore,    ignore,    ignore,    ignore,   hurry,      ignore,    ignore,    ignore),
    [WORKER_CUT] =
        ROW(cut,       cut,       cut,       cut,      cut,        cut,       cut,       cut),
    [WORKER_PROCESS_ENDS] =
        ROW(exit,      exit,      exit,      exit,     exit,       exit,      ignore,    ignore),
    [WORKER_CAUSE_IS_KNOWN] =
        ROW(cause,     cause,     cause,     cause,    cause,      cause,     end_cause, cause),
};
/* clang-format on */
static_assert(ELEMENTSOF(cells) == N_WORKER_EVENTS, "an event has no row");

void life_enter(struct worker *worker, enum worker_state next)
{
    const struct subject subject = worker_subject(worker, NULL);

    report_debug(worker->service->options->debug, DEBUG_CHANNEL_EXTRA, &subject,
                 "worker %d goes from %s to %s", (int)worker->pid,
                 worker_state_to_string(worker->state), worker_state_to_string(next));
    worker->state = next;
    worker_limit_begin(worker);
}

void worker_happens(struct worker *worker, enum worker_event event,
                    const struct worker_happening *how)
{
    life_cell *cell = cells[event][worker->state];
    const struct subject subject = worker_subject(worker, NULL);

    assert(cell);
    if (cell == life_ignore)
        return;
    report_debug(worker->service->options->debug, DEBUG_CHANNEL_EXTRA, &subject,
                 "worker %d, %s: %s", (int)worker->pid, worker_state_to_string(worker->state),
                 worker_event_to_string(event));
    cell(worker, how);
}

static void life_on_limit(void *userdata)
{
    worker_happens(userdata, WORKER_TIME_IS_OVER, &nothing_else);
}

int worker_life_begin(struct worker *worker)
{
    return worker_limit_new(worker, life_on_limit);
}

static int life_on_exit(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                        void *userdata)
{
    worker_happens(userdata, WORKER_PROCESS_ENDS, &nothing_else);
    return 0;
}

int worker_watch_process(struct worker *worker, pid_t pid, bool is_child)
{
    worker->pid = pid;
    worker->is_child = is_child;
    reserve_release(&worker->service->context->reserve);
    if (worker_is_unit(worker))
        worker_unit_find(pid, worker->service->options->unit_name, worker->unit);
    worker->pidfd = pidfd_open(pid, 0);
    if (worker->pidfd < 0)
        return -errno;
    int r = sd_event_add_io(worker->service->context->event, &worker->exit_source, worker->pidfd,
                            EPOLLIN, life_on_exit, worker);
    /* Nothing would report its end: it is treated as a process that is unknown. */
    if (r < 0)
        worker->pidfd = fd_close(worker->pidfd);
    return r < 0 ? r : 0;
}

bool worker_catch_up(struct worker *worker)
{
    const char *rule = NULL;
    bool has_read = false;

    for (;;)
        switch (worker_ring_read(worker, &has_read, &rule)) {
        case WORKER_RING_DRAINS:
            worker_happens(worker, WORKER_SAYS_DRAINS, &nothing_else);
            break;
        case WORKER_RING_BROKEN:
            worker_lied(worker, rule);
            return true;
        case WORKER_RING_READ:
            return has_read;
        }
}

void worker_give_up(struct worker *worker, const char *reason, const char *message_id)
{
    worker_happens(worker, WORKER_HAS_FAULT,
                   &(struct worker_happening){.fault = {reason, message_id}});
}

void worker_lied(struct worker *worker, const char *rule)
{
    worker_happens(worker, WORKER_BREAKS_RULE,
                   &(struct worker_happening){.fault = {rule, MESSAGE_ID_WORKER_LIED}});
}

void worker_channel_ended(struct worker *worker)
{
    worker_happens(worker, WORKER_CHANNEL_ENDS, &nothing_else);
}

void worker_retire(struct worker *worker, enum decision_reason reason, unsigned limit_sec)
{
    worker_happens(worker, WORKER_RETIRE,
                   &(struct worker_happening){.reason = reason, .limit_sec = limit_sec});
}

void worker_send_drain(struct worker *worker)
{
    /* The end of the channel has the same meaning, but no limit. */
    if (order_drain(worker) < 0)
        worker_channel_ended(worker);
}

void workers_hurry(struct service *service)
{
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot])
            worker_happens(service->workers[slot], WORKER_HURRY, &nothing_else);
}

void worker_take_cause(struct worker *worker, const struct worker_cause *cause)
{
    worker_happens(worker, WORKER_CAUSE_IS_KNOWN, &(struct worker_happening){.cause = cause});
}

void worker_cut(struct worker *worker)
{
    worker_happens(worker, WORKER_CUT, &nothing_else);
}
