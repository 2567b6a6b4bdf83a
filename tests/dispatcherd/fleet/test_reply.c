/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "dispatcherd/fleet/reply.h"

#include <errno.h>
#include <string.h>

#ifdef HAVE_HIREDIS
#define HEAD "*7\r\n$10\r\n1796000001\r\n$6\r\n123456\r\n$10\r\n1796000000\r\n$4\r\nabcd\r\n:1\r\n"
#define FULL "$47\r\ndispatcherd:{fleet}:29933333:c:10:4:c0000201=12\r\n"

static struct fleet_reader *reader;
static struct fleet_answer answer;

static void setup(void)
{
    reader = fleet_reader_new();
    ck_assert_ptr_nonnull(reader);
}

static void teardown(void)
{
    fleet_reader_free(reader);
}

/* Feeds one byte at a time. Returns the first whole reply, or NULL. */
static const struct redisReply *read_reply(const char *bytes)
{
    const struct redisReply *reply = NULL;

    for (; *bytes && !reply; bytes++)
        if (fleet_reader_feed(reader, bytes, 1) < 0 || fleet_reader_next(reader, &reply) < 0)
            return NULL;
    return reply;
}

START_TEST(test_reads_what_the_script_answers)
{
    const struct redisReply *reply = read_reply(HEAD "*1\r\n" FULL "*2\r\n:3\r\n:4294967297\r\n");

    ck_assert_ptr_nonnull(reply);
    ck_assert(fleet_reply_answer(reply, &answer));
    ck_assert_uint_eq(answer.store_usec, UINT64_C(1796000001123456));
    ck_assert_uint_eq(answer.active_sec, 1796000000);
    ck_assert_str_eq(answer.epoch, "abcd");
    ck_assert_uint_eq(answer.n_full, 1);
    ck_assert_uint_eq(answer.n_full_keys, 1);
    ck_assert_uint_eq(answer.full[0].window, 29933333);
    ck_assert_uint_eq(answer.full[0].key.max_rate, 10);
    ck_assert_uint_eq(answer.full[0].total, 12);
    ck_assert_uint_eq(answer.n_sums, 1);
    ck_assert_uint_eq(answer.sums[0].own, 3);
    ck_assert_uint_eq(answer.sums[0].others, UINT32_MAX);
}
END_TEST

#define HEAD10 "*10\r\n:1\r\n:1\r\n:1\r\n$1\r\nx\r\n:0\r\n*0\r\n*0\r\n"
#define OPEN   "$42\r\ndispatcherd:{fleet}:open:smtp-a:4:c00002ff\r\n"

START_TEST(test_reads_what_it_answers_of_open_connections)
{
    const struct redisReply *reply =
        read_reply(HEAD10 "*2\r\n:3\r\n:0\r\n$16\r\n1796000001123456\r\n*2\r\n" OPEN "$1\r\n7\r\n");

    ck_assert_ptr_nonnull(reply);
    ck_assert(fleet_reply_answer(reply, &answer));
    ck_assert_uint_eq(answer.n_open, 2);
    ck_assert_uint_eq(answer.open[0], 3);
    ck_assert_uint_eq(answer.open_mark, UINT64_C(1796000001123456));
    ck_assert_uint_eq(answer.n_told, 1);
    ck_assert_str_eq(answer.told[0].key.service, "smtp-a");
    ck_assert_uint_eq(answer.told[0].total, 7);
}
END_TEST

static const char *const others[] = {
    HEAD10 ":0\r\n:0\r\n*0\r\n",
    HEAD10 "*1\r\n:-1\r\n:0\r\n*0\r\n",
    HEAD10 "*0\r\n$1\r\nx\r\n*0\r\n",
    HEAD10 "*0\r\n:0\r\n*1\r\n" OPEN,
    HEAD10 "*0\r\n:0\r\n*2\r\n" OPEN "$1\r\nx\r\n",
    HEAD10 "*0\r\n:0\r\n*2\r\n:1\r\n:1\r\n",
    ":1\r\n",
    "*0\r\n",
    HEAD "*0\r\n:1\r\n",
    HEAD "*0\r\n*1\r\n:1\r\n",
    HEAD "*0\r\n*2\r\n:1\r\n:-1\r\n",
    HEAD "*1\r\n$3\r\nx=1\r\n*0\r\n",
    HEAD "*1\r\n:1\r\n*0\r\n",
    "*7\r\n:1\r\n:1000000\r\n:1\r\n$1\r\nx\r\n:0\r\n*0\r\n*0\r\n",
    "*7\r\n$-1\r\n:1\r\n:1\r\n$1\r\nx\r\n:0\r\n*0\r\n*0\r\n",
    "*7\r\n:1\r\n:1\r\n:1\r\n$33\r\n012345678901234567890123456789012\r\n:0\r\n*0\r\n*0\r\n",
};

START_TEST(test_takes_nothing_else_for_an_answer)
{
    const struct redisReply *reply = read_reply(others[_i]);

    ck_assert_ptr_nonnull(reply);
    ck_assert(!fleet_reply_answer(reply, &answer));
}
END_TEST

START_TEST(test_reads_errors_and_texts)
{
    ck_assert_str_eq(fleet_reply_error(read_reply("-MOVED 1 127.0.0.1:1\r\n")),
                     "MOVED 1 127.0.0.1:1");
    ck_assert_ptr_null(fleet_reply_error(read_reply("+OK\r\n")));
    ck_assert_str_eq(fleet_reply_text(read_reply("+OK\r\n")), "OK");
    ck_assert_str_eq(fleet_reply_text(read_reply("$2\r\nab\r\n")), "ab");
    ck_assert_ptr_null(fleet_reply_text(read_reply(":1\r\n")));
}
END_TEST

/* An array of a billion elements is refused before memory is taken for it. */
START_TEST(test_no_reply_takes_much_memory)
{
    static char chunk[16384];
    int r = 0;

    ck_assert_ptr_null(read_reply("*1000000000\r\n"));
    teardown();
    setup();
    ck_assert_ptr_null(read_reply("$1000000000\r\n"));
    for (unsigned i = 0; i < 100 && r == 0; i++)
        r = fleet_reader_feed(reader, chunk, sizeof(chunk));
    ck_assert_int_eq(r, -EBADMSG);
}
END_TEST
#endif

Suite *make_suite(void)
{
    Suite *suite = suite_create("reply");

#ifdef HAVE_HIREDIS
    TCase *tcase = tcase_create("replies");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_reads_what_the_script_answers);
    tcase_add_test(tcase, test_reads_what_it_answers_of_open_connections);
    tcase_add_loop_test(tcase, test_takes_nothing_else_for_an_answer, 0, ELEMENTSOF(others));
    tcase_add_test(tcase, test_reads_errors_and_texts);
    tcase_add_test(tcase, test_no_reply_takes_much_memory);
    suite_add_tcase(suite, tcase);
#endif
    return suite;
}
