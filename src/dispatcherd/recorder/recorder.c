/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/recorder/recorder.h"

#include "access/source.h"
#include "base/limited_call.h"
#include "base/siphash.h"
#include "base/time.h"
#include "base/timer.h"
#include "dispatcherd/recorder/ring_file.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "recording/record_options.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How often what was collected is written. */
#define FLUSH_USEC (USEC_PER_SEC / 2)

/* Records that may be collected: some MiB, and many seconds of the fastest traffic. */
#define COLLECTED_MAX 65536

/* Each service is described anew after so many records, so that the ring always has it. */
#define DESCRIBE_EACH (RECORDS_MAX / 4)

/* How long the daemon's end may wait for the file. */
#define END_USEC USEC_PER_SEC

/* What recorder and thread share. It is freed by the last of both, since the thread may hang. */
struct recorder_file {
    atomic_uint n_users;
    struct ring_file ring; /* of the thread alone, of which there is one at a time */
    atomic_uint_fast64_t n_lost;
    atomic_bool is_another; /* than before: it lacks the descriptions of services */
    atomic_int result;      /* of the last write: 0 or a negative errno */
    char *path;
};

/* Records on their way to the file. */
struct recorder_batch {
    struct recorder_file *file;
    bool was_run;
    size_t n;
    struct record records[];
};

struct recorder {
    struct recorder_file *file;
    struct siphash_key key;
    uint64_t epoch_usec; /* CLOCK_REALTIME when CLOCK_MONOTONIC was 0 */
    struct timer timer;
    struct limited_call *stuck;
    struct record *records; /* n of them, room for n_room; owned */
    size_t n;
    size_t n_room;
    uint64_t n_lost; /* for lack of room, not recorded yet */
    uint64_t n_since_described;
    uint64_t description; /* counts them, from a number that no other recorder of the process had */
    int told;             /* the error that was reported; 0: none */
};

/* The thread */

static void recorder_file_unref(struct recorder_file *file)
{
    if (atomic_fetch_sub(&file->n_users, 1) > 1)
        return;
    free(file->path);
    free(file);
}

static void recorder_batch_run(void *data)
{
    struct recorder_batch *batch = data;
    struct recorder_file *file = batch->file;
    uint64_t sequence = file->ring.sequence;
    int r = ring_file_write(&file->ring, file->path, batch->records, batch->n);

    batch->was_run = true;
    if (r == 0 && file->ring.sequence != sequence + batch->n)
        atomic_store(&file->is_another, true);
    if (r < 0)
        atomic_fetch_add(&file->n_lost, batch->n);
    atomic_store(&file->result, r);
}

static void recorder_batch_free(void *data)
{
    struct recorder_batch *batch = data;

    if (!batch->was_run)
        atomic_fetch_add(&batch->file->n_lost, batch->n);
    recorder_file_unref(batch->file);
    free(batch);
}

static const struct limited_work recorder_work = {recorder_batch_run, recorder_batch_free};

/* Writing */

static void recorder_tell(struct recorder *recorder)
{
    const struct subject subject = {.message_id = MESSAGE_ID_RECORDING_FAILED};
    int r = atomic_load(&recorder->file->result);

    if (r == recorder->told)
        return;
    recorder->told = r;
    if (r == 0)
        report_daemon(LOG_NOTICE, "records to %s again", recorder->file->path);
    else
        report(LOG_ERR, &subject, "cannot record to %s: %s; clients are served all the same",
               recorder->file->path,
               r == -EEXIST    ? "it is no regular file of the daemon's user alone"
               : r == -EBADMSG ? "it exists and is no recording"
                               : strerror(-r));
}

static void recorder_note_lost(struct recorder *recorder)
{
    uint64_t n_lost = recorder->n_lost + atomic_exchange(&recorder->file->n_lost, 0);

    recorder->n_lost = n_lost;
    if (n_lost == 0 || recorder->n == recorder->n_room)
        return;
    recorder->n_lost = 0;
    /* Descriptions may be among them. */
    recorder_describe_again(recorder);
    recorder->records[recorder->n++] =
        (struct record){.kind = RECORD_LOST,
                        .at = recorder->epoch_usec + time_now_usec(CLOCK_MONOTONIC),
                        .n_lost = n_lost};
}

/* Starts to write what was collected, unless the last of it is still being written. Waits so long
 * for both. */
