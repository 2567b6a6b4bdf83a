/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "recording/record.h"

#include "base/siphash.h"

#include <string.h>

/* "DISPREC", and the version of the form. */
static const uint8_t magic[8] = {'D', 'I', 'S', 'P', 'R', 'E', 'C', 1};

/* The checksum is against accidents, so its key is no secret. */
static const struct siphash_key checksum_key = {{1, 2}};

/* The upper byte of the time is the kind. */
#define KIND_SHIFT 56
#define TIME_MASK  ((UINT64_C(1) << KIND_SHIFT) - 1)

/* Where the parts of a record are. */
#define AT_SERVICE  4
#define AT_SEQUENCE 8
#define AT_TIME     16
#define AT_PAYLOAD  24

/* Walks over the bytes of a record, which has room for all that is put there. */
struct cursor {
    uint8_t *bytes;
    size_t n;
};

static void put(struct cursor *cursor, unsigned n_bytes, uint64_t value)
{
    for (unsigned i = 0; i < n_bytes; i++)
        cursor->bytes[cursor->n++] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(struct cursor *cursor, unsigned n_bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n_bytes; i++)
        value |= (uint64_t)cursor->bytes[cursor->n++] << (8 * i);
    return value;
}

static uint32_t checksum(const uint8_t bytes[RECORD_BYTES])
{
    return (uint32_t)siphash(&checksum_key, bytes + AT_SERVICE, RECORD_BYTES - AT_SERVICE);
}

uint32_t record_service_hash(const char *name)
{
    char lower[RECORD_NAME_MAX];
    size_t n = 0;

    for (; name[n] && n < sizeof(lower); n++)
        lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] - 'A' + 'a' : name[n]);
    uint32_t hash = (uint32_t)siphash(&checksum_key, lower, n);
    return hash > 0 ? hash : 1;
}

static void put_options(struct cursor *cursor, const struct record_options *options)
{
    put(cursor, 2, options->min_procs);
    put(cursor, 2, options->max_procs);
    put(cursor, 2, options->min_conns);
    put(cursor, 2, options->max_conns);
    put(cursor, 2, options->max_handoffs);
    put(cursor, 2, options->max_shutdown);
    put(cursor, 4, options->max_life_sec);
    put(cursor, 4, options->max_life_conns);
    put(cursor, 4, options->max_idle_sec);
    put(cursor, 4, options->max_per_address);
    put(cursor, 4, options->max_per_network);
}

static void get_options(struct cursor *cursor, struct record_options *options)
{
    options->min_procs = (uint16_t)get(cursor, 2);
    options->max_procs = (uint16_t)get(cursor, 2);
    options->min_conns = (uint16_t)get(cursor, 2);
    options->max_conns = (uint16_t)get(cursor, 2);
    options->max_handoffs = (uint16_t)get(cursor, 2);
    options->max_shutdown = (uint16_t)get(cursor, 2);
    options->max_life_sec = (uint32_t)get(cursor, 4);
    options->max_life_conns = (uint32_t)get(cursor, 4);
    options->max_idle_sec = (uint32_t)get(cursor, 4);
    options->max_per_address = (uint32_t)get(cursor, 4);
    options->max_per_network = (uint32_t)get(cursor, 4);
}

static void put_connection(struct cursor *cursor, const struct record_connection *connection)
{
    put(cursor, 8, connection->client);
    put(cursor, 4, connection->queued_usec);
    put(cursor, 4, connection->checked_usec);
    put(cursor, 4, connection->waited_usec);
    put(cursor, 8, connection->session_usec);
    put(cursor, 1, connection->end);
    put(cursor, 1, connection->rejection);
    put(cursor, 1, connection->is_tls);
    put(cursor, 1, connection->was_handed);
}

static void get_connection(struct cursor *cursor, struct record_connection *connection)
{
    connection->client = get(cursor, 8);
    connection->queued_usec = (uint32_t)get(cursor, 4);
    connection->checked_usec = (uint32_t)get(cursor, 4);
    connection->waited_usec = (uint32_t)get(cursor, 4);
    connection->session_usec = get(cursor, 8);
    connection->end = (uint8_t)get(cursor, 1);
    connection->rejection = (uint8_t)get(cursor, 1);
    connection->is_tls = get(cursor, 1) != 0;
    connection->was_handed = get(cursor, 1) != 0;
}

static void put_worker(struct cursor *cursor, const struct record_worker *worker)
{
    put(cursor, 8, worker->usec);
    put(cursor, 4, worker->exit_usec);
    put(cursor, 4, worker->n_total);
    put(cursor, 1, worker->reason);
    put(cursor, 1, worker->was_ready);
}

static void get_worker(struct cursor *cursor, struct record_worker *worker)
{
    worker->usec = get(cursor, 8);
    worker->exit_usec = (uint32_t)get(cursor, 4);
    worker->n_total = (uint32_t)get(cursor, 4);
    worker->reason = (uint8_t)get(cursor, 1);
    worker->was_ready = get(cursor, 1) != 0;
}

