/* A service at work: its options, its pool, its listeners, and the connections that wait.
 *
 * Plain data for the modules that act on it; what acts is named after what it does (listener,
 * admission, dispatch, handoff, completion). */
#pragma once

#include "config/options.h"
#include "dispatcherd/connection.h"
#include "pool/policy.h"

struct context;
struct listener;
struct worker;

struct service_statistics {
    uint64_t n_accepted;
    uint64_t n_ended;  /* served to their end, as the worker said */
    uint64_t n_broken; /* their worker died */
    uint64_t n_gone;   /* the client left before a worker had it */
    uint64_t n_failed_starts;
};

struct service {
    struct context *context;
    const struct service_options *options; /* the configuration's */
    struct pool_options pool_options;
    struct pool pool;
    struct worker *workers[POOL_WORKERS_MAX]; /* by slot; owned; NULL where the slot is free */

    struct listener *listeners; /* n_listeners of them, owned */
    size_t n_listeners;
    size_t next_listener; /* who is asked first for the next connection */

    struct connection_queue waiting; /* owned; the one that waits longest first */
    sd_event_source *timer;          /* for the policy's next moment */
    struct service_statistics statistics;

    char start_error[256]; /* why the last start failed; "" since one has succeeded */
    bool has_failed_start; /* at least once since the daemon's start */
    uint64_t full_since;   /* when it was said that the service is full; 0: it is not */
    uint64_t room_since;   /* since when a full service has room again; 0: it has none */

    /* Called after any change: carries out what the policy decides. May be called by anybody at
     * any time; calls into the middle of itself are put off. */
    void (*dispatch)(struct service *service);
    bool is_short_of_resources; /* accepting failed, and has been told so */
    bool is_dispatching;
    bool dispatch_again;
};

/* Makes the service of `options`, which must outlive it, without listeners and workers. Returns 0
 * or a negative errno. */
int service_new(struct context *context, const struct service_options *options,
                void (*dispatch)(struct service *service), struct service **ret);

/* Frees the service with all it owns. */
void service_free(struct service *service);

/* Something has changed: runs service->dispatch, or has the running one go round again. */
void service_touch(struct service *service);

/* Remembers and tells why a worker could not be started; the pool delays the next try. */
void service_start_failed(struct service *service, const char *format, ...) _printf_(2, 3);

/* Every place of a full pool: MAX_PROCS times MAX_CONNS. */
unsigned long service_places(const struct service *service);
