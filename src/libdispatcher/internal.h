/* What the parts of libdispatcher share. A program sees <dispatcher/worker.h> alone. */
#pragma once

#include "dispatcher/worker.h"
#include "libdispatcher/outbox.h"
#include "libdispatcher/welcome.h"
#include "protocol/message.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* Owned by the receiving thread until a session starts, then by that session's thread. */
struct dispatcher_connection {
    dispatcher_worker *worker;
    int fd;
    uint64_t id;
    uint64_t accepted_at_usec; /* CLOCK_MONOTONIC */
    struct address peer;
    struct address local;
    bool is_tls;
    char id_text[17];
    char peer_host[ADDRESS_TEXT_MAX];  /* "" until asked for */
    char local_host[ADDRESS_TEXT_MAX]; /* likewise */
    char access_tag[CONNECTION_TEXT_MAX + 1];
    char access_note[CONNECTION_TEXT_MAX + 1];
};

/* A thread and the connection that it serves, which is filled by session_reserve()'s caller. */
struct session {
    dispatcher_worker *worker;
    pthread_t thread;
    sem_t wake;       /* posted when there is a connection to serve, or no more will come */
    bool is_reserved; /* is not on the stack of idle ones; under the lock of struct sessions */
    struct dispatcher_connection connection;
};

/* All threads of the worker. An idle one is on the stack `idle`; the one that has been idle for
 * the shortest time is taken first, since its stack is still in the caches. */
struct sessions {
    pthread_mutex_t lock;
    struct session *items; /* n_items of them, owned */
    unsigned n_items;
    struct session **idle; /* room for n_items, owned */
    unsigned n_idle;
    atomic_bool is_stopping;
};

struct dispatcher_worker {
    const struct dispatcher_worker_callbacks *callbacks;
    void *userdata;
    int channel; /* stays open to the end, so that no thread meets a stale number */
    int wake_fd; /* eventfd: a session wants the receiving thread's attention */
    int signal_fd;
    struct welcome welcome;
    struct sessions sessions;
    struct outbox outbox;
    atomic_uint debug;
    atomic_bool is_draining;
};

/* Makes the threads: as many as `wanted` or as the system allows. Returns their number, or a
 * negative errno where there is none. */
int sessions_start(dispatcher_worker *worker, unsigned wanted, size_t stack_size);

/* A free session whose connection the caller fills, or NULL where all are busy. It goes on with
 * session_start() or back with session_release(). */
struct session *session_reserve(struct sessions *sessions);
void session_start(struct session *session);
void session_release(struct session *session);

/* Sessions that were reserved and are not over. */
unsigned sessions_busy(struct sessions *sessions);

/* Waits for every thread to end; none may be busy. Frees all. */
void sessions_stop(struct sessions *sessions);

/* Answers a new dispatcherd that asks what this worker has: every connection, then READY. What had
 * still to be told to its predecessor is dropped, since the answer holds it all. Returns 0 or a
 * negative errno of the channel. */
int held_tell(dispatcher_worker *worker);

/* Asks the receiving thread to look at its outbox and its sessions again. */
void worker_wake(dispatcher_worker *worker);

/* Receives until there is nothing more to do: draining, no session, nothing left to send. Returns
 * when the drain limit passes (CLOCK_MONOTONIC). */
uint64_t receive_loop(dispatcher_worker *worker);

/* dispatcher_worker_run() with another limit for the welcome: tests do not wait for half a
 * minute. */
int worker_run(const struct dispatcher_worker_callbacks *callbacks, void *userdata,
               int welcome_limit_msec);
