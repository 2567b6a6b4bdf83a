/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The service manager's file descriptor store: what is put there comes back to our successor,
 * however we end. */
#pragma once

#include "base/service_name.h"

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
    char unit_name[SERVICE_NAME_MAX + 1];
    unsigned slot;
    bool has_ring;   /* what it has asked for in its HELLO */
    bool knows_stop; /* likewise */
    bool knows_log;  /* likewise */
    bool knows_stress;
};

/* Writes the name of a worker's channel: "wVERSION.SERVICE.SLOT.", then a letter for each thing
 * that it has asked for: "w1.smtp.7.rslt". Short, since the names of all have to fit into one
 * variable (store_room.h). Returns `name`. */
const char *store_worker_name(const struct store_worker *worker, char name[STORE_NAME_MAX]);

/* Takes such a name apart, or one as version 0.1 wrote it: "worker.VERSION.SERVICE.SLOT", then
 * ".ring", ".stop" and ".log". Returns false if it is no such name. */
bool store_parse_worker_name(const char *name, struct store_worker *ret);

/* The manager drops without a word what is too much. So what is there is counted: at most so many
 * entries (0: not known), and so many bytes of names, which a name's separator is part of. */
void store_set_limits(size_t max_entries, size_t max_name_bytes);

/* A predecessor has put something of that name into the store. */
void store_inherit(const char *name);

/* Puts a copy of fd into the store, or takes what has this name out of it. Returns 0 (also if
 * there is no service manager), -EAGAIN if the manager is too busy now, -ENOSPC if the store is
 * full, or another negative errno. */
int store_add(const char *name, int fd);
int store_remove(const char *name);

/* Puts the newer one of a prefix above into the store, as the number after `old_number`, and then
 * takes the older one out (0: there is none). Returns as store_add(); the older one stays if it
 * fails. */
int store_replace(const char *prefix, unsigned long old_number, int fd);

/* How many entries the store has, and may have. */
size_t store_n_entries(void);
size_t store_max_entries(void);
