#include "libdispatcher/internal.h"

#include "base/fd.h"
#include "libdispatcher/debug.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* Makes the place free and adds the end to the outbox in one step: the next connection may come as
 * soon as dispatcherd knows, and the receiving thread must not think that all is said and done
 * before it is. */
static void finish(struct session *session)
{
    dispatcher_worker *worker = session->worker;
    struct sessions *sessions = &worker->sessions;
    uint64_t id = session->connection.id;

    session->connection.fd = fd_close(session->connection.fd);
    pthread_mutex_lock(&sessions->lock);
    session->is_reserved = false;
    sessions->idle[sessions->n_idle++] = session;
    bool is_last = sessions->n_idle == sessions->n_items;
    outbox_add(&worker->outbox, OUTBOX_ENDED, id);
    pthread_mutex_unlock(&sessions->lock);
    int r = outbox_flush_unless_busy(&worker->outbox, worker->channel);
    if (r == -EAGAIN || (is_last && atomic_load(&worker->is_draining)))
        worker_wake(worker);
}

static void *session_thread(void *argument)
{
    struct session *session = argument;
    dispatcher_worker *worker = session->worker;

    for (;;) {
        while (sem_wait(&session->wake) < 0)
            ; /* a signal of the program's */
        if (atomic_load(&worker->sessions.is_stopping))
            return NULL;
        debug_say(worker, DEBUG_WORKER_EXTRA, &session->connection, "a session begins");
        worker->callbacks->serve(&session->connection, worker->userdata);
        debug_say(worker, DEBUG_WORKER_EXTRA, &session->connection, "the session is over");
        finish(session);
    }
}

int sessions_start(dispatcher_worker *worker, unsigned wanted, size_t stack_size)
{
    struct sessions *sessions = &worker->sessions;
    pthread_attr_t attributes;
    int r = 0;

    pthread_mutex_init(&sessions->lock, NULL);
    sessions->items = calloc(wanted, sizeof(*sessions->items));
    sessions->idle = calloc(wanted, sizeof(*sessions->idle));
    if (!sessions->items || !sessions->idle)
        return -ENOMEM;
    pthread_attr_init(&attributes);
    if (stack_size > 0)
        pthread_attr_setstacksize(&attributes, stack_size < (size_t)PTHREAD_STACK_MIN
                                                   ? (size_t)PTHREAD_STACK_MIN
                                                   : stack_size);
    pthread_mutex_lock(&sessions->lock);
    while (sessions->n_items < wanted && r == 0) {
        struct session *session = &sessions->items[sessions->n_items];

        session->worker = worker;
        session->connection.worker = worker;
        session->connection.fd = -1;
        sem_init(&session->wake, 0, 0);
        r = pthread_create(&session->thread, &attributes, session_thread, session);
        if (r == 0) {
            sessions->idle[sessions->n_idle++] = session;
            sessions->n_items++;
        }
    }
    pthread_mutex_unlock(&sessions->lock);
    pthread_attr_destroy(&attributes);
    return sessions->n_items > 0 ? (int)sessions->n_items : -r;
}

struct session *session_reserve(struct sessions *sessions)
{
    struct session *session = NULL;

    pthread_mutex_lock(&sessions->lock);
    if (sessions->n_idle > 0) {
        session = sessions->idle[--sessions->n_idle];
        session->is_reserved = true;
    }
    pthread_mutex_unlock(&sessions->lock);
    return session;
}

void session_start(struct session *session)
{
    sem_post(&session->wake);
}

void session_release(struct session *session)
{
    struct sessions *sessions = &session->worker->sessions;

    session->connection.fd = fd_close(session->connection.fd);
    pthread_mutex_lock(&sessions->lock);
    session->is_reserved = false;
    sessions->idle[sessions->n_idle++] = session;
    pthread_mutex_unlock(&sessions->lock);
}

unsigned sessions_busy(struct sessions *sessions)
{
    pthread_mutex_lock(&sessions->lock);
    unsigned n_busy = sessions->n_items - sessions->n_idle;
    pthread_mutex_unlock(&sessions->lock);
    return n_busy;
}

void sessions_stop(struct sessions *sessions)
{
    atomic_store(&sessions->is_stopping, true);
    for (unsigned i = 0; i < sessions->n_items; i++)
        sem_post(&sessions->items[i].wake);
    for (unsigned i = 0; i < sessions->n_items; i++)
        pthread_join(sessions->items[i].thread, NULL);
    free(sessions->items);
    free(sessions->idle);
    *sessions = (struct sessions){0};
}