static void recorder_flush(struct recorder *recorder, uint64_t limit_usec)
{
    struct recorder_file *file = recorder->file;

    if (limited_call_hangs(&recorder->stuck, limit_usec) || recorder->n == 0)
        return;
    recorder_note_lost(recorder);
    size_t size = recorder->n * sizeof(struct record);
    struct recorder_batch *batch = malloc(sizeof(*batch) + size);
    if (!batch)
        return;
    *batch = (struct recorder_batch){.file = file, .n = recorder->n};
    memcpy(batch->records, recorder->records, size);
    recorder->n = 0;
    atomic_fetch_add(&file->n_users, 1);
    if (limited_call(&recorder->stuck, &recorder_work, batch, limit_usec) == 0)
        recorder_batch_free(batch);
}

static void recorder_on_timer(void *userdata)
{
    struct recorder *recorder = userdata;

    if (!limited_call_hangs(&recorder->stuck, 0))
        recorder_tell(recorder);
    if (atomic_exchange(&recorder->file->is_another, false))
        recorder_describe_again(recorder);
    recorder_flush(recorder, 0);
    if (recorder->stuck || recorder->n > 0)
        timer_set_in(&recorder->timer, FLUSH_USEC);
}

/* Collecting */

static bool recorder_has_room(struct recorder *recorder)
{
    if (recorder->n < recorder->n_room)
        return true;
    if (recorder->n_room >= COLLECTED_MAX)
        return false;
    size_t n_room = recorder->n_room > 0 ? 2 * recorder->n_room : 256;
    struct record *records = reallocarray(recorder->records, n_room, sizeof(*records));
    if (!records)
        return false;
    recorder->records = records;
    recorder->n_room = n_room;
    return true;
}

static void recorder_add(struct recorder *recorder, const struct record *record)
{
    if (!recorder_has_room(recorder)) {
        recorder->n_lost++;
        return;
    }
    recorder->records[recorder->n++] = *record;
    if (++recorder->n_since_described >= DESCRIBE_EACH)
        recorder_describe_again(recorder);
    if (!timer_is_set(&recorder->timer))
        timer_set_in(&recorder->timer, FLUSH_USEC);
}

void recorder_describe_again(struct recorder *recorder)
{
    if (!recorder)
        return;
    recorder->description++;
    recorder->n_since_described = 0;
}

