/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/request.h"

#include "base/macro.h"
#include "dispatcherd/fleet/fleet_key.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* Seconds after which the store forgets: longer than a window lasts. */
#define EXPIRY "90"

/* KEYS: the list of full keys, the state, the keys of the batch. ARGV: the host's name, how many
 * entries of the list it knows, an epoch if there is none, and a count and a rate for each key.
 *
 * A count is set, and only to more: neither a repeated nor a late batch can count anything twice.
 */
static const char script[] =
    "local now = redis.call('TIME')\n"
    "local epoch = redis.call('HGET', KEYS[2], 'epoch')\n"
    "if not epoch then\n"
    "  epoch = ARGV[3]\n"
    "  redis.call('HSET', KEYS[2], 'epoch', epoch)\n"
    "  redis.call('EXPIRE', KEYS[2], " EXPIRY ")\n"
    "end\n"
    "if #KEYS > 2 then\n"
    "  redis.call('HSET', KEYS[2], 'at', now[1])\n"
    "  redis.call('EXPIRE', KEYS[2], " EXPIRY ")\n"
    "end\n"
    "local sums = {}\n"
    "for i = 3, #KEYS do\n"
    "  local own, rate = tonumber(ARGV[2 * i - 2]), tonumber(ARGV[2 * i - 1])\n"
    "  local before, others = 0, 0\n"
    "  local all = redis.call('HGETALL', KEYS[i])\n"
    "  for j = 1, #all, 2 do\n"
    "    local n = tonumber(all[j + 1]) or 0\n"
    "    if all[j] == ARGV[1] then before = n else others = others + n end\n"
    "  end\n"
    "  if own > before then\n"
    "    redis.call('HSET', KEYS[i], ARGV[1], own)\n"
    "    redis.call('EXPIRE', KEYS[i], " EXPIRY ")\n"
    "    if others + before < rate and others + own >= rate then\n"
    "      redis.call('RPUSH', KEYS[1], KEYS[i] .. '=' .. string.format('%d', others + own))\n"
    "      redis.call('EXPIRE', KEYS[1], " EXPIRY ")\n"
    "    end\n"
    "  end\n"
    "  sums[#sums + 1] = before\n"
    "  sums[#sums + 1] = others\n"
    "end\n"
    "local known = tonumber(ARGV[2])\n"
    "if known > redis.call('LLEN', KEYS[1]) then known = 0 end\n"
    "local full = redis.call('LRANGE', KEYS[1], known, known + " TEXT_OF(
        FLEET_FULL_KEYS) " - 1)\n"
                         "return {now[1], now[2], redis.call('HGET', KEYS[2], 'at') or '0', epoch, "
                         "known + #full, full,\n"
                         "  sums}\n";

/* Before the keys: the command, the script, the number of keys; with them the list and the state;
 * and after them the name, the number of entries, the epoch. */
#define ARGUMENTS_MAX (3 + 2 + 3 + 3 * FLEET_BATCH_KEYS)

static int append(struct fleet_output *output, int n_arguments, const char **arguments)
{
    char *command;
    long long n = redisFormatCommandArgv(&command, n_arguments, arguments, NULL);

    if (n < 0)
        return -ENOMEM;
    if (output->n_sent > 0) {
        memmove(output->data, output->data + output->n_sent, output->n_bytes - output->n_sent);
        output->n_bytes -= output->n_sent;
        output->n_sent = 0;
    }
    size_t needed = output->n_bytes + (size_t)n;
    int r = needed > FLEET_OUTPUT_MAX ? -ENOBUFS : 0;
    if (r == 0 && needed > output->size) {
        char *data = realloc(output->data, needed);

        r = data ? 0 : -ENOMEM;
        if (data) {
            output->data = data;
            output->size = needed;
        }
    }
    if (r == 0) {
        memcpy(output->data + output->n_bytes, command, (size_t)n);
        output->n_bytes = needed;
    }
    redisFreeCommand(command);
    return r;
}

int fleet_request_auth(struct fleet_output *output, const char *password)
{
    const char *arguments[] = {"AUTH", password};

    return append(output, ELEMENTSOF(arguments), arguments);
}

int fleet_request_load(struct fleet_output *output)
{
    const char *arguments[] = {"SCRIPT", "LOAD", script};

    return append(output, ELEMENTSOF(arguments), arguments);
}

int fleet_request_batch(struct fleet_output *output, const char *sha, const char *name,
                        const char *epoch, const struct fleet_batch *batch)
{
    static char keys[FLEET_BATCH_KEYS][FLEET_KEY_MAX], counts[FLEET_BATCH_KEYS][2][12];
    char full[FLEET_KEY_MAX], n_keys[12], n_full[12];
    const char *arguments[ARGUMENTS_MAX];
    int n = 0;

    snprintf(n_keys, sizeof(n_keys), "%zu", batch->n_items + 2);
    snprintf(n_full, sizeof(n_full), "%" PRIu32, batch->n_full);
    fleet_key_format_full(batch->window, full);
    arguments[n++] = sha ? "EVALSHA" : "EVAL";
    arguments[n++] = sha ? sha : script;
    arguments[n++] = n_keys;
    arguments[n++] = full;
    arguments[n++] = FLEET_KEY_STATE;
    for (size_t i = 0; i < batch->n_items; i++) {
        fleet_key_format(&batch->items[i].key, batch->window, keys[i]);
        arguments[n++] = keys[i];
    }
    arguments[n++] = name;
    arguments[n++] = n_full;
    arguments[n++] = epoch;
    for (size_t i = 0; i < batch->n_items; i++) {
        snprintf(counts[i][0], sizeof(counts[i][0]), "%" PRIu32, batch->items[i].own);
        snprintf(counts[i][1], sizeof(counts[i][1]), "%" PRIu32, batch->items[i].key.max_rate);
        arguments[n++] = counts[i][0];
        arguments[n++] = counts[i][1];
    }
    return append(output, n, arguments);
}
