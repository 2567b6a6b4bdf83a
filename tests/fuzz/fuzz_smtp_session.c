/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A whole SMTP session from bytes. The octet RS (0x1e) ends what the client sends before it waits
 * for the server, so that commands which must not be pipelined are reached too. The octet GS (0x1d)
 * is a handshake of TLS, if one is awaited; whatever else comes then makes it fail.
 *
 * Beside what the sanitizers see it is checked that every reply is one, that there is a message for
 * each 250 and none without, that no message holds what was to be refused, that tmp is empty
 * afterwards, and that nothing which came before the handshake counts after it. */
#include "base/log.h"
#include "base/macro.h"
#include "workers/tcp_smtp_server/maildir.h"
#include "workers/tcp_smtp_server/session.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define WAITS_FOR_SERVER '\x1e'
#define SHAKES_HANDS     '\x1d'
#define CHECK(condition)                                                                           \
    do                                                                                             \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "not true: %s\n", #condition);                                         \
            abort();                                                                               \
        }                                                                                          \
    while (0)

struct client {
    const char *start, *next, *end;
    bool is_waiting; /* for the server to ask for more */
    char *replies;
    size_t n_replied;
    size_t tls_from; /* where in the replies those over TLS begin */
    bool has_tls;
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

static bool ends_in(const char *text, size_t length, const char *end)
{
    size_t n = strlen(end);

    return length >= n && strncasecmp(text + length - n, end, n) == 0;
}

/* The reply that allows it was sent, nothing that came after the command was taken, and nothing is
 * on its way by other means. */
static enum tls_failure client_start_tls(void *userdata, _unused_ bool client_asks,
                                         const struct tls_facts **ret)
{
    static const struct tls_facts facts = {.protocol = "TLSv1.3", .suite = "TLS_X"};
    struct client *client = userdata;
    size_t n_taken = (size_t)(client->next - client->start);

    CHECK(!client->has_tls);
    CHECK(ends_in(client->replies, client->n_replied, "220 2.0.0 Ready to start TLS\r\n"));
    while (n_taken > 0 && client->start[n_taken - 1] == WAITS_FOR_SERVER)
        n_taken--;
    CHECK(n_taken > 2 && client->start[n_taken - 1] == '\n');
    if (client->next < client->end && *client->next == WAITS_FOR_SERVER)
        client->next++;
    if (client->next == client->end || *client->next++ != SHAKES_HANDS)
        return TLS_FAILED_PLAIN_TEXT;
    client->has_tls = true;
    client->tls_from = client->n_replied;
    *ret = &facts;
    return TLS_NO_FAILURE;
}

/* A sender is taken only after the client has greeted again. */
static void check_replies_over_tls(const struct client *client)
{
    const char *replies = client->has_tls ? client->replies + client->tls_from : "";
    const char *sender = strstr(replies, "250 2.1.0 "), *greeting = strstr(replies, "mx.example");

    CHECK(!sender || (greeting && greeting < sender));
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
    struct client client = {.start = (const char *)data,
                            .next = (const char *)data,
                            .end = (const char *)data + size,
                            .is_waiting = true};
    const struct transport transport = {
        .receive = client_receive,
        .send = client_send,
        .has_input = client_has_input,
        .end_output = client_end_output,
        .start_tls = client_start_tls,
        .userdata = &client,
    };

    if (!settings.maildir)
        set_up();
    session_run_over(&settings, &peer, &transport);
    CHECK(client.replies != NULL);
    check_replies_over_tls(&client);
    CHECK(check_replies(client.replies) == take_messages(settings.maildir, "new"));
    CHECK(take_messages(settings.maildir, "tmp") == 0);
    free(client.replies);
    return 0;
}
