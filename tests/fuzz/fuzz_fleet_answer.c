/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Bytes of a fleet's store, in chunks whose length is the first byte: they are answers, or none,
 * but never more than the ledger has asked for; and a throttle whose ledger has taken them in
 * counts on. */
#include "dispatcherd/fleet/ledger.h"
#include "dispatcherd/fleet/reply.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW UINT64_C(1000000000)

static void take(struct fleet_ledger *ledger, const struct redisReply *reply)
{
    static struct fleet_answer answer;

    (void)fleet_reply_error(reply);
    (void)fleet_reply_text(reply);
    if (!fleet_reply_answer(reply, &answer))
        return;
    assert(answer.n_sums <= FLEET_BATCH_KEYS && answer.n_full_keys <= FLEET_FULL_KEYS);
    assert(answer.n_open <= FLEET_BATCH_OPEN && answer.n_told <= FLEET_BATCH_OPEN);
    assert(strlen(answer.epoch) < FLEET_EPOCH_MAX);
    (void)fleet_ledger_answer(ledger, &answer, NOW + 1000);
}

static void read_all(struct fleet_ledger *ledger, const uint8_t *data, size_t size, size_t chunk)
{
    struct fleet_reader *reader = fleet_reader_new();

    assert(reader);
    while (size > 0) {
        size_t n = chunk < size ? chunk : size;
        const struct redisReply *reply = NULL;

        if (fleet_reader_feed(reader, data, n) < 0)
            break;
        while (fleet_reader_next(reader, &reply) == 0 && reply)
            take(ledger, reply);
        data += n;
        size -= n;
    }
    fleet_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct siphash_key secret = {{1, 2}};
    const struct address client = {.family = AF_INET, .bytes = {192, 0, 2, 1}};
    struct throttle_view view, later;
    const struct open_key key = {.source = {.family = AF_INET, .prefix = {192, 0, 2, 1}},
                                 .service = "smtp"};
    struct fleet_ledger *ledger;
    struct open_counts *open;
    struct throttle *throttle;

    if (size == 0)
        return 0;
    int r = throttle_new(16, &secret, &throttle);
    assert(r == 0);
    r = fleet_ledger_new(throttle, UINT64_C(1796000000000000), NOW, &ledger);
    assert(r == 0);
    r = open_counts_new(&secret, &open);
    assert(r == 0);
    fleet_ledger_share_open(ledger, open);
    open_counts_set(open, &key, 1, 4, NOW);
    (void)throttle_count(throttle, THROTTLE_PLAIN, &client, 10, NOW, &view);
    fleet_ledger_begin(ledger, NOW);
    for (unsigned i = 0; i < 4; i++)
        (void)fleet_ledger_send(ledger, NOW);
    read_all(ledger, data + 1, size - 1, data[0] > 0 ? data[0] : 256);
    (void)throttle_count(throttle, THROTTLE_PLAIN, &client, 10, NOW + 2000, &later);
    assert(later.own >= 1);
    fleet_ledger_free(ledger);
    open_counts_free(open);
    throttle_free(throttle);
    return 0;
}
