/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A recording from anywhere: it is read, measured and replayed without a fault, however wrong its
 * times and numbers are. The checksums are made right first, or nothing would be read. */
#include "recording/recording.h"
#include "simulate/measure.h"
#include "simulate/replay.h"

#include <stdlib.h>
#include <string.h>

/* More would be slow, not different. */
#define RECORDS_TRIED 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Only what decodes after the kind and the place were set is left as it is. */
static void seal(uint8_t *bytes, size_t n)
{
    for (size_t i = 1; i <= n; i++) {
        uint8_t *place = bytes + RECORD_BYTES * i;
        struct record record = {
            .kind = (enum record_kind)(RECORD_BEGIN + place[23] % (N_RECORD_KINDS - RECORD_BEGIN)),
            .sequence = i,
        };

        /* An hour, in which no limit leads to too many moments. */
        memcpy(&record.at, place + 16, 4);
        memcpy(&record.connection, place + 24, sizeof(record.connection));
        record.connection.session_usec &= UINT32_MAX;
        record.connection.is_tls = place[24] & 1;
        record.connection.was_handed = place[25] & 1;
        if (record.kind == RECORD_READY || record.kind == RECORD_EXIT)
            record.worker.was_ready = place[24] & 1;
        if (record.kind == RECORD_MEMORY)
            record.memory.kib &= UINT32_MAX;
        if (record.kind == RECORD_SERVICE)
            memcpy(record.name, place[24] & 1 ? "SMTP" : "IMAP", sizeof("SMTP"));
        record.service = record_service_hash(place[4] & 1 ? "SMTP" : "IMAP");
        record_encode(&record, place);
    }
}

static void try(const uint8_t *bytes, size_t size)
{
    const struct settings settings = {0};
    struct recording recording;
    struct course course;

    if (recording_parse(bytes, size, &recording) < 0)
        return;
    for (size_t i = 0; i < recording.n_services; i++) {
        if (measure(&recording, &recording.services[i], &course) == 0)
            course_clear(&course);
        if (replay(&recording, &recording.services[i], &settings, &course) == 0)
            course_clear(&course);
    }
    recording_clear(&recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size / RECORD_BYTES < RECORDS_TRIED ? size / RECORD_BYTES : RECORDS_TRIED;

    /* As it is, and sealed. */
    try(data,
        size < RECORD_BYTES * (RECORDS_TRIED + 1) ? size : RECORD_BYTES * (RECORDS_TRIED + 1));
    if (n == 0)
        return 0;
    uint8_t *bytes = calloc(n + 1, RECORD_BYTES);
    if (!bytes)
        return 0;
    memcpy(bytes + RECORD_BYTES, data, n * RECORD_BYTES);
    record_header_encode(RECORDS_TRIED, bytes);
    seal(bytes, n);
    try(bytes, (n + 1) * RECORD_BYTES);
    free(bytes);
    return 0;
}
