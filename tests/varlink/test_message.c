/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is a call, and what is a reply. */
#include "base/macro.h"
#include "support/suite.h"
#include "varlink/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_refuses_what_is_no_call)
{
    static const char *const texts[] = {
        "",
        "x",
        "[]",
        "3",
        "\"method\"",
        "{}",
        "{\"method\":",
        "{\"method\":3}",
        "{\"method\":null}",
        "{\"method\":\"a.b.C\"",
        "{\"method\":\"a.b.C\"} {}",
        "{\"method\":\"a.b.C\",\"method\":\"a.b.D\"}",
        "{\"method\":\"a.b.C\",\"parameters\":[]}",
        "{\"method\":\"a.b.C\",\"parameters\":\"x\"}",
        "{\"method\":\"a.b.C\",\"oneway\":1}",
        "{\"method\":\"a.b.C\",\"more\":\"yes\"}",
        "{\"method\":\"a.b.C\",\"upgrade\":{}}",
        "{\"method\":\"\xff\"}",
        "{\"method\":\"a\\u0000b\"}",
    };
    struct varlink_call call;

    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        ck_assert_msg(varlink_call_parse(texts[i], strlen(texts[i]), &call) == -EBADMSG, "%s",
                      texts[i]);
}
END_TEST

START_TEST(test_reads_a_call)
{
    static const char text[] = "{\"method\":\"a.b.C\",\"parameters\":{\"x\":\"y\"},\"oneway\":true,"
                               "\"more\":false,\"upgrade\":null,\"later\":[1]}";
    struct varlink_call call;

    ck_assert_int_eq(varlink_call_parse(text, strlen(text), &call), 0);
    ck_assert_str_eq(call.method, "a.b.C");
    ck_assert_str_eq(json_string_value(json_object_get(call.parameters, "x")), "y");
    ck_assert(call.is_oneway);
    ck_assert(!call.wants_more);
    ck_assert(!call.wants_upgrade);
    varlink_call_clear(&call);
}
END_TEST

START_TEST(test_takes_no_parameters_and_null_for_the_same)
{
    static const char *const texts[] = {"{\"method\":\"a.b.C\"}",
                                        "{\"method\":\"a.b.C\",\"parameters\":null}"};
    struct varlink_call call;

    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        ck_assert_int_eq(varlink_call_parse(texts[i], strlen(texts[i]), &call), 0);
        ck_assert_ptr_null(call.parameters);
        varlink_call_clear(&call);
    }
}
END_TEST

START_TEST(test_survives_deep_nesting)
{
    enum {
        DEPTH = 60000
    };
    char *text = malloc(DEPTH + 1);
    struct varlink_call call;

    memset(text, '[', DEPTH);
    text[DEPTH] = '\0';
    ck_assert_int_eq(varlink_call_parse(text, DEPTH, &call), -EBADMSG);
    free(text);
}
END_TEST

START_TEST(test_writes_what_it_reads)
{
    json_auto_t *error = varlink_error("a.b.Wrong", json_pack("{s:s}", "why", "\x1b"));
    json_auto_t *again = NULL;
    size_t size;
    char *text = varlink_message_text(error, &size);

    ck_assert_str_eq(text, "{\"error\":\"a.b.Wrong\",\"parameters\":{\"why\":\"\\u001B\"}}");
    ck_assert_uint_eq(size, strlen(text) + 1);
    ck_assert_int_eq(varlink_reply_parse(text, size - 1, &again), 0);
    ck_assert(json_equal(error, again));
    free(text);
}
END_TEST

START_TEST(test_gives_a_reply_without_parameters_empty_ones)
{
    json_auto_t *reply = NULL;

    ck_assert_int_eq(varlink_reply_parse("{}", 2, &reply), 0);
    ck_assert(json_is_object(json_object_get(reply, "parameters")));
}
END_TEST

START_TEST(test_refuses_what_is_no_reply)
{
    static const char *const texts[] = {"", "[]", "{\"error\":3}", "{\"parameters\":[]}"};
    json_t *reply;

    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        ck_assert_int_eq(varlink_reply_parse(texts[i], strlen(texts[i]), &reply), -EBADMSG);
}
END_TEST

START_TEST(test_hands_on_that_parameters_could_not_be_made)
{
    ck_assert_ptr_null(varlink_reply(NULL));
    ck_assert_ptr_null(varlink_error("a.b.Wrong", NULL));
    ck_assert_ptr_null(varlink_method("a.b.C", NULL));
}
END_TEST

SUITE("message", NULL, NULL, test_refuses_what_is_no_call, test_reads_a_call,
      test_takes_no_parameters_and_null_for_the_same, test_survives_deep_nesting,
      test_writes_what_it_reads, test_gives_a_reply_without_parameters_empty_ones,
      test_refuses_what_is_no_reply, test_hands_on_that_parameters_could_not_be_made)
