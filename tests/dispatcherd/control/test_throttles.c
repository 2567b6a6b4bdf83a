/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The throttled sources, as the control socket lists them; and the state of the fleet in Status. */
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/control_scene.h"
#include "support/suite.h"
#include "varlink/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL "io.dispatcherd.Control."

static const char configuration[] = "[SERVICE=SMTP]\nPORT=25\nIMAGE=smtp\n";
static const char mappings[] = "PORT_ACCESS\n\n  *|*|*|*|*  $Y\n";

static const struct control_caller trusted = {.pid = 1, .uid = 0, .is_trusted = true};

static struct control_scene scene;

static void setup(void)
{
    scene_init(&scene, configuration);
}

static void teardown(void)
{
    scene_clear(&scene);
}

/* The parameters of the reply. */
static json_t *call(const char *method)
{
    json_auto_t *message = varlink_method(method, json_object());
    json_auto_t *reply = NULL;
    size_t size;
    char *text = varlink_message_text(message, &size), *answer = NULL;

    ck_assert_int_eq(
        control_answer(&scene_operations, &scene, &trusted, NULL, text, size - 1, &answer, &size),
        0);
    ck_assert_int_eq(varlink_reply_parse(answer, size - 1, &reply), 0);
    ck_assert_ptr_null(json_object_get(reply, "error"));
    free(text);
    free(answer);
    return json_incref(json_object_get(reply, "parameters"));
}

static json_int_t number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    ck_assert_msg(json_is_integer(value), "%s", name);
    return json_integer_value(value);
}

static json_int_t moment(const json_t *object, const char *name)
{
    return number(json_object_get(object, name), "monotonic");
}

/* Counts n connections of the address. */
static void count(const struct throttle_key *key, const char *host, unsigned n)
{
    struct address address;
    struct throttle_view view;

    ck_assert_int_eq(address_parse(host, &address), 0);
    while (n-- > 0)
        throttle_count_key(scene.context.admission->throttle, key, &address,
                           time_now_usec(CLOCK_MONOTONIC), &view);
}

START_TEST(test_without_checks_nobody_is_throttled)
{
    json_auto_t *reply = call(CONTROL "Throttles");

    ck_assert_int_eq(number(reply, "n_throttled"), 0);
    ck_assert(json_is_array(json_object_get(reply, "throttles")));
    ck_assert_uint_eq(json_array_size(json_object_get(reply, "throttles")), 0);
}
END_TEST

START_TEST(test_has_the_counts_of_this_host_and_of_the_others)
{
    const struct throttle_key plain = {.max_rate = 3, .kind = THROTTLE_PLAIN};
    struct throttle_key table = {.max_rate = 5, .kind = THROTTLE_PENALTY, .window_sec = 3600};
    uint64_t before = time_now_usec(CLOCK_MONOTONIC);
    struct address address;

    scene_admit(&scene, mappings);
    count(&plain, "192.0.2.1", 3);
    count(&plain, "192.0.2.2", 2);
    count(&table, "2001:db8::1", 1);
    ck_assert_int_eq(address_parse("2001:db8::1", &address), 0);
    ck_assert(source_of(&address, &table.source));
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    ck_assert(throttle_learn(scene.context.admission->throttle, &table, now,
                             &(struct throttle_news){.others = 9}, now));

    json_auto_t *reply = call(CONTROL "Throttles");
    const json_t *list = json_object_get(reply, "throttles");
    ck_assert_int_eq(number(reply, "n_throttled"), 2);
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_int_ge(moment(reply, "now"), (json_int_t)now);
    const json_t *first = json_array_get(list, 0), *second = json_array_get(list, 1);
    ck_assert_str_eq(json_string_value(json_object_get(first, "source")), "2001:db8::/64");
    ck_assert_int_eq(number(first, "max_rate"), 5);
    ck_assert_int_eq(number(first, "window_sec"), 3600);
    ck_assert(json_is_true(json_object_get(first, "is_penalty")));
    ck_assert_int_eq(number(first, "own"), 1);
    ck_assert_int_eq(number(first, "others"), 9);
    ck_assert_int_eq(moment(first, "others_at"), (json_int_t)now);
    ck_assert_int_ge(moment(first, "window_at"), (json_int_t)before);
    ck_assert_str_eq(json_string_value(json_object_get(second, "source")), "192.0.2.1");
    ck_assert_int_eq(number(second, "window_sec"), 60);
    ck_assert(json_is_false(json_object_get(second, "is_penalty")));
    ck_assert_int_eq(number(second, "own"), 3);
    ck_assert_int_eq(number(second, "others"), 0);
    ck_assert(json_is_null(json_object_get(second, "others_at")));
}
END_TEST

START_TEST(test_lists_a_hundred_at_most_and_says_how_many_there_are)
{
    const struct throttle_key key = {.max_rate = 1, .kind = THROTTLE_PLAIN};
    char host[16];

    scene_admit(&scene, mappings);
    for (unsigned i = 0; i < 250; i++) {
        snprintf(host, sizeof(host), "192.0.2.%u", i);
        count(&key, host, i == 200 ? 8 : 1);
    }
    json_auto_t *reply = call(CONTROL "Throttles");
    const json_t *list = json_object_get(reply, "throttles");
    ck_assert_int_eq(number(reply, "n_throttled"), 250);
    ck_assert_uint_eq(json_array_size(list), 100);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "source")),
                     "192.0.2.200");
}
END_TEST

/* A store that is nowhere. */
START_TEST(test_status_has_what_holds_over_the_fleet)
{
    struct str_list stores = {0};
    struct fleet_settings settings = {.stores = &stores, .name = "a"};

    scene_admit(&scene, mappings);
    ck_assert_int_eq(str_list_append(&stores, "unix:/nonexistent/store"), 0);
    admission_set_fleet(scene.context.admission, &settings);
    if (!scene.context.admission->fleet) { /* built without it */
        str_list_clear(&stores);
        return;
    }
    json_auto_t *throttles_alone = call(CONTROL "Status");
    const json_t *fleet = json_object_get(throttles_alone, "fleet");
    ck_assert(json_is_null(json_object_get(fleet, "answered_at")));
    ck_assert_int_eq(number(fleet, "wait_limit_usec"), 0);
    ck_assert(json_is_false(json_object_get(fleet, "has_addresses")));
    settings.wait_usec = 200 * USEC_PER_MSEC;
    settings.has_addresses = true;
    admission_set_fleet(scene.context.admission, &settings);
    json_auto_t *all = call(CONTROL "Status");
    fleet = json_object_get(all, "fleet");
    ck_assert_int_eq(number(fleet, "wait_limit_usec"), 200000);
    ck_assert(json_is_true(json_object_get(fleet, "has_addresses")));
    str_list_clear(&stores);
}
END_TEST

SUITE("throttles", setup, teardown, test_without_checks_nobody_is_throttled,
      test_has_the_counts_of_this_host_and_of_the_others,
      test_lists_a_hundred_at_most_and_says_how_many_there_are,
      test_status_has_what_holds_over_the_fleet)
