/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/macro.h"
#include "dispatcherd/store/stored_name.h"
#include "support/random.h"
#include "support/suite.h"

#include <string.h>
#include <sys/socket.h>

static struct address random_address(struct random_source *source)
{
    static const uint16_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC};
    struct address address = {
        .family = families[random_between(source, 0, ELEMENTSOF(families) - 1)],
        .port = (uint16_t)random_next(source),
        .scope_id = (uint32_t)random_next(source),
    };

    for (size_t i = 0; i < sizeof(address.bytes); i++)
        address.bytes[i] = (uint8_t)random_next(source);
    return address;
}

static struct stored_name random_name(struct random_source *source)
{
    struct stored_name name = {
        .kind = random_between(source, 0, 1) == 1 ? STORED_WAIT : STORED_CHECK,
        .id = random_next(source),
        .is_tls = random_between(source, 0, 1) == 1,
        .peer = random_address(source),
        .local = random_address(source),
    };

    if (name.kind == STORED_WAIT)
        name.accepted_at = random_next(source);
    memset(name.unit_name, 's', random_between(source, 1, sizeof(name.unit_name) - 1));
    return name;
}

START_TEST(test_name_tells_all)
{
    struct random_source source = random_start();

    for (int i = 0; i < 1000; i++) {
        const struct stored_name name = random_name(&source);
        struct stored_name again;
        char text[STORE_NAME_MAX];

        stored_name_format(&name, text);
        ck_assert_ptr_null(strchr(text, ':'));
        ck_assert(stored_name_parse(text, &again));
        ck_assert(stored_name_is_ours(text));
        ck_assert_int_eq(again.kind, name.kind);
        ck_assert_uint_eq(again.accepted_at, name.accepted_at);
        ck_assert_str_eq(again.unit_name, name.unit_name);
        ck_assert_uint_eq(again.id, name.id);
        ck_assert_int_eq(again.is_tls, name.is_tls);
        ck_assert(address_equal(&again.peer, &name.peer));
        ck_assert(address_equal(&again.local, &name.local));
    }
}
END_TEST

/* A name is refused, or is what we would write ourselves. */
START_TEST(test_other_names_are_refused)
{
    struct random_source source = random_start();

    for (int i = 0; i < 10000; i++) {
        const struct stored_name name = random_name(&source);
        char text[STORE_NAME_MAX], again[STORE_NAME_MAX];
        struct stored_name parsed;

        stored_name_format(&name, text);
        text[random_between(&source, 0, strlen(text) - 1)] = (char)random_between(&source, 0, 127);
        if (stored_name_parse(text, &parsed))
            ck_assert_str_eq(stored_name_format(&parsed, again), text);
    }
}
END_TEST

START_TEST(test_bad_names)
{
    static const char *const names[] = {
        "",
        "check",
        "check.",
        "check.1.smtp.1.0",
        "wait.1.smtp.1.0",
        "smtp",
        "worker.1.smtp.0",
        "dispatcherd.state.1",
    };
    struct stored_name name;
    char text[2 * STORE_NAME_MAX];

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        ck_assert(!stored_name_parse(names[i], &name));
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "check.1.", strlen("check.1."));
    ck_assert(!stored_name_parse(text, &name));
}
END_TEST

#define PEER  "2-126b-0-c0000207000000000000000000000000"
#define LOCAL "a-19-3-fe800000000000000000000000000001"
#define CHECK "check.1.smtp.2a.1." PEER "." LOCAL
#define WAIT  "wait.1.smtp.2a.0." PEER "." LOCAL ".ff"

static struct stored_name make(void)
{
    return (struct stored_name){
        .kind = STORED_CHECK,
        .unit_name = "smtp",
        .id = 42,
        .is_tls = true,
        .peer = {.family = AF_INET, .port = 4715, .bytes = {192, 0, 2, 7}},
        .local = {.family = AF_INET6, .port = 25, .scope_id = 3, .bytes = {0xfe, 0x80, [15] = 1}},
    };
}

