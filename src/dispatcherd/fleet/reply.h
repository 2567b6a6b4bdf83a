/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads what the store sends, which may be anything. */
#pragma once

#include "dispatcherd/fleet/ledger.h"

#include <stdbool.h>
#include <stddef.h>

/* What a reply may take. The longest that is right, with FLEET_FULL_KEYS keys, FLEET_BATCH_KEYS
 * sums and FLEET_BATCH_OPEN addresses that were told, takes 100 KiB. */
#define FLEET_REPLY_MAX (128 * 1024)

struct redisReply;
struct fleet_reader;

/* Returns NULL when out of memory. */
struct fleet_reader *fleet_reader_new(void);
void fleet_reader_free(struct fleet_reader *reader);

/* Takes in what was received. Returns 0; or -EBADMSG if it is no reply, or too long: then nothing
 * more can be read. */
int fleet_reader_feed(struct fleet_reader *reader, const void *data, size_t size);

/* Gives the next whole reply, valid until the next call; NULL: there is none yet. Returns 0 or
 * -EBADMSG. */
int fleet_reader_next(struct fleet_reader *reader, const struct redisReply **ret);

/* The text of an error; NULL: it is none. */
const char *fleet_reply_error(const struct redisReply *reply);

/* The text of a string or a status; NULL: it is none. */
const char *fleet_reply_text(const struct redisReply *reply);

/* Reads what the script answers. Returns false if it is anything else. */
bool fleet_reply_answer(const struct redisReply *reply, struct fleet_answer *ret);
