/* One client of the control socket: its calls are answered one after another, the next only when
 * the last reply is gone. */
#pragma once

#include "dispatcherd/control_methods.h"
#include "dispatcherd/events.h"
#include "varlink/frames.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* What a client waits for, or we of it. */
enum control_wait {
    CONTROL_WAIT_NOTHING,
    CONTROL_WAIT_MESSAGE, /* the rest of a call */
    CONTROL_WAIT_READER,  /* that it reads its reply */
};

struct control_client {
    TAILQ_ENTRY(control_client) link;

    /* Called when the client is over; frees it. */
    void (*gone)(struct control_client *client);
    void *owner; /* of gone() */

    const struct control_operations *operations;
    void *userdata; /* of the operations */
    sd_event *event;
    uint64_t message_limit_usec; /* for a call to arrive, from its first byte to its last */
    uint64_t reader_limit_usec;  /* for a reply to be read */
    int fd;                      /* owned */
    struct control_caller caller;
    struct varlink_frames frames;
    struct follower follower;
    char *events; /* owned: replies of a follower, events_size bytes in room for events_capacity */
    size_t events_size;
    size_t events_capacity;
    uint64_t n_lost_events; /* for lack of room, not yet told */
    char *reply;            /* owned; reply_size bytes, of which n_sent are gone; NULL: none */
    size_t reply_size;
    size_t n_sent;
    bool has_ended; /* it sends no more */
    bool has_calls; /* that are to be answered after the others had their turn */
    enum control_wait wait;
    sd_event_source *io_source;
    sd_event_source *again_source; /* for has_calls */
    sd_event_source *limit_source;
};

TAILQ_HEAD(control_client_list, control_client);

/* Begins to serve a client whose fields up to `caller` are set; the rest is zero. Returns 0 or a
 * negative errno. */
int control_client_start(struct control_client *client);

/* Frees it and closes its connection. Does not call gone(). */
void control_client_free(struct control_client *client);
