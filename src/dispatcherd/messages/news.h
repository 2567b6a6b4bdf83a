/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Handles what a worker reports about single connections: taken over, refused, ended. */
#pragma once

#include "dispatcherd/core/worker.h"
#include "protocol/message.h"

/* Handles a report about one connection, of a type that message_type_has_ids(); `now` is
 * CLOCK_MONOTONIC in microseconds. Returns false if the type is another, or if the worker has no
 * such connection in such a state: it has broken a rule. */
bool news_take_id(struct worker *worker, enum message_type type, uint64_t id, uint64_t now);

/* Handles a message with such reports. Returns false as above. */
bool news_take_ids(struct worker *worker, const struct message *message);

/* What an adopted worker has reported to our predecessor, or reports of that time: connections that
 * it has put off wait again, if the predecessor has stored them; the rest is of no use. */
void news_take_old_ids(struct worker *worker, const struct message *message);

/* Takes a PUT_BACK: the connection waits again, with *fd (-1 afterwards, unless it was not needed).
 * Returns false if the worker has no such connection; *fd is still the caller's then. An adopted
 * worker may have one that we do not know. */
bool news_take_put_back(struct worker *worker, const struct message *message, int *fd);

/* Reads the rest of a channel to which nothing more can be sent, and handles what it says about
 * connections; the rest is ignored. Returns whether the worker has announced a drain there, which
 * makes its end orderly. */
bool news_take_last_words(struct worker *worker);
