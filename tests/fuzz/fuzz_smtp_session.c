/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A whole SMTP session from bytes. The octet RS (0x1e) ends what the client sends before it waits
 * for the server, so that commands which must not be pipelined are reached too.
 *
 * Beside what the sanitizers see it is checked that every reply is one, that there is a message for
 * each 250 and none without, that no message holds what was to be refused, and that tmp is empty
 * afterwards. */
#include "base/log.h"
#include "base/macro.h"
#include "workers/tcp_smtp_server/maildir.h"
#include "workers/tcp_smtp_server/session.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITS_FOR_SERVER '\x1e'
#define CHECK(condition)                                                                           \
    do                                                                                             \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "not true: %s\n", #condition);                                         \
            abort();                                                                               \
        }                                                                                          \
    while (0)

struct client {
    const char *next, *end;
    bool is_waiting; /* for the server to ask for more */
    char *replies;
    size_t n_replied;
};

static ssize_t client_receive(void *userdata, void *buffer, size_t size,
                              struct deadline deadline _unused_)
{
    struct client *client = userdata;
    char *output = buffer;
    size_t n = 0;

    client->is_waiting = false;
    while (n < size && client->next < client->end) {
        char c = *client->next++;

        if (c != WAITS_FOR_SERVER) {
            output[n++] = c;
        } else if (n > 0) {
            client->is_waiting = true;
            break;
        }
    }
    return (ssize_t)n;
}

static int client_send(void *userdata, const void *bytes, size_t n_bytes,
                       uint64_t deadline_usec _unused_)
{
    struct client *client = userdata;

    client->replies = realloc(client->replies, client->n_replied + n_bytes + 1);
    CHECK(client->replies != NULL);
    memcpy(client->replies + client->n_replied, bytes, n_bytes);
    client->n_replied += n_bytes;
    client->replies[client->n_replied] = '\0';
    return 0;
}

static bool client_has_input(void *userdata)
{
    const struct client *client = userdata;

    return !client->is_waiting && client->next < client->end && *client->next != WAITS_FOR_SERVER;
}

static void client_end_output(void *userdata _unused_)
{
}

/* Returns the number of messages that the client believes to be delivered. */
static size_t check_replies(char *replies)
{
    size_t n_delivered = 0;

    while (*replies) {
        char *end = strstr(replies, "\r\n");

        CHECK(end != NULL);
        *end = '\0';
        CHECK(end - replies >= 4 && end - replies <= 510);
        CHECK(strspn(replies, "0123456789") == 3 && strchr("2345", replies[0]));
        CHECK(replies[3] == ' ' || replies[3] == '-');
        CHECK(strpbrk(replies, "\r\n") == NULL);
        n_delivered += strncmp(replies, "250 2.0.0 Delivered", 19) == 0;
        replies = end + 2;
    }
    return n_delivered;
}

static void check_message(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY);
    char block[4096];
    ssize_t n;

    CHECK(fd >= 0);
    while ((n = read(fd, block, sizeof(block))) > 0)
        CHECK(!memchr(block, '\r', (size_t)n) && !memchr(block, '\0', (size_t)n));
    close(fd);
    unlinkat(folder, name, 0);
}

/* Empties the folder and returns how many files there were. */
static size_t take_messages(const char *maildir, const char *part)
{
    struct dirent *entry;
    char path[128];
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/%s", maildir, part);
    DIR *folder = opendir(path);
    CHECK(folder != NULL);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.') {
            check_message(dirfd(folder), entry->d_name);
            n++;
        }
    closedir(folder);
    return n;
}

static struct session_settings settings;

static void tear_down(void)
{
    static const char *const parts[] = {"/tmp", "/new", "/cur", ""};
    char path[128];

    for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
        snprintf(path, sizeof(path), "%s%s", settings.maildir, parts[i]);
        (void)rmdir(path);
    }
    session_settings_clear(&settings);
}

/* Memory is quicker than a disk, and nobody wants what is delivered. */
static void set_up(void)
{
    static char path[] = "/dev/shm/fuzz_smtp.XXXXXX";

    log_set_max_priority(-1);
    CHECK(mkdtemp(path));
    CHECK(session_settings_init(&settings, "SMTP", "mx.example") == 0);
    settings.maildir = strdup(path);
    CHECK(session_settings_complete(&settings) == 0);
    CHECK(maildir_make(settings.maildir) == 0);
    settings.max_message_octets = 2000;
    CHECK(atexit(tear_down) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct session_peer peer = {
        .connection_id = "0123456789abcdef", .host = "2001:db8::1", .port = 4711};
    struct client client = {
        .next = (const char *)data, .end = (const char *)data + size, .is_waiting = true};
    const struct transport transport = {
        .receive = client_receive,
        .send = client_send,
        .has_input = client_has_input,
        .end_output = client_end_output,
        .userdata = &client,
    };

    if (!settings.maildir)
        set_up();
    session_run_over(&settings, &peer, &transport);
    CHECK(client.replies != NULL);
    CHECK(check_replies(client.replies) == take_messages(settings.maildir, "new"));
    CHECK(take_messages(settings.maildir, "tmp") == 0);
    free(client.replies);
    return 0;
}
