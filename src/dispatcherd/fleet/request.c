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

/* Seconds after which the store forgets: longer than a minute lasts, as a key's expiry is longer
 * than its window; and how long a host's count of open connections is valid. */
#define EXPIRY      "90"
#define OPEN_EXPIRY "15"

#define FULL_MAX TEXT_OF(FLEET_FULL_KEYS)
#define TOLD_MAX TEXT_OF(FLEET_BATCH_OPEN)

/* KEYS: the list of full keys, the state, what was told of open connections, their totals; the
 * batch's keys, and its keys of open connections. ARGV: the host's name, how many entries of the
 * list it knows, an epoch if there is none, how many keys the batch has, up to where it knows what
 * was told ("-": nothing is to be told); and for each key a
 * count, a rate and an expiry.
 *
 * A count is set, and only to more: neither a repeated nor a late batch can count anything twice.
 *
 * All that one batch made known has one time in the list of what was told, and is at most as much
 * as one answer takes. What is cut off in the middle is left to the next answer as a whole, since
 * that begins after the time up to which the host knows the list. */
static const char script[] =
    "local now = redis.call('TIME')\n"
    "local epoch = redis.call('HGET', KEYS[2], 'epoch')\n"
    "if not epoch then\n"
    "  epoch = ARGV[3]\n"
    "  redis.call('HSET', KEYS[2], 'epoch', epoch)\n"
    "  redis.call('EXPIRE', KEYS[2], " EXPIRY ")\n"
    "end\n"
    "if #KEYS > 4 then\n"
    "  redis.call('HSET', KEYS[2], 'at', now[1])\n"
    "  redis.call('EXPIRE', KEYS[2], " EXPIRY ")\n"
    "end\n"
    "local sums, last = {}, 4 + tonumber(ARGV[4])\n"
    "for i = 5, last do\n"
    "  local own, rate = tonumber(ARGV[3 * i - 9]), tonumber(ARGV[3 * i - 8])\n"
    "  local before, others = 0, 0\n"
    "  local all = redis.call('HGETALL', KEYS[i])\n"
    "  for j = 1, #all, 2 do\n"
    "    local n = tonumber(all[j + 1]) or 0\n"
    "    if all[j] == ARGV[1] then before = n else others = others + n end\n"
    "  end\n"
    "  if own > before then\n"
    "    redis.call('HSET', KEYS[i], ARGV[1], own)\n"
    "    redis.call('EXPIRE', KEYS[i], ARGV[3 * i - 7])\n"
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
    "local full = redis.call('LRANGE', KEYS[1], known, known + " FULL_MAX " - 1)\n"
    "local answer = {now[1], now[2], redis.call('HGET', KEYS[2], 'at') or '0', epoch,\n"
    "  known + #full, full, sums}\n"
    "if ARGV[5] == '-' then return answer end\n"
    "local opens, time = {}, now[1] * 1000000 + now[2]\n"
    "for i = last + 1, #KEYS do\n"
    "  local own, limit = tonumber(ARGV[3 * i - 9]), tonumber(ARGV[3 * i - 8])\n"
    "  local others, all = 0, redis.call('HGETALL', KEYS[i])\n"
    "  for j = 1, #all, 2 do\n"
    "    local n, at = string.match(all[j + 1], '^(%d+)@(%d+)$')\n"
    "    if not n or math.abs(now[1] - at) > " OPEN_EXPIRY " then\n"
    "      redis.call('HDEL', KEYS[i], all[j])\n"
    "    elseif all[j] ~= ARGV[1] then\n"
    "      others = others + n\n"
    "    end\n"
    "  end\n"
    "  if own > 0 then\n"
    "    redis.call('HSET', KEYS[i], ARGV[1], own .. '@' .. now[1])\n"
    "    redis.call('EXPIRE', KEYS[i], ARGV[3 * i - 7])\n"
    "  else\n"
    "    redis.call('HDEL', KEYS[i], ARGV[1])\n"
    "  end\n"
    "  local total = own + others\n"
    "  if limit == 0 or total < limit then total = 0 end\n"
    "  if total > 0 or redis.call('HGET', KEYS[4], KEYS[i]) then\n"
    "    if total > 0 then redis.call('HSET', KEYS[4], KEYS[i], total)\n"
    "    else redis.call('HDEL', KEYS[4], KEYS[i]) end\n"
    "    redis.call('ZADD', KEYS[3], time, KEYS[i])\n"
    "    redis.call('EXPIRE', KEYS[3], " EXPIRY ")\n"
    "    redis.call('EXPIRE', KEYS[4], " EXPIRY ")\n"
    "  end\n"
    "  opens[#opens + 1] = others\n"
    "end\n"
    "redis.call('ZREMRANGEBYSCORE', KEYS[3], time + 1000000, '+inf')\n"
    "for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf',\n"
    "    time - 2 * " OPEN_EXPIRY "000000, 'LIMIT', 0, 100)) do\n"
    "  redis.call('ZREM', KEYS[3], key)\n"
    "  redis.call('HDEL', KEYS[4], key)\n"
    "end\n"
    "local mark, told = tonumber(ARGV[5]), {}\n"
    "if mark > time then mark = 0 end\n"
    "local list = redis.call('ZRANGEBYSCORE', KEYS[3],\n"
    "  '(' .. string.format('%.0f', mark), '+inf', 'WITHSCORES', 'LIMIT', 0, " TOLD_MAX ")\n"
    "if #list == 2 * " TOLD_MAX " and list[2] ~= list[#list] then\n"
    "  local score = list[#list]\n"
    "  while list[#list] == score do\n"
    "    table.remove(list)\n"
    "    table.remove(list)\n"
    "  end\n"
    "end\n"
    "for j = 1, #list, 2 do\n"
    "  told[j] = list[j]\n"
    "  told[j + 1] = redis.call('HGET', KEYS[4], list[j]) or '0'\n"
    "  mark = tonumber(list[j + 1])\n"
    "end\n"
    "answer[8] = opens\n"
    "answer[9] = string.format('%.0f', mark)\n"
    "answer[10] = told\n"
    "return answer\n";

