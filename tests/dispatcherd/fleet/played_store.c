/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/played_store.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "support/suite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The words of a batch before its keys, and the keys that each has (dispatcherd/fleet/request.c).
 */
#define N_BEFORE  3
#define KEYS_EACH 4

static void forget_words(struct played_store *store)
{
    for (size_t i = 0; i < store->n_words; i++)
        free(store->words[i]);
    store->n_words = 0;
}

void played_store_hang_up(struct played_store *store)
{
    store->source = sd_event_source_disable_unref(store->source);
    store->fd = fd_close(store->fd);
    store->n_input = 0;
}

void played_store_send(struct played_store *store, const char *bytes)
{
    size_t size = strlen(bytes);

    ck_assert_int_eq(send(store->fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static size_t n_all_keys(const struct played_store *store)
{
    return strtoul(store->words[2], NULL, 10);
}

size_t played_store_n_keys(const struct played_store *store)
{
    return n_all_keys(store) - KEYS_EACH;
}

const char *played_store_key(const struct played_store *store, size_t number)
{
    ck_assert_uint_lt(N_BEFORE + KEYS_EACH + number, store->n_words);
    return store->words[N_BEFORE + KEYS_EACH + number];
}

const char *played_store_argument(const struct played_store *store, size_t number)
{
    ck_assert_uint_lt(N_BEFORE + n_all_keys(store) + number, store->n_words);
    return store->words[N_BEFORE + n_all_keys(store) + number];
}

/* The numbers of others, for each key whose window or whose open connections are counted. */
static void add_sums(const struct played_store *store, size_t n, bool has_own, char **text)
{
    *text += sprintf(*text, "*%zu\r\n", has_own ? 2 * n : n);
    for (size_t i = 0; i < n; i++)
        *text += sprintf(*text, "%s:%" PRIu32 "\r\n", has_own ? ":0\r\n" : "", store->others);
}

static void answer_batch(struct played_store *store)
{
    uint64_t now = time_now_usec(CLOCK_REALTIME) + (uint64_t)store->skew_usec;
    size_t n_items = strtoul(played_store_argument(store, 3), NULL, 10);
    bool has_open = strcmp(played_store_argument(store, 4), "-") != 0;
    char text[2048], *end = text;

    end += sprintf(end, "*%d\r\n:%" PRIu64 "\r\n:%" PRIu64 "\r\n:0\r\n$4\r\nabcd\r\n:0\r\n*0\r\n",
                   has_open ? 10 : 7, now / USEC_PER_SEC, now % USEC_PER_SEC);
    add_sums(store, n_items, true, &end);
    if (has_open) {
        add_sums(store, played_store_n_keys(store) - n_items, false, &end);
        end += sprintf(end, ":0\r\n*0\r\n");
    }
    played_store_send(store, text);
}

static void answer(struct played_store *store)
{
    const char *text = NULL;

    if (strcmp(store->words[0], "AUTH") == 0) {
        store->n_auths++;
        snprintf(store->password, sizeof(store->password), "%s", store->words[1]);
        text = store->to_auth ? store->to_auth : "+OK\r\n";
    } else if (strcmp(store->words[0], "SCRIPT") == 0) {
        store->n_loads++;
        text = store->to_load ? store->to_load : "$40\r\n" PLAYED_SHA "\r\n";
    } else {
        ck_assert_str_eq(store->words[0], "EVALSHA");
        ck_assert_str_eq(store->words[1], PLAYED_SHA);
        store->n_batches++;
        text = store->to_batch;
    }
    if (text)
        played_store_send(store, text);
    else
        answer_batch(store);
}

/* The number behind a "*" or "$", and where its line ends; NULL: it is not there yet. */
static const char *read_number(const char *bytes, const char *end, size_t *ret)
{
    const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));

    *ret = line_end ? strtoul(bytes + 1, NULL, 10) : 0;
    return line_end ? line_end + 1 : NULL;
}

/* Goes through the first command of the input, and notes its words if `notes`. Returns its end;
 * NULL: it is not whole yet. */
static const char *scan_command(struct played_store *store, bool notes)
{
    const char *end = store->input + store->n_input;
    size_t n, length;

    const char *bytes = read_number(store->input, end, &n);
    for (size_t i = 0; bytes && i < n; i++) {
        bytes = read_number(bytes, end, &length);
        if (!bytes || length + 2 > (size_t)(end - bytes))
            return NULL;
        if (notes && store->n_words < PLAYED_WORDS_MAX)
            store->words[store->n_words++] = strndup(bytes, length);
        bytes += length + 2;
    }
    return bytes;
}

/* Takes the first command from the input. Returns false if it is not whole yet. */
static bool read_command(struct played_store *store)
{
    const char *command_end = scan_command(store, false);

    if (!command_end)
        return false;
    forget_words(store);
    (void)scan_command(store, true);
    store->n_input -= (size_t)(command_end - store->input);
    memmove(store->input, command_end, store->n_input);
    return true;
}

static int on_input(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
                    void *userdata)
{
    struct played_store *store = userdata;

    ssize_t n = recv(fd, store->input + store->n_input, sizeof(store->input) - store->n_input,
                     MSG_DONTWAIT);
    if (n <= 0) {
        played_store_hang_up(store);
        return 0;
    }
    store->n_input += (size_t)n;
    while (store->fd >= 0 && read_command(store))
        answer(store);
    return 0;
}

static int on_client(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
                     void *userdata)
{
    struct played_store *store = userdata;

    played_store_hang_up(store);
    store->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(store->fd, 0);
    store->n_connections++;
    if (!store->reads_nothing)
        ck_assert_int_ge(
            sd_event_add_io(store->event, &store->source, store->fd, EPOLLIN, on_input, store), 0);
    return 0;
}

void played_store_come_back(struct played_store *store)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/store", store->folder);
    store->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(store->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(store->listener, 8), 0);
    ck_assert_int_ge(sd_event_add_io(store->event, &store->listener_source, store->listener,
                                     EPOLLIN, on_client, store),
                     0);
}

void played_store_start(struct played_store *store, sd_event *event)
{
    memset(store, 0, sizeof(*store));
    store->event = event;
    store->fd = -1;
    strcpy(store->folder, "/tmp/store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(store->folder));
    snprintf(store->address, sizeof(store->address), "unix:%s/store", store->folder);
    played_store_come_back(store);
}

void played_store_go_away(struct played_store *store)
{
    played_store_hang_up(store);
    store->listener_source = sd_event_source_disable_unref(store->listener_source);
    store->listener = fd_close(store->listener);
    (void)unlink(store->address + strlen("unix:"));
}

void played_store_end(struct played_store *store)
{
    played_store_go_away(store);
    forget_words(store);
    rmdir(store->folder);
}
