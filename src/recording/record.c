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

/* The members of a record's payload, in their order in the file, each with its own size. */
struct member {
    size_t offset; /* in struct record */
    unsigned n_bytes;
    bool is_truth;
};

#define MEMBER(name)                                                                               \
    {                                                                                              \
        offsetof(struct record, name), sizeof(((struct record *)NULL)->name),                      \
            _Generic(((struct record *)NULL)->name, bool                                           \
                     : true, default                                                               \
                     : false)                                                                      \
    }

static const struct member members_of_options[] = {
    MEMBER(options.min_procs),       MEMBER(options.max_procs),       MEMBER(options.min_conns),
    MEMBER(options.max_conns),       MEMBER(options.max_handoffs),    MEMBER(options.max_shutdown),
    MEMBER(options.max_life_sec),    MEMBER(options.max_life_conns),  MEMBER(options.max_idle_sec),
    MEMBER(options.max_per_address), MEMBER(options.max_per_network),
};
static const struct member members_of_connection[] = {
    MEMBER(connection.client),       MEMBER(connection.queued_usec),
    MEMBER(connection.checked_usec), MEMBER(connection.waited_usec),
    MEMBER(connection.session_usec), MEMBER(connection.end),
    MEMBER(connection.rejection),    MEMBER(connection.is_tls),
    MEMBER(connection.was_handed),
};
static const struct member members_of_worker[] = {
    MEMBER(worker.usec),   MEMBER(worker.exit_usec), MEMBER(worker.n_total),
    MEMBER(worker.reason), MEMBER(worker.was_ready),
};
static const struct member members_of_pool[] = {
    MEMBER(pool.n_starting), MEMBER(pool.n_ready),   MEMBER(pool.n_draining),
    MEMBER(pool.n_active),   MEMBER(pool.n_waiting),
};
static const struct member members_of_memory[] = {
    MEMBER(memory.n_workers), MEMBER(memory.n_in_pool), MEMBER(memory.n_sessions),
    MEMBER(memory.n_peak),    MEMBER(memory.n_total),   MEMBER(memory.kib),
};
static const struct member members_of_lost[] = {MEMBER(n_lost)};

#define MEMBERS(table)                                                                             \
    {                                                                                              \
        table, sizeof(table) / sizeof((table)[0])                                                  \
    }

/* RECORD_BEGIN has no payload, and that of RECORD_SERVICE is a name. */
static const struct {
    const struct member *members;
    size_t n;
} payloads[N_RECORD_KINDS] = {
    [RECORD_OPTIONS] = MEMBERS(members_of_options),
    [RECORD_CONNECTION] = MEMBERS(members_of_connection),
    [RECORD_READY] = MEMBERS(members_of_worker),
    [RECORD_EXIT] = MEMBERS(members_of_worker),
    [RECORD_POOL] = MEMBERS(members_of_pool),
    [RECORD_LOST] = MEMBERS(members_of_lost),
    [RECORD_MEMORY] = MEMBERS(members_of_memory),
};

static uint64_t load(const void *from, unsigned n_bytes)
{
    switch (n_bytes) {
    case 1:
        return *(const uint8_t *)from;
    case 2:
        return *(const uint16_t *)from;
    case 4:
        return *(const uint32_t *)from;
    default:
        return *(const uint64_t *)from;
    }
}

static void store(void *to, unsigned n_bytes, uint64_t value)
{
    switch (n_bytes) {
    case 1:
        *(uint8_t *)to = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)to = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)to = (uint32_t)value;
        break;
    default:
        *(uint64_t *)to = value;
        break;
    }
}

static void encode_payload(const struct record *record, struct cursor payload)
{
    if (record->kind == RECORD_SERVICE)
        memcpy(payload.bytes + payload.n, record->name, strnlen(record->name, RECORD_NAME_MAX));
    for (size_t i = 0; i < payloads[record->kind].n; i++) {
        const struct member *member = &payloads[record->kind].members[i];

        put(&payload, member->n_bytes,
            load((const char *)record + member->offset, member->n_bytes));
    }
}

void record_encode(const struct record *record, uint8_t bytes[RECORD_BYTES])
{
    struct cursor head = {bytes, AT_SERVICE};

    memset(bytes, 0, RECORD_BYTES);
    put(&head, 4, record->service);
    put(&head, 8, record->sequence);
    put(&head, 8, (record->at & TIME_MASK) | (uint64_t)record->kind << KIND_SHIFT);
    encode_payload(record, (struct cursor){bytes, AT_PAYLOAD});
    put(&(struct cursor){bytes, 0}, 4, checksum(bytes));
}

static void decode_payload(struct cursor payload, struct record *record)
{
    if (record->kind == RECORD_SERVICE) {
        memcpy(record->name, payload.bytes + payload.n, RECORD_NAME_MAX);
        record->name[RECORD_NAME_MAX] = '\0';
    }
    for (size_t i = 0; i < payloads[record->kind].n; i++) {
        const struct member *member = &payloads[record->kind].members[i];
        uint64_t value = get(&payload, member->n_bytes);

        store((char *)record + member->offset, member->n_bytes,
              member->is_truth ? value != 0 : value);
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