/* Before the keys: the command, the script, the number of keys; with them the list, the state and
 * what was told with the totals; and after them the name, the number of entries, the epoch, the
 * number of keys, the mark. */
#define KEYS_FIXED    4
#define ARGUMENTS_MAX (3 + KEYS_FIXED + 5 + 4 * (FLEET_BATCH_KEYS + FLEET_BATCH_OPEN))

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

struct numbers {
    char count[12], rate[12], expiry[24];
};

static void put_numbers(struct numbers *numbers, uint32_t count, uint32_t rate,
                        uint64_t window_usec)
{
    snprintf(numbers->count, sizeof(numbers->count), "%" PRIu32, count);
    snprintf(numbers->rate, sizeof(numbers->rate), "%" PRIu32, rate);
    snprintf(numbers->expiry, sizeof(numbers->expiry), "%" PRIu64, window_usec * 3 / 2 / 1000000);
}

int fleet_request_batch(struct fleet_output *output, const char *sha, const char *name,
                        const char *epoch, const struct fleet_batch *batch)
{
    static char keys[FLEET_BATCH_KEYS + FLEET_BATCH_OPEN][FLEET_KEY_MAX];
    static struct numbers numbers[FLEET_BATCH_KEYS + FLEET_BATCH_OPEN];
    static const char *arguments[ARGUMENTS_MAX];
    char full[FLEET_KEY_MAX], n_keys[12], n_full[12], n_items[12], mark[24] = "-";
    size_t n_all = batch->n_items + batch->n_open;
    int n = 0;

    for (size_t i = 0; i < batch->n_items; i++) {
        fleet_key_format(&batch->items[i].key, batch->items[i].window, keys[i]);
        put_numbers(&numbers[i], batch->items[i].own, batch->items[i].key.max_rate,
                    throttle_window_usec(&batch->items[i].key));
    }
    for (size_t i = 0; i < batch->n_open; i++) {
        fleet_key_format_open(&batch->open[i].key, keys[batch->n_items + i]);
        put_numbers(&numbers[batch->n_items + i], batch->open[i].own, batch->open[i].limit,
                    THROTTLE_WINDOW_USEC);
    }
    snprintf(n_keys, sizeof(n_keys), "%zu", n_all + KEYS_FIXED);
    snprintf(n_full, sizeof(n_full), "%" PRIu32, batch->n_full);
    snprintf(n_items, sizeof(n_items), "%zu", batch->n_items);
    if (batch->has_open)
        snprintf(mark, sizeof(mark), "%" PRIu64, batch->open_mark);
    fleet_key_format_full(batch->window, full);
    arguments[n++] = sha ? "EVALSHA" : "EVAL";
    arguments[n++] = sha ? sha : script;
    arguments[n++] = n_keys;
    arguments[n++] = full;
    arguments[n++] = FLEET_KEY_STATE;
    arguments[n++] = FLEET_KEY_TOLD;
    arguments[n++] = FLEET_KEY_TOTALS;
    for (size_t i = 0; i < n_all; i++)
        arguments[n++] = keys[i];
    arguments[n++] = name;
    arguments[n++] = n_full;
    arguments[n++] = epoch;
    arguments[n++] = n_items;
    arguments[n++] = mark;
    for (size_t i = 0; i < n_all; i++) {
        arguments[n++] = numbers[i].count;
        arguments[n++] = numbers[i].rate;
        arguments[n++] = numbers[i].expiry;
    }
    return append(output, n, arguments);
}
