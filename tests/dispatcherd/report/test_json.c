/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/report/json.h"
#include "support/suite.h"

static json_int_t number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    ck_assert(json_is_integer(value));
    return json_integer_value(value);
}

START_TEST(test_both_clocks_are_of_one_moment)
{
    uint64_t monotonic = time_now_usec(CLOCK_MONOTONIC), realtime = time_now_usec(CLOCK_REALTIME);
    struct control_clock clock = control_clock_now();

    ck_assert_uint_ge(clock.monotonic, monotonic);
    ck_assert_uint_le(clock.monotonic, time_now_usec(CLOCK_MONOTONIC));
    ck_assert_uint_ge(clock.realtime, realtime);
}
END_TEST

START_TEST(test_a_time_is_shown_by_both_clocks)
{
    const struct control_clock clock = {.monotonic = 5000, .realtime = 1000000};
    static const struct {
        uint64_t at;
        json_int_t realtime;
    } cases[] = {{1, 995001}, {4000, 999000}, {5000, 1000000}, {6000, 1001000}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        json_auto_t *time = view_time(cases[i].at, &clock);

        ck_assert_uint_eq(json_object_size(time), 2);
        ck_assert_int_eq(number(time, "monotonic"), (json_int_t)cases[i].at);
        ck_assert_int_eq(number(time, "realtime"), cases[i].realtime);
    }
}
END_TEST

START_TEST(test_not_yet_is_null)
{
    const struct control_clock clock = {.monotonic = 5000, .realtime = 1000000};
    json_auto_t *time = view_time(0, &clock);

    ck_assert(json_is_null(time));
}
END_TEST

START_TEST(test_a_text_need_not_be_utf8)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"plain \x01\n\"text\"", "plain \x01\n\"text\""},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"gr\xfc\xdf", "gr??"},
        {"\xff", "?"},
        {"\xc3", "?"},
        {"\xc0\x80", "??"},           /* overlong */
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* above U+10FFFF */
        {"\xc3\xbc \xfc", "?? ?"},    /* one byte makes it a text of bytes */
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        json_auto_t *value = view_text(cases[i].text);

        ck_assert(json_is_string(value));
        ck_assert_str_eq(json_string_value(value), cases[i].shown);
    }
}
END_TEST

START_TEST(test_no_text_is_null)
{
    json_auto_t *value = view_text(NULL);

    ck_assert(json_is_null(value));
}
END_TEST

START_TEST(test_shows_counts_and_gauges)
{
    json_auto_t *none = view_count(0), *many = view_count(INT64_MAX), *gauge = view_gauge(3, 20);

    ck_assert_int_eq(json_integer_value(none), 0);
    ck_assert_int_eq(json_integer_value(many), INT64_MAX);
    ck_assert_uint_eq(json_object_size(gauge), 2);
    ck_assert_int_eq(number(gauge, "value"), 3);
    ck_assert_int_eq(number(gauge, "limit"), 20);
}
END_TEST

START_TEST(test_shows_addresses)
{
    static const struct {
        struct address address;
        const char *host;
        json_int_t port;
    } cases[] = {
        {{.family = AF_INET, .port = 65535, .bytes = {192, 0, 2, 7}}, "192.0.2.7", 65535},
        {{.family = AF_INET6, .port = 25, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}},
         "2001:db8::1",
         25},
        {{.family = AF_UNIX}, "unix", 0},
        {{.family = AF_UNSPEC}, "unknown", 0},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        json_auto_t *value = view_address(&cases[i].address);

        ck_assert_uint_eq(json_object_size(value), 2);
        ck_assert_str_eq(json_string_value(json_object_get(value, "address")), cases[i].host);
        ck_assert_int_eq(number(value, "port"), cases[i].port);
    }
}
END_TEST

/* The value is seen to be freed by its count of references. */
START_TEST(test_a_member_takes_over_its_reference)
{
    json_t *object = json_object(), *value = json_array();

    json_incref(value);
    view_put(&object, "a", value);
    ck_assert_ptr_nonnull(object);
    ck_assert_ptr_eq(json_object_get(object, "a"), value);
    ck_assert_uint_eq(value->refcount, 2);
    view_put(&object, "a", json_null());
    ck_assert_uint_eq(value->refcount, 1);
    ck_assert_uint_eq(json_object_size(object), 1);
    json_decref(object);
    json_decref(value);
}
END_TEST

START_TEST(test_an_object_that_lacks_a_value_is_freed)
{
    json_t *object = json_object(), *value = json_array(), *late = json_array();

    json_incref(value);
    json_incref(late);
    view_put(&object, "a", value);
    view_put(&object, "b", NULL);
    ck_assert_ptr_null(object);
    ck_assert_uint_eq(value->refcount, 1);
    /* The chain goes on, and leaks nothing. */
    view_put(&object, "c", late);
    ck_assert_ptr_null(object);
    ck_assert_uint_eq(late->refcount, 1);
    json_decref(value);
    json_decref(late);
}
END_TEST

START_TEST(test_an_array_that_lacks_an_element_is_freed)
{
    json_t *array = json_array(), *value = json_array(), *late = json_array();

    json_incref(value);
    json_incref(late);
    view_append(&array, json_null());
    view_append(&array, value);
    ck_assert_uint_eq(json_array_size(array), 2);
    ck_assert_ptr_eq(json_array_get(array, 1), value);
    view_append(&array, NULL);
    ck_assert_ptr_null(array);
    ck_assert_uint_eq(value->refcount, 1);
    view_append(&array, late);
    ck_assert_ptr_null(array);
    ck_assert_uint_eq(late->refcount, 1);
    json_decref(value);
    json_decref(late);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("json");

    ADD_TESTS(suite, "times", test_both_clocks_are_of_one_moment,
              test_a_time_is_shown_by_both_clocks, test_not_yet_is_null);
    ADD_TESTS(suite, "values", test_a_text_need_not_be_utf8, test_no_text_is_null,
              test_shows_counts_and_gauges, test_shows_addresses);
    ADD_TESTS(suite, "references", test_a_member_takes_over_its_reference,
              test_an_object_that_lacks_a_value_is_freed,
              test_an_array_that_lacks_an_element_is_freed);
    return suite;
}
