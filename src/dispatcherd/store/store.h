/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The service manager's file descriptor store: what is put there comes back to a successor, however
 * the daemon ends. */
#pragma once

#include "base/service_name.h"

#include <stdbool.h>
#include <stddef.h>

/* Names of what is stored: one of these, followed by a number that is higher for newer ones. The
 * newer one is stored before the older one is removed, so that nothing is lost if the daemon dies
 * in between. No service's name has a dot, so these are never taken for sockets. */
#define STORE_STATE     "dispatcherd.state."
#define STORE_CONFIG    "dispatcherd.config."
#define STORE_MAPPINGS  "dispatcherd.mappings." /* with the number of its configuration */
#define STORE_THROTTLE  "dispatcherd.throttle."
#define STORE_DECISIONS "dispatcherd.decisions."

enum {
    STORE_NAME_MAX = 192 /* the service manager allows 255 */
};

/* Optional abilities of a worker, which its HELLO lists. */
struct store_knowledge {
    bool ring;     /* it reports about its connections by a ring, not by messages */
    bool stop;     /* understands the order STOP; others get DRAIN */
    bool log;      /* understands the order LOG; others keep their file */
    bool stress;   /* understands the order STRESS; others go on as always */
    bool identity; /* understands the message IDENTITY */
    bool pass;     /* may pass connections on to another program, and reports that */
    bool answer;   /* sends ANSWER with the number of ADOPT */
};

/* What the name of a stored channel says about its worker. */
struct store_worker {
    unsigned version; /* of the protocol; the writer's is PROTOCOL_VERSION */
    char unit_name[SERVICE_NAME_MAX + 1];
    unsigned slot;
    struct store_knowledge knows;
};

/* Writes the name of a worker's channel: "wVERSION.SERVICE.SLOT.", then a letter for each ability:
 * "w1.smtp.7.rsltpia". It is short, since the names of all must fit into one variable
 * (store_room.h). Returns `name`. */
const char *store_worker_name(const struct store_worker *worker, char name[STORE_NAME_MAX]);

/* Reads such a name, or one of version 0.1: "worker.VERSION.SERVICE.SLOT", then ".ring", ".stop"
 * and ".log". Returns false if it is no such name. */
bool store_parse_worker_name(const char *name, struct store_worker *ret);

/* The manager silently drops what exceeds its limits. So entries are counted here, up to this
 * number (0: unknown), and the bytes of their names, each with its separator. */
void store_set_limits(size_t max_entries, size_t max_name_bytes);

/* A predecessor has stored something under that name. */
void store_inherit(const char *name);

/* store_add() puts a copy of fd into the store, store_remove() removes what has this name. Each
 * returns 0 (also without a service manager), -EAGAIN if the manager is too busy, -ENOSPC if the
 * store is full, or another negative errno. */
int store_add(const char *name, int fd);
int store_remove(const char *name);

/* Stores the newer one of a prefix above as the number after `old_number` (0: there is none), and
 * then removes the older one. Returns what store_add() does; if that fails, the older one stays. */
int store_replace(const char *prefix, unsigned long old_number, int fd);

/* How many entries the store has, and may have. */
size_t store_n_entries(void);
size_t store_max_entries(void);

/* False if one more entry is too many; true if at most its name is too long. */
bool store_has_entries_left(void);
