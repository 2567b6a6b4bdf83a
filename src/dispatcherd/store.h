/* The service manager's file descriptor store: what is put there comes back to our successor,
 * however we end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Names of what is stored: these, and a number that is higher for what is newer. The newer one is
 * stored before the older one is removed, so that a death in between loses nothing. A dot is in no
 * service's name, so none is taken for a socket. */
#define STORE_STATE     "dispatcherd.state."
#define STORE_CONFIG    "dispatcherd.config."
#define STORE_MAPPINGS  "dispatcherd.mappings." /* has the number of its configuration */
#define STORE_THROTTLE  "dispatcherd.throttle."
#define STORE_DECISIONS "dispatcherd.decisions."

enum {
    STORE_NAME_MAX = 192 /* the service manager allows 255 */
};

/* What the name of a stored channel tells of its worker. */
struct store_worker {
    unsigned version; /* of the protocol; the writer's is PROTOCOL_VERSION */
    char unit_name[40];
    unsigned slot;
    bool has_ring;   /* what it has asked for in its HELLO */
    bool knows_stop; /* likewise */
    bool knows_log;  /* likewise */
};

/* Writes the name of a worker's channel: "worker.VERSION.SERVICE.SLOT", then ".ring", ".stop"
 * and ".log" for what it has asked for. Returns `name`. */
const char *store_worker_name(const struct store_worker *worker, char name[STORE_NAME_MAX]);

/* Takes such a name apart. Returns false if it is no such name. */
bool store_parse_worker_name(const char *name, struct store_worker *ret);

/* Puts a copy of fd into the store, or takes what has this name out of it. Returns 0 (also where
 * there is no service manager), -EAGAIN where the manager is too busy now, or another negative
 * errno. */
int store_add(const char *name, int fd);
int store_remove(const char *name);
