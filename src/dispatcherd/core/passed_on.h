/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections that a worker has passed on to a program that knows nothing about dispatcherd. They
 * are over when that program has closed their sockets.
 *
 * The kernel is asked about one socket after another, about each at most once in
 * PASSED_ON_INTERVAL_USEC, and at most PASSED_ON_QUESTIONS_SEC times a second in all. So many
 * connections cost no more, but their ends are noticed later: passed_on_exactness().
 *
 * A record (store/state.h) of each connection is made before it goes to a worker that may pass it
 * on. Whatever happens to the worker or the daemon, the kernel can still be asked with the record.
 */
#pragma once

#include "base/time.h"
#include "dispatcherd/core/connection.h"
#include "dispatcherd/store/state.h"

#define PASSED_ON_INTERVAL_USEC (200 * USEC_PER_MSEC)

/* A question takes 8 us (measured on a virtual machine with Linux 6.18), so this is at most 2 % of
 * a processor. */
#define PASSED_ON_QUESTIONS_SEC 2000

struct context;
struct passed_on_watch;

/* Returns 0 with context->passed_on, which passed_on_end() frees, or -ENOMEM. If the kernel cannot
 * be asked, that is reported when the first connection needs it. */
int passed_on_start(struct context *context, struct state *state);
void passed_on_end(struct context *context);

/* Makes the record of a connection in hand-off whose worker may pass it on; passed_on_forget()
 * removes it, if there is one. A connection without a record ends when it is passed on. */
void passed_on_record(struct connection *connection);
void passed_on_forget(struct connection *connection);

/* The worker reports that another program has the connection. May free the connection. */
void passed_on_begin(struct connection *connection, uint64_t now);

/* The connection's worker has ended. If another program has the connection, it goes on; otherwise
 * it is freed, now or later. */
void passed_on_or_broken(struct connection *connection, uint64_t now);

/* Makes connections from the records in `old` that belong to these services. They count as passed
 * on until a worker reports that it has them. Returns how many there are. */
unsigned passed_on_take_over(struct context *context, struct service *const services[],
                             size_t n_services, const struct state *old);

/* An adopted worker reports that it still has this connection. Returns NULL if there is no such
 * record, or it is of another worker. */
struct connection *passed_on_take_up(struct worker *worker, uint64_t id);

/* A predecessor has stored the connection of that identifier, as `kind`, and has a record of it: it
 * was offered to a worker, which may have taken it. Keeps *fd (-1 afterwards) until the worker has
 * answered. Returns false if there is no such record; *fd is still the caller's then. */
bool passed_on_keep_copy(struct service *service, uint64_t id, int *fd, enum stored_kind kind);

/* An adopted worker answers that it did not take it, or that it came back with *fd (NULL: without a
 * descriptor): it waits again. Returns false if there is no such record of this worker, or no
 * descriptor; *fd is still the caller's then. */
bool passed_on_put_back(struct worker *worker, uint64_t id, int *fd, uint64_t now);

/* Whether fd, which a worker says to be the connection's socket, is it: as far as can be found
 * out, since the worker may lie. */
bool passed_on_is_socket_of(const struct connection *connection, int fd);

/* The service is about to be freed: closes all its connections that are passed on. */
void passed_on_leave(struct service *service);

/* The connection with that record number if it is passed on and belongs to this service; else NULL.
 */
const struct connection *passed_on_connection(const struct service *service, unsigned number);

/* All record numbers in use are below this. */
unsigned passed_on_n_numbers(const struct context *context);

/* How late the end of a connection may be noticed, in microseconds. */
uint64_t passed_on_exactness(const struct context *context);
