/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "recording/recording.h"

#include "base/macro.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As many as dispatcher.cnf(5) allows. */
#define SERVICES_MAX 256

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_sequence(const void *a, const void *b)
{
    return compare_numbers(((const struct record *)a)->sequence,
                           ((const struct record *)b)->sequence);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct recorded_service *)a)->name,
                  ((const struct recorded_service *)b)->name);
}

/* For items that begin with their time; those of one time stay as they are. */
static int by_time(const void *a, const void *b)
{
    uint64_t at[2];

    memcpy(&at[0], a, sizeof(at[0]));
    memcpy(&at[1], b, sizeof(at[1]));
    return compare_numbers(at[0], at[1]);
}

static struct recorded_service *find_by_hash(const struct recording *recording, uint32_t hash)
{
    for (size_t i = 0; i < recording->n_services; i++)
        if (recording->services[i].hash == hash)
            return &recording->services[i];
    return NULL;
}

const struct recorded_service *recording_find(const struct recording *recording, const char *name)
{
    return find_by_hash(recording, record_service_hash(name));
}

/* Returns the place for one more item; NULL without memory. The arrays double, so that their size
 * follows from the number of items. */
static void *append(void **items, size_t *n, size_t size)
{
    if ((*n & (*n - 1)) == 0) {
        void *more = reallocarray(*items, *n > 0 ? 2 * *n : 1, size);

        if (!more)
            return NULL;
        *items = more;
    }
    return (char *)*items + size * (*n)++;
}

#define APPEND(items, n, ...)                                                                      \
    ({                                                                                             \
        void *all_ = (items);                                                                      \
        typeof(items) place_ = append(&all_, &(n), sizeof(*(items)));                              \
        (items) = all_;                                                                            \
        if (place_)                                                                                \
            *place_ = (typeof(*place_))__VA_ARGS__;                                                \
        place_ ? 0 : -ENOMEM;                                                                      \
    })

static bool is_name(const char *name, uint32_t hash)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return *name && record_service_hash(name) == hash;
}

static int add_service(struct recording *recording, const struct record *record)
{
    struct recorded_service service = {.hash = record->service};

    if (!is_name(record->name, record->service) || find_by_hash(recording, record->service) ||
        recording->n_services == SERVICES_MAX)
        return 0;
    memcpy(service.name, record->name, sizeof(service.name));
    return APPEND(recording->services, recording->n_services, service);
}

static int add_item(struct recording *recording, const struct record *record)
{
    struct recorded_service *service = find_by_hash(recording, record->service);

    if (record->kind == RECORD_BEGIN)
        recording->n_begun++;
    if (record->kind == RECORD_LOST)
        recording->n_lost += record->n_lost;
    if (!service)
        return 0;
    switch (record->kind) {
    case RECORD_OPTIONS:
        return APPEND(service->options, service->n_options, {record->at, record->options});
    case RECORD_CONNECTION:
        return APPEND(service->connections, service->n_connections,
                      {record->at, record->connection});
    case RECORD_POOL:
        return APPEND(service->pools, service->n_pools, {record->at, record->pool});
    case RECORD_READY:
        return APPEND(service->starts, service->n_starts, {record->at, record->worker});
    case RECORD_EXIT:
        return APPEND(service->exits, service->n_exits, {record->at, record->worker});
    case RECORD_MEMORY:
        return APPEND(service->memories, service->n_memories, {record->at, record->memory});
    case RECORD_BEGIN:
    case RECORD_SERVICE:
    case RECORD_LOST:
    case N_RECORD_KINDS:
        break;
    }
    return 0;
}

/* When the record was written: a connection's is written at its end. */
static uint64_t written_at(const struct record *record)
{
    const struct record_connection *facts = &record->connection;

    if (record->kind != RECORD_CONNECTION)
        return record->at;
    return record->at + facts->queued_usec + facts->checked_usec + facts->waited_usec +
           facts->session_usec;
}

static int add_all(struct recording *recording, const struct record *records, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        if (records[i].kind == RECORD_SERVICE)
            r = add_service(recording, &records[i]);
    for (size_t i = 0; i < n && r == 0; i++) {
        r = add_item(recording, &records[i]);
        if (written_at(&records[i]) > recording->to)
            recording->to = written_at(&records[i]);
    }
    recording->from = written_at(&records[0]);
    recording->has_wrapped = records[0].sequence > 1;
    return r;
}

