/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a host may cost that answers without an end. */
#include "base/time.h"
#include "dispatcherctl/hosts/gather.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Hosts are asked by a program in the place of ssh. */
static void ask(const char *script, uint64_t limit_usec, struct gathered *ret)
{
    static const struct gather_call calls[] = {{"Connections", "connections", NULL}};
    const struct request request = {.socket = "/nowhere", .limit_usec = limit_usec};
    char folder[] = "/tmp/test_gather.XXXXXX", program[64];
    char host[] = "evil", *hosts[] = {host};
    FILE *file;

    ck_assert(mkdtemp(folder) != NULL);
    snprintf(program, sizeof(program), "%s/ssh", folder);
    file = fopen(program, "we");
    ck_assert(file != NULL);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(program, 0700), 0);
    setenv(REMOTE_SSH_VARIABLE, program, 1);
    int r = gather(&request, hosts, 1, calls, 1, ret);
    unlink(program);
    rmdir(folder);
    ck_assert_int_eq(r, 0);
}

START_TEST(test_joins_the_parts_of_an_answer)
{
    struct gathered answer;

    ask("printf '{\"parameters\":{\"connections\":[1],\"next\":\"x\"}}\\0"
        "{\"parameters\":{\"connections\":[2]}}\\0'; exec cat >/dev/null",
        20 * USEC_PER_SEC, &answer);
    ck_assert_msg(answer.reply != NULL, "%s", answer.reason);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.reply, "connections")), 2);
    gathered_clear(&answer, 1);
}
END_TEST

/* Each part comes in time. */
START_TEST(test_the_time_limit_is_one_for_all_parts)
{
    struct gathered answer;

    ask("while printf '{\"parameters\":{\"connections\":[],\"next\":\"x\"}}\\0'; do :; done",
        USEC_PER_SEC, &answer);
    ck_assert_ptr_null(answer.reply);
    ck_assert_str_eq(answer.reason, "no answer within 1 s");
}
END_TEST

START_TEST(test_an_answer_without_an_end_is_left_out)
{
    struct gathered answer;

    ask("text=$(head -c 1000000 /dev/zero | tr '\\0' a)\n"
        "while printf '{\"parameters\":{\"connections\":[\"%s\"],\"next\":\"x\"}}\\0' \"$text\"; "
        "do :; done",
        60 * USEC_PER_SEC, &answer);
    ck_assert_ptr_null(answer.reply);
    ck_assert_str_eq(answer.reason, "its answer has more than 64 MiB and was left out; ask for "
                                    "less, such as one SERVICE");
}
END_TEST

SUITE("gather", NULL, NULL, test_joins_the_parts_of_an_answer,
      test_the_time_limit_is_one_for_all_parts, test_an_answer_without_an_end_is_left_out)