/* A successor of another version reads them: the form must not change without its number. */
START_TEST(test_has_this_form)
{
    struct stored_name name = make();
    char text[STORE_NAME_MAX];

    ck_assert_ptr_eq(stored_name_format(&name, text), text);
    ck_assert_str_eq(text, CHECK);
    name.kind = STORED_WAIT;
    name.is_tls = false;
    name.accepted_at = 255;
    ck_assert_str_eq(stored_name_format(&name, text), WAIT);
}
END_TEST

START_TEST(test_the_longest_name_has_room)
{
    struct stored_name name = {.kind = STORED_WAIT, .id = UINT64_MAX, .is_tls = true}, again;
    char text[STORE_NAME_MAX];

    memset(name.unit_name, 's', SERVICE_NAME_MAX);
    name.peer = (struct address){.family = AF_INET6, .port = UINT16_MAX, .scope_id = UINT32_MAX};
    memset(name.peer.bytes, 0xff, sizeof(name.peer.bytes));
    name.local = name.peer;
    name.accepted_at = UINT64_MAX;
    stored_name_format(&name, text);
    ck_assert_uint_lt(strlen(text), STORE_NAME_MAX - 1);
    ck_assert(stored_name_parse(text, &again));
    ck_assert_uint_eq(again.accepted_at, UINT64_MAX);
    ck_assert(address_equal(&again.local, &name.local));
}
END_TEST

START_TEST(test_a_name_that_is_almost_ours_is_refused)
{
    static const char *const names[] = {
        "check.2.smtp.2a.1." PEER "." LOCAL,  /* of another version */
        "check.01.smtp.2a.1." PEER "." LOCAL, /* not as we write numbers */
        "check.1.smtp.2A.1." PEER "." LOCAL,
        "check.1.smtp.02a.1." PEER "." LOCAL,
        "check.1.smtp.-1.1." PEER "." LOCAL,
        "check.1. smtp.2a.1." PEER "." LOCAL " ",
        "check.1.smtp.2a.2." PEER "." LOCAL, /* neither TLS nor none */
        "check.1..2a.1." PEER "." LOCAL,     /* no service */
        "check.1.abcdefghijklmnopqrstuvwxyz1234567.2a.1." PEER "." LOCAL,
        "check.1.smtp.2a.1." PEER,          /* one address */
        CHECK ".ff",                        /* a time that checks do not have */
        "wait.1.smtp.2a.0." PEER "." LOCAL, /* and that those that wait do have */
        WAIT ".1",
        "check.1.smtp.2a.1.3-126b-0-c0000207000000000000000000000000." LOCAL, /* no family */
        "check.1.smtp.2a.1.2-126b-0-c000020700000000000000000000000." LOCAL,
        "check.1.smtp.2a.1.2-126b-0-c00002070000000000000000000000000." LOCAL,
        "check.1.smtp.2a.1.2-1126b-0-c0000207000000000000000000000000." LOCAL,
        "check.1.smtp.2a.1.2-126b-c0000207000000000000000000000000." LOCAL,
    };
    struct stored_name name = make(), before = name;

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        ck_assert_msg(!stored_name_parse(names[i], &name), "%s", names[i]);
        ck_assert_msg(stored_name_is_ours(names[i]), "%s", names[i]);
    }
    ck_assert_mem_eq(&name, &before, sizeof(name));
    ck_assert(stored_name_parse(CHECK, &name));
    ck_assert(stored_name_parse(WAIT, &name));
}
END_TEST

START_TEST(test_names_of_others_are_not_ours)
{
    static const char *const names[] = {"",       "check", "wait",    "checks.1",       "Check.1",
                                        ".check", "waits", " wait.1", "worker.1.smtp.0"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        ck_assert_msg(!stored_name_is_ours(names[i]), "%s", names[i]);
    ck_assert(stored_name_is_ours("check."));
    ck_assert(stored_name_is_ours("wait.9.of another version"));
}
END_TEST

SUITE("stored_name", NULL, NULL, test_has_this_form, test_the_longest_name_has_room,
      test_name_tells_all, test_other_names_are_refused, test_bad_names,
      test_a_name_that_is_almost_ours_is_refused, test_names_of_others_are_not_ours)