static void service_clear(struct recorded_service *service)
{
    free(service->connections);
    free(service->options);
    free(service->pools);
    free(service->starts);
    free(service->exits);
    free(service->memories);
}

/* Leaves out the services of which the options are not known. */
static void drop_unknown(struct recording *recording)
{
    size_t n = 0;

    for (size_t i = 0; i < recording->n_services; i++)
        if (recording->services[i].n_options > 0)
            recording->services[n++] = recording->services[i];
        else
            service_clear(&recording->services[i]);
    recording->n_services = n;
}

/* Nearly all are written in order, and qsort(3) would mix up those of one time. */
static void sort_by_time(void *items, size_t n, size_t size)
{
    for (size_t i = 1; i < n; i++)
        if (by_time((char *)items + size * (i - 1), (char *)items + size * i) > 0) {
            qsort(items, n, size, by_time);
            return;
        }
}

static void sort(struct recording *recording)
{
    if (recording->n_services > 0)
        qsort(recording->services, recording->n_services, sizeof(*recording->services), by_name);
    for (size_t i = 0; i < recording->n_services; i++) {
        struct recorded_service *service = &recording->services[i];

        sort_by_time(service->connections, service->n_connections, sizeof(*service->connections));
        sort_by_time(service->options, service->n_options, sizeof(*service->options));
        sort_by_time(service->pools, service->n_pools, sizeof(*service->pools));
        sort_by_time(service->starts, service->n_starts, sizeof(*service->starts));
        sort_by_time(service->exits, service->n_exits, sizeof(*service->exits));
        sort_by_time(service->memories, service->n_memories, sizeof(*service->memories));
    }
}

/* A file from somewhere may have any times; those of centuries would only overflow. So would the
 * memory of no machine. */
#define TIME_LIMIT   (UINT64_C(1) << 53)
#define LENGTH_LIMIT (UINT64_C(1) << 50)
#define KIB_LIMIT    (UINT64_C(1) << 40)

static bool is_plausible(const struct record *record)
{
    if (record->at >= TIME_LIMIT)
        return false;
    if (record->kind == RECORD_CONNECTION)
        return record->connection.session_usec < LENGTH_LIMIT;
    if (record->kind == RECORD_MEMORY)
        return record->memory.kib < KIB_LIMIT;
    return (record->kind != RECORD_READY && record->kind != RECORD_EXIT) ||
           record->worker.usec < LENGTH_LIMIT;
}

/* Collects what are records, in the order in which they were written. Returns how many. */
static size_t collect(const uint8_t *bytes, size_t n_present, uint32_t n_slots,
                      struct record *records)
{
    size_t n = 0;

    for (size_t i = 0; i < n_present; i++)
        if (record_decode(bytes + RECORD_BYTES * (i + 1), &records[n]) &&
            (records[n].sequence - 1) % n_slots == i && is_plausible(&records[n]))
            n++;
    if (n > 0)
        qsort(records, n, sizeof(*records), by_sequence);
    return n;
}

int recording_parse(const uint8_t *bytes, size_t size, struct recording *ret)
{
    uint32_t n_slots = size < RECORD_BYTES ? 0 : record_header_decode(bytes);
    struct recording recording = {0};

    if (n_slots == 0)
        return -EBADMSG;
    size_t n_present = size / RECORD_BYTES - 1;
    if (n_present > n_slots)
        n_present = n_slots;
    if (n_present == 0)
        return -ENODATA;
    struct record *records = calloc(n_present, sizeof(*records));
    if (!records)
        return -ENOMEM;
    size_t n = collect(bytes, n_present, n_slots, records);
    int r = n == 0 ? -ENODATA : add_all(&recording, records, n);
    free(records);
    drop_unknown(&recording);
    if (r == 0 && recording.n_services == 0)
        r = -ENODATA;
    if (r < 0) {
        recording_clear(&recording);
        return r;
    }
    sort(&recording);
    *ret = recording;
    return 0;
}

void recording_clear(struct recording *recording)
{
    for (size_t i = 0; i < recording->n_services; i++)
        service_clear(&recording->services[i]);
    free(recording->services);
    *recording = (struct recording){0};
}
