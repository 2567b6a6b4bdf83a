/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How much of a list that comes in parts is asked for. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherctl/query/query.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Of two connections each, one of which is Tom's. */
#define PARTS 4

/* A daemon that has answered already. */
static int answer(int fd)
{
    for (int i = 0; i < PARTS; i++) {
        char reply[256], next[16] = "null";

        if (i + 1 < PARTS)
            snprintf(next, sizeof(next), "\"S/%d\"", i + 1);
        int length = snprintf(reply, sizeof(reply),
                              "{\"parameters\":{\"now\":{\"monotonic\":9},\"next\":%s,"
                              "\"connections\":[{\"ident_user\":\"tom\"},{}]}}",
                              next);
        ck_assert_int_eq(send(fd, reply, (size_t)length + 1, 0), length + 1);
    }
    return fd;
}

static unsigned count_calls(int fd)
{
    char bytes[4096];
    ssize_t length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    unsigned n = 0;

    for (ssize_t i = 0; i < length; i++)
        n += bytes[i] == '\0';
    return n;
}

/* So many calls are made, and so many rows are in the reply. */
static void check(const struct selection *selection, unsigned n_calls, size_t n_rows)
{
    const struct request request = {.limit_usec = 10 * USEC_PER_SEC, .selection = *selection};
    json_auto_t *reply = NULL;
    struct client client;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    client_use(&pair[0], &client);
    answer(pair[1]);
    ck_assert_int_eq(
        query_call(&client, &request, "Connections", "connections", USEC_INFINITY, &reply), 0);
    ck_assert_uint_eq(count_calls(pair[1]), n_calls);
    const json_t *parameters = json_object_get(reply, "parameters");
    ck_assert_uint_eq(json_array_size(json_object_get(parameters, "connections")), n_rows);
    client_close(&client);
    fd_close(pair[1]);
}

static struct selection parse(const char *limit, const char *user, const char *sort)
{
    const char *texts[N_SELECTION_OPTIONS] = {
        [SELECTION_LIMIT] = limit, [SELECTION_USER] = user, [SELECTION_SORT] = sort};
    char reason[SELECTION_REASON_MAX];
    struct selection selection;

    ck_assert_int_eq(selection_parse(texts, LIST_OF_CONNECTIONS, &selection, reason), 0);
    return selection;
}

START_TEST(test_no_more_is_asked_for_than_is_wanted)
{
    static const struct {
        const char *limit, *user, *sort;
        unsigned n_calls;
    } cases[] = {
        {NULL, NULL, NULL, PARTS}, {"1", NULL, NULL, 1},        {"2", NULL, NULL, 1},
        {"3", NULL, NULL, 2},      {"1000", NULL, NULL, PARTS}, {"1", "tom", NULL, 1},
        {"2", "tom", NULL, 2},     {"1", "ann", NULL, PARTS},   {"1", NULL, "age", PARTS},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct selection selection = parse(cases[i].limit, cases[i].user, cases[i].sort);

        check(&selection, cases[i].n_calls, 2 * (size_t)cases[i].n_calls);
    }
}
END_TEST

SUITE("query", NULL, NULL, test_no_more_is_asked_for_than_is_wanted)