static void put_pool(struct cursor *cursor, const struct record_pool *pool)
{
    put(cursor, 2, pool->n_starting);
    put(cursor, 2, pool->n_ready);
    put(cursor, 2, pool->n_draining);
    put(cursor, 4, pool->n_active);
    put(cursor, 4, pool->n_waiting);
    put(cursor, 4, pool->worker_kib);
}

static void get_pool(struct cursor *cursor, struct record_pool *numbers)
{
    numbers->n_starting = (uint16_t)get(cursor, 2);
    numbers->n_ready = (uint16_t)get(cursor, 2);
    numbers->n_draining = (uint16_t)get(cursor, 2);
    numbers->n_active = (uint32_t)get(cursor, 4);
    numbers->n_waiting = (uint32_t)get(cursor, 4);
    numbers->worker_kib = (uint32_t)get(cursor, 4);
}

void record_encode(const struct record *record, uint8_t bytes[RECORD_BYTES])
{
    struct cursor head = {bytes, AT_SERVICE}, payload = {bytes, AT_PAYLOAD};

    memset(bytes, 0, RECORD_BYTES);
    put(&head, 4, record->service);
    put(&head, 8, record->sequence);
    put(&head, 8, (record->at & TIME_MASK) | (uint64_t)record->kind << KIND_SHIFT);
    switch (record->kind) {
    case RECORD_SERVICE:
        memcpy(bytes + AT_PAYLOAD, record->name, strnlen(record->name, RECORD_NAME_MAX));
        break;
    case RECORD_OPTIONS:
        put_options(&payload, &record->options);
        break;
    case RECORD_CONNECTION:
        put_connection(&payload, &record->connection);
        break;
    case RECORD_READY:
    case RECORD_EXIT:
        put_worker(&payload, &record->worker);
        break;
    case RECORD_POOL:
        put_pool(&payload, &record->pool);
        break;
    case RECORD_LOST:
        put(&payload, 8, record->n_lost);
        break;
    case RECORD_BEGIN:
    case N_RECORD_KINDS:
        break;
    }
    put(&(struct cursor){bytes, 0}, 4, checksum(bytes));
}

static void decode_payload(struct cursor payload, struct record *record)
{
    switch (record->kind) {
    case RECORD_SERVICE:
        memcpy(record->name, payload.bytes + payload.n, RECORD_NAME_MAX);
        record->name[RECORD_NAME_MAX] = '\0';
        break;
    case RECORD_OPTIONS:
        get_options(&payload, &record->options);
        break;
    case RECORD_CONNECTION:
        get_connection(&payload, &record->connection);
        break;
    case RECORD_READY:
    case RECORD_EXIT:
        get_worker(&payload, &record->worker);
        break;
    case RECORD_POOL:
        get_pool(&payload, &record->pool);
        break;
    case RECORD_LOST:
        record->n_lost = get(&payload, 8);
        break;
    case RECORD_BEGIN:
    case N_RECORD_KINDS:
        break;
    }
}

bool record_decode(const uint8_t bytes[RECORD_BYTES], struct record *ret)
{
    uint8_t copy[RECORD_BYTES];
    struct cursor head = {copy, 0};
    struct record record = {0};

    memcpy(copy, bytes, sizeof(copy));
    if (get(&head, 4) != checksum(copy))
        return false;
    record.service = (uint32_t)get(&head, 4);
    record.sequence = get(&head, 8);
    uint64_t time = get(&head, 8);
    unsigned kind = (unsigned)(time >> KIND_SHIFT);
    if (record.sequence == 0 || kind < RECORD_BEGIN || kind >= N_RECORD_KINDS)
        return false;
    record.kind = (enum record_kind)kind;
    record.at = time & TIME_MASK;
    decode_payload((struct cursor){copy, AT_PAYLOAD}, &record);
    *ret = record;
    return true;
}

void record_header_encode(uint32_t n_records, uint8_t bytes[RECORD_BYTES])
{
    struct cursor cursor = {bytes, sizeof(magic)};

    memset(bytes, 0, RECORD_BYTES);
    memcpy(bytes, magic, sizeof(magic));
    put(&cursor, 4, RECORD_BYTES);
    put(&cursor, 4, n_records);
}

uint32_t record_header_decode(const uint8_t bytes[RECORD_BYTES])
{
    uint8_t copy[RECORD_BYTES];
    struct cursor cursor = {copy, sizeof(magic)};

    memcpy(copy, bytes, sizeof(copy));
    if (memcmp(copy, magic, sizeof(magic)) != 0 || get(&cursor, 4) != RECORD_BYTES)
        return 0;
    uint32_t n_records = (uint32_t)get(&cursor, 4);
    return n_records <= RECORDS_READ_MAX ? n_records : 0;
}
