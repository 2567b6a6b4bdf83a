#include "dispatcherd/worker/end.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/ended.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/worker/cause.h"
#include "dispatcherd/worker/drain_limit.h"
#include "dispatcherd/worker/exit.h"
#include "dispatcherd/worker/linger.h"
#include "dispatcherd/worker/news.h"
#include "dispatcherd/worker/ring.h"
#include "protocol/channel.h"
#include "protocol/debug.h"
#include "protocol/message.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A worker whose channel has ended is about to exit; one without sessions that does not in this
 * time is broken. */
#define EXIT_LIMIT_SEC 5

/* How long an end is not told for want of its cause. */
#define CAUSE_LIMIT_USEC USEC_PER_SEC

#define EXIT_TEXT_MAX WORKER_CAUSE_MAX

void worker_set_draining(struct worker *worker)
{
    if (worker_in_pool(worker)->state != POOL_WORKER_DRAINING)
        pool_worker_draining(worker->service->pool, worker->slot, time_now_usec(CLOCK_MONOTONIC));
}

/* Of its own accord, or for what it did: a failed start where it had not been useful. Told with its
 * exit, which says most. */
static void leave_pool(struct worker *worker)
{
    struct service *service = worker->service;

    if (worker_in_pool(worker)->state != POOL_WORKER_READY)
        return;
    worker->is_failed_start =
        pool_worker_left(service->pool, worker->slot, time_now_usec(CLOCK_MONOTONIC));
    service->has_failed_start |= worker->is_failed_start;
}

/* What it has not acknowledged by now it never will: the library serves nothing that it cannot
 * acknowledge. So those connections go to others at once. */
static void return_handoffs(struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (unsigned i = worker->n_held; i > 0; i--)
        if (worker->held[i - 1]->state == CONNECTION_HANDOFF)
            connection_wait(worker->held[i - 1], now);
}

/* What it said before it died still counts, and so comes first: one that had taken a connection has
 * been useful. */
static void close_channel(struct worker *worker)
{
    char name[STORE_NAME_MAX];

    if (worker->channel < 0)
        return;
    worker->channel_source = sd_event_source_disable_unref(worker->channel_source);
    /* The store has a copy, so that closing ours would not be the end of it. */
    (void)shutdown(worker->channel, SHUT_RDWR);
    worker_ring_close(worker);
    worker_take_last_words(worker);
    leave_pool(worker);
    if (worker->is_stored)
        (void)store_remove(worker_store_name(worker, name));
    worker->is_stored = false;
    if (worker_is_unit(worker))
        worker->peer = take_fd(&worker->channel);
    else
        worker->channel = fd_close(worker->channel);
    return_handoffs(worker);
}

static void tell_end(const struct worker *worker, const struct worker_exit *exit, uint64_t now)
{
    struct subject subject = worker_subject(worker, NULL);
    uint64_t n_total = worker_in_pool(worker)->n_total;

    ended_worker(worker, exit, now);
    report_event("worker ended", 0, 0, &subject, "worker %d %s after %llu %s", (int)worker->pid,
                 exit->cause, (unsigned long long)n_total,
                 str_plural(n_total, "connection", "connections"));
}

static void finish(struct worker *worker, const siginfo_t *info)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    char text[EXIT_TEXT_MAX];
    struct worker_exit exit = worker_exit_describe(worker, info, text, sizeof(text));

    if (worker->is_lingering)
        return;
    worker_exit_report(worker, info, text);
    tell_end(worker, &exit, now);
    while (worker->n_held > 0)
        completion_broken(worker->held[0], now);
    if (worker->peer >= 0 && worker_unit_is_alive(worker->peer))
        worker_linger(worker);
    else
        worker_bury(worker);
}

static int on_cause_limit(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct worker *worker = userdata;

    finish(worker, &(siginfo_t){0});
    return 0;
}

/* The cause comes within milliseconds, or never. */
static int await_cause(struct worker *worker)
{
    worker->has_exited = true;
    worker->exit_source = sd_event_source_disable_unref(worker->exit_source);
    worker->limit_source = sd_event_source_disable_unref(worker->limit_source);
    return sd_event_add_time_relative(worker->service->context->event, &worker->limit_source,
                                      CLOCK_MONOTONIC, CAUSE_LIMIT_USEC, USEC_PER_SEC / 10,
                                      on_cause_limit, worker);
}

void worker_take_cause(struct worker *worker, const struct worker_cause *cause)
{
    worker_cause_set(worker, cause);
    if (!worker->has_exited)
        return;
    finish(worker, &(siginfo_t){0});
}

static void handle_exit(struct worker *worker)
{
    siginfo_t info = {0};

    close_channel(worker);
    if (worker_cause_is_coming(worker) && await_cause(worker) == 0) {
        service_touch(worker->service);
        return;
    }
    if (worker->is_child && waitid(P_PIDFD, (id_t)worker->pidfd, &info, WEXITED | WNOHANG) < 0)
        info.si_code = CLD_EXITED;
    finish(worker, &info);
}

static int on_exit(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                   void *userdata)
{
    handle_exit(userdata);
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
    return sd_event_add_io(worker->service->context->event, &worker->exit_source, worker->pidfd,
                           EPOLLIN, on_exit, worker);
}