static uint16_t cut_16(unsigned value)
{
    return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

static uint32_t cut_32(uint64_t value)
{
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static struct record record_of(const struct recorder *recorder, enum record_kind kind,
                               const struct service_options *options, uint64_t monotonic_usec)
{
    return (struct record){
        .kind = kind,
        .service = record_service_hash(options->name),
        .at = recorder->epoch_usec + monotonic_usec,
    };
}

/* Its name and its options, if the ring may lack them. */
static void recorder_describe(struct recorder *recorder, struct recorded_state *state,
                              const struct service_options *options, uint64_t now)
{
    if (state->described == recorder->description)
        return;
    *state = (struct recorded_state){.described = recorder->description};
    struct record name = record_of(recorder, RECORD_SERVICE, options, now);
    strncpy(name.name, options->name, RECORD_NAME_MAX);
    recorder_add(recorder, &name);
    struct record record = record_of(recorder, RECORD_OPTIONS, options, now);
    record.options = record_options_of(options);
    recorder_add(recorder, &record);
}

/* The same 48 bits for a network, and 16 more for a source in it. */
static uint64_t hash_client(const struct siphash_key *key, const struct address *peer)
{
    const struct address network = source_network(peer);
    struct source source, around;

    if (!source_of(peer, &source) || !source_of(&network, &around))
        return 0;
    return (siphash(key, &around, sizeof(around)) & ~UINT64_C(0xffff)) |
           (siphash(key, &source, sizeof(source)) & UINT64_C(0xffff));
}

void recorder_add_connection(struct recorder *recorder, struct recorded_state *state,
                             const struct service_options *options, uint64_t arrived_at,
                             const struct address *peer, const struct record_connection *facts)
{
    if (!recorder)
        return;
    recorder_describe(recorder, state, options, arrived_at);
    struct record record = record_of(recorder, RECORD_CONNECTION, options, arrived_at);
    record.connection = *facts;
    record.connection.client = hash_client(&recorder->key, peer);
    recorder_add(recorder, &record);
}

void recorder_look_at_pool(struct recorder *recorder, struct recorded_state *state,
                           const struct service_options *options, const struct pool *pool,
                           uint64_t now)
{
    if (!recorder)
        return;
    bool is_known = state->described == recorder->description;
    if (is_known && state->n_starting == pool->n_starting && state->n_ready == pool->n_ready &&
        state->n_draining == pool->n_draining)
        return;
    recorder_describe(recorder, state, options, now);
    state->n_starting = pool->n_starting;
    state->n_ready = pool->n_ready;
    state->n_draining = pool->n_draining;
    struct record record = record_of(recorder, RECORD_POOL, options, now);
    record.pool = (struct record_pool){
        .n_starting = cut_16(pool->n_starting),
        .n_ready = cut_16(pool->n_ready),
        .n_draining = cut_16(pool->n_draining),
        .n_active = pool_load(pool),
        .n_waiting = pool->n_waiting,
    };
    recorder_add(recorder, &record);
}

void recorder_add_ready(struct recorder *recorder, struct recorded_state *state,
                        const struct service_options *options, uint64_t start_usec, uint64_t now)
{
    if (!recorder)
        return;
    recorder_describe(recorder, state, options, now);
    struct record record = record_of(recorder, RECORD_READY, options, now);
    record.worker = (struct record_worker){.usec = start_usec, .was_ready = true};
    recorder_add(recorder, &record);
}

void recorder_add_exit(struct recorder *recorder, struct recorded_state *state,
                       const struct service_options *options, const struct pool_worker *worker,
                       uint64_t left_at, enum decision_reason reason, uint64_t now)
{
    if (!recorder)
        return;
    recorder_describe(recorder, state, options, now);
    struct record record = record_of(recorder, RECORD_EXIT, options, now);
    uint64_t free_at = left_at > worker->load_fell_at ? left_at : worker->load_fell_at;
    record.worker = (struct record_worker){
        .usec = now - worker->started_at,
        .exit_usec = left_at > 0 ? cut_32(now - free_at) : 0,
        .n_total = cut_32(worker->n_total),
        .reason = (uint8_t)reason,
        .was_ready = worker->ready_at > 0,
    };
    recorder_add(recorder, &record);
}

uint64_t recorder_memory_due(const struct recorder *recorder, const struct recorded_state *state,
                             const struct pool *pool, uint64_t now)
{
    static const struct memory_watch never;

    if (!recorder)
        return USEC_INFINITY;
    return memory_watch_due(state->described == recorder->description ? &state->memory : &never,
                            pool, now);
}

void recorder_add_memory(struct recorder *recorder, struct recorded_state *state,
                         const struct service_options *options, const struct pool *pool,
                         const struct record_memory *memory, uint64_t now)
{
    if (!recorder)
        return;
    recorder_describe(recorder, state, options, now);
    memory_watch_looked(&state->memory, pool, now);
    if (memory->n_workers == 0 && memory->n_in_pool > 0)
        return;
    struct record record = record_of(recorder, RECORD_MEMORY, options, now);
    record.memory = *memory;
    recorder_add(recorder, &record);
}

/* Life */

int recorder_new(sd_event *event, const char *path, struct recorder **ret)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    struct recorder_file *file = calloc(1, sizeof(*file));
    char *copy = strdup(path);

    if (!recorder || !file || !copy) {
        free(recorder);
        free(file);
        free(copy);
        return -ENOMEM;
    }
    atomic_init(&file->n_users, 1);
    file->path = copy;
    recorder->file = file;
    recorder->description = time_now_usec(CLOCK_MONOTONIC);
    recorder->epoch_usec = time_now_usec(CLOCK_REALTIME) - time_now_usec(CLOCK_MONOTONIC);
    int r = siphash_key_random(&recorder->key);
    if (r == 0)
        r = timer_init(&recorder->timer, event, FLUSH_USEC / 4, recorder_on_timer, recorder);
    if (r < 0) {
        recorder_free(recorder);
        return r;
    }
    /* At once, so that an administrator soon hears of a file that cannot be written. */
    recorder_add(recorder,
                 &(struct record){.kind = RECORD_BEGIN, .at = time_now_usec(CLOCK_REALTIME)});
    recorder_flush(recorder, 0);
    *ret = recorder;
    return 0;
}

void recorder_free(struct recorder *recorder)
{
    if (!recorder)
        return;
    /* Half of it for what is being written, half for the rest. */
    recorder_flush(recorder, END_USEC / 2);
    recorder_tell(recorder);
    limited_call_forget(&recorder->stuck);
    timer_clear(&recorder->timer);
    recorder_file_unref(recorder->file);
    free(recorder->records);
    free(recorder);
}

const char *recorder_path(const struct recorder *recorder)
{
    return recorder->file->path;
}
