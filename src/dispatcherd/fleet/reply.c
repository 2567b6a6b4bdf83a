/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/reply.h"

#include "dispatcherd/fleet/fleet_key.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

/* Elements of an array: two for each key of a batch are the most. */
#define ELEMENTS_MAX (2 * FLEET_BATCH_KEYS)

#if HIREDIS_MAJOR >= 1
typedef size_t array_size;
#else
typedef int array_size;
#endif

struct fleet_reader {
    redisReader *reader;
    redisReply *reply; /* the last one; owned */
    size_t n_bytes;    /* since the last whole reply */
    redisReplyObjectFunctions functions;
    void *(*create_array)(const redisReadTask *task, array_size n);
};

/* The library would take memory for as many elements as the store announces. */
static void *create_array(const redisReadTask *task, array_size n)
{
    const struct fleet_reader *reader = task->privdata;

    return (size_t)n > ELEMENTS_MAX ? NULL : reader->create_array(task, n);
}

struct fleet_reader *fleet_reader_new(void)
{
    struct fleet_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->reader = redisReaderCreate();
    if (!reader->reader) {
        free(reader);
        return NULL;
    }
    reader->functions = *reader->reader->fn;
    reader->create_array = reader->functions.createArray;
    reader->functions.createArray = create_array;
    reader->reader->fn = &reader->functions;
    reader->reader->privdata = reader;
    return reader;
}

static void drop_reply(struct fleet_reader *reader)
{
    if (reader->reply)
        freeReplyObject(reader->reply);
    reader->reply = NULL;
}

void fleet_reader_free(struct fleet_reader *reader)
{
    if (!reader)
        return;
    drop_reply(reader);
    redisReaderFree(reader->reader);
    free(reader);
}

int fleet_reader_feed(struct fleet_reader *reader, const void *data, size_t size)
{
    reader->n_bytes += size;
    if (reader->n_bytes > FLEET_REPLY_MAX + size)
        return -EBADMSG;
    return redisReaderFeed(reader->reader, data, size) == REDIS_OK ? 0 : -EBADMSG;
}

int fleet_reader_next(struct fleet_reader *reader, const struct redisReply **ret)
{
    void *reply = NULL;

    drop_reply(reader);
    if (redisReaderGetReply(reader->reader, &reply) != REDIS_OK)
        return -EBADMSG;
    reader->reply = reply;
    if (reply)
        reader->n_bytes = 0;
    *ret = reader->reply;
    return 0;
}

const char *fleet_reply_error(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR ? reply->str : NULL;
}

const char *fleet_reply_text(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ? reply->str
                                                                                  : NULL;
}

static bool read_digits(const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > max)
            return false;
    }
    *ret = value;
    return true;
}

/* Numbers come as integers, or as text. */
static bool read_number(const struct redisReply *reply, uint64_t max, uint64_t *ret)
{
    if (reply->type == REDIS_REPLY_INTEGER) {
        *ret = (uint64_t)reply->integer;
        return reply->integer >= 0 && *ret <= max;
    }
    return reply->type == REDIS_REPLY_STRING && read_digits(reply->str, max, ret);
}

/* A count beyond the range of ours is as much as that. */
static bool read_count(const struct redisReply *reply, uint32_t *ret)
{
    uint64_t value;

    if (!read_number(reply, UINT64_MAX / 100, &value))
        return false;
    *ret = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
    return true;
}

static bool read_full(const struct redisReply *reply, struct fleet_answer *answer)
{
    char key[FLEET_KEY_MAX];
    uint64_t total;

    if (reply->type != REDIS_REPLY_STRING || !strchr(reply->str, '='))
        return false;
    size_t length = (size_t)(strchr(reply->str, '=') - reply->str);
    if (length >= sizeof(key) || answer->n_full_keys == FLEET_FULL_KEYS)
        return false;
    memcpy(key, reply->str, length);
    key[length] = '\0';
    if (!fleet_key_parse(key, &answer->full[answer->n_full_keys].key,
                         &answer->full[answer->n_full_keys].window) ||
        !read_digits(reply->str + length + 1, UINT32_MAX, &total))
        return false;
    answer->full[answer->n_full_keys++].total = (uint32_t)total;
    return true;
}

static bool read_lists(const struct redisReply *full, const struct redisReply *sums,
                       struct fleet_answer *answer)
{
    answer->n_full_keys = answer->n_sums = 0;
    if (full->type != REDIS_REPLY_ARRAY || sums->type != REDIS_REPLY_ARRAY ||
        sums->elements % 2 != 0 || sums->elements > 2 * FLEET_BATCH_KEYS)
        return false;
    for (size_t i = 0; i < full->elements; i++)
        if (!read_full(full->element[i], answer))
            return false;
    for (; answer->n_sums < sums->elements / 2; answer->n_sums++)
        if (!read_count(sums->element[2 * answer->n_sums], &answer->sums[answer->n_sums].own) ||
            !read_count(sums->element[2 * answer->n_sums + 1],
                        &answer->sums[answer->n_sums].others))
            return false;
    return true;
}

/* Of open connections. */
static bool read_open(const struct redisReply *open, const struct redisReply *mark,
                      const struct redisReply *told, struct fleet_answer *answer)
{
    if (open->type != REDIS_REPLY_ARRAY || open->elements > FLEET_BATCH_OPEN ||
        told->type != REDIS_REPLY_ARRAY || told->elements % 2 != 0 ||
        told->elements > 2 * FLEET_BATCH_OPEN ||
        !read_number(mark, UINT64_MAX / 100, &answer->open_mark))
        return false;
    for (; answer->n_open < open->elements; answer->n_open++)
        if (!read_count(open->element[answer->n_open], &answer->open[answer->n_open]))
            return false;
    for (; answer->n_told < told->elements / 2; answer->n_told++) {
        const struct redisReply *key = told->element[2 * answer->n_told];

        if (key->type != REDIS_REPLY_STRING ||
            !fleet_key_parse_open(key->str, &answer->told[answer->n_told].key) ||
            !read_count(told->element[2 * answer->n_told + 1], &answer->told[answer->n_told].total))
            return false;
    }
    return true;
}

bool fleet_reply_answer(const struct redisReply *reply, struct fleet_answer *ret)
{
    uint64_t sec, usec;

    if (reply->type != REDIS_REPLY_ARRAY || (reply->elements != 7 && reply->elements != 10))
        return false;
    ret->n_open = ret->n_told = 0;
    ret->open_mark = 0;
    const struct redisReply *epoch = reply->element[3];
    if (!read_number(reply->element[0], UINT32_MAX, &sec) ||
        !read_number(reply->element[1], 999999, &usec) ||
        !read_number(reply->element[2], UINT32_MAX, &ret->active_sec) ||
        !read_count(reply->element[4], &ret->n_full) || epoch->type != REDIS_REPLY_STRING ||
        strlen(epoch->str) >= sizeof(ret->epoch))
        return false;
    ret->store_usec = sec * 1000000 + usec;
    memcpy(ret->epoch, epoch->str, strlen(epoch->str) + 1);
    return read_lists(reply->element[5], reply->element[6], ret) &&
           (reply->elements == 7 ||
            read_open(reply->element[7], reply->element[8], reply->element[9], ret));
}