void worker_send_drain(struct worker *worker)
{
    enum message_type order =
        worker->is_told_to_stop && worker->knows_stop ? MESSAGE_STOP : MESSAGE_DRAIN;
    uint8_t bytes[sizeof(struct message_header)];
    size_t length = message_write_value(bytes, sizeof(bytes), order, worker->drain_limit_sec);

    int r = channel_send(worker->channel, bytes, length, NULL, 0);
    worker_tell_packet(worker, order, worker->drain_limit_sec);
    worker->is_drain_unsent = r == -EAGAIN;
    if (r == -EAGAIN)
        r = sd_event_source_set_io_events(worker->channel_source, EPOLLIN | EPOLLOUT);
    /* The end of the channel says the same, without a limit. */
    if (r < 0)
        worker_channel_ended(worker);
}

void worker_retire(struct worker *worker, enum decision_reason reason, unsigned limit_sec)
{
    bool was_starting = worker_in_pool(worker)->state == POOL_WORKER_STARTING;
    struct subject subject = worker_subject(worker, NULL);

    worker->retire_reason = reason;
    worker->drain_limit_sec = limit_sec;
    worker->is_told_to_stop = reason == REASON_STOPPING;
    subject.reason = decision_reason_to_string(reason);
    report_event("worker retired", worker->service->options->debug, DEBUG_PROCESS, &subject,
                 "worker %d is retired: %s; it has %u %s", (int)worker->pid, subject.reason,
                 worker->n_held, str_plural(worker->n_held, "connection", "connections"));
    worker_set_draining(worker);
    if (was_starting) {
        worker->lost_reason = "was not needed any more";
        worker_kill_child(worker);
        worker_channel_ended(worker);
    } else {
        worker_limit_drain(worker, limit_sec);
        worker_send_drain(worker);
    }
}

void workers_hurry(struct service *service)
{
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        struct worker *worker = service->workers[slot];

        if (!worker || worker->channel < 0 || worker->is_told_to_stop ||
            worker_in_pool(worker)->state != POOL_WORKER_DRAINING)
            continue;
        worker->is_told_to_stop = true;
        worker->drain_limit_sec = service->context->stop_limit_sec;
        worker_limit_drain(worker, worker->drain_limit_sec);
        worker_send_drain(worker);
    }
}

void worker_says_it_drains(struct worker *worker)
{
    struct subject subject = worker_subject(worker, NULL);

    report_event("worker drains", worker->service->options->debug, DEBUG_PROCESS, &subject,
                 "worker %d takes no more connections; it has %u", (int)worker->pid,
                 worker->n_held);
    worker->has_drained = true;
    worker_limit_drain(worker, worker->service->context->stop_limit_sec);
    leave_pool(worker);
}

void worker_give_up(struct worker *worker, const char *reason, const char *message_id)
{
    struct subject subject = worker_subject(worker, message_id);

    if (worker->lost_reason)
        return;
    worker->lost_reason = reason;
    leave_pool(worker);
    if (worker_in_pool(worker)->state != POOL_WORKER_STARTING && !worker->is_failed_start) {
        unsigned n_lost = worker_in_pool(worker)->n_active;
        report(LOG_ERR, &subject, "worker %d %s; %s it (%u %s)", (int)worker->pid, reason,
               worker->is_child ? "killing" : "closing the channel to", n_lost,
               str_plural(n_lost, "session", "sessions"));
        worker_exit_note(worker, reason);
    }
    worker_kill_child(worker);
    worker_channel_ended(worker);
}

void worker_lied(struct worker *worker, const char *how)
{
    worker_give_up(worker, how, MESSAGE_ID_WORKER_LIED);
}

static int on_exit_limit(sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct worker *worker = userdata;

    worker_give_up(worker, "has lost its channel and does not end", MESSAGE_ID_WORKER_HUNG);
    worker_kill(worker);
    /* Again and again: what kills a unit may be busy, or its socket down for a moment. */
    (void)sd_event_source_set_time_relative(source, 2 * EXIT_LIMIT_SEC * USEC_PER_SEC);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

static void limit_exit(struct worker *worker)
{
    struct context *context = worker->service->context;
    unsigned limit_sec = EXIT_LIMIT_SEC;

    /* Sessions may go on for as long as the worker was told; a little more for the exit. */
    if (worker_in_pool(worker)->n_active > 0)
        limit_sec += context->stop_limit_sec;
    sd_event_source_disable_unref(worker->limit_source);
    worker->limit_source = NULL;
    (void)sd_event_add_time_relative(context->event, &worker->limit_source, CLOCK_MONOTONIC,
                                     limit_sec * USEC_PER_SEC, USEC_PER_SEC / 10, on_exit_limit,
                                     worker);
}

/* Of a unit's worker that has not said who it is. Where systemd has run its ExecStopPost=, it did
 * so before it let go of the channel, so that the cause is known by now. */
static int on_gone(_unused_ sd_event_source *source, void *userdata)
{
    finish(userdata, &(siginfo_t){0});
    return 0;
}

void worker_channel_ended(struct worker *worker)
{
    const struct subject subject = worker_subject(worker, NULL);

    if (worker->channel < 0)
        return;
    report_debug(worker->service->options->debug, DEBUG_CHANNEL, &subject,
                 "the channel to worker %d ends", (int)worker->pid);
    close_channel(worker);
    if (worker->pidfd < 0) {
        /* A unit's worker that has not said who it is: nothing else will tell of its end. Put
         * off, since callers still look at the worker. */
        (void)sd_event_add_defer(worker->service->context->event, &worker->exit_source, on_gone,
                                 worker);
        return;
    }
    limit_exit(worker);
    service_touch(worker->service);
}

void worker_cut(struct worker *worker)
{
    worker->lost_reason = "cut";
    if (worker->is_child || worker->unit[0])
        worker_kill(worker);
    if (worker->channel >= 0)
        worker_channel_ended(worker);
}
