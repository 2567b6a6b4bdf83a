/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The thread of a proxy that serves all its sessions by events. */
#pragma once

#include "workers/proxy/backends.h"
#include "workers/proxy/session.h"
#include "workers/proxy/settings.h"
#include "workers/proxy/trouble.h"
#include "workers/tls/context.h"

#include <pthread.h>

struct relay {
    dispatcher_worker *worker;
    const struct settings *settings;
    struct backends backends;
    struct trouble trouble;
    struct tls_context *tls; /* owned; NULL: there is no certificate */
    int epoll;
    int wake_fd; /* eventfd: sessions have arrived, or the end has come */
    pthread_t thread;

    pthread_mutex_t lock;    /* of the next two */
    struct session *arrived; /* the last one comes first */
    bool is_ending;

    /* The thread's own from here on. */
    bool is_stopping; /* DISPATCHER_DRAIN_STOP */
    uint64_t now;     /* of this turn */
    size_t n_waiting; /* sessions that wait for a back end */
    struct session_link sessions, watched, turns, over;
    struct way_tools tools;
};

/* Begins the thread. Returns 0 or a negative errno. To be freed by relay_stop() in either case. */
int relay_start(struct relay *relay, dispatcher_worker *worker, const struct settings *settings);

/* Takes the connection over. Called by the library's thread; never waits. */
void relay_take(struct relay *relay, dispatcher_connection *connection);

/* Ends the thread, when no session is left. */
void relay_stop(struct relay *relay);
