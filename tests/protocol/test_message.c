/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

static alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX + 8];

static struct message read_good(size_t length)
{
    struct message message;

    ck_assert_uint_gt(length, 0);
    ck_assert_int_eq(message_read(bytes, length, &message), 0);
    return message;
}

START_TEST(test_value_messages_come_back)
{
    static const enum message_type types[] = {MESSAGE_READY, MESSAGE_DRAINING, MESSAGE_DRAIN,
                                              MESSAGE_DEBUG};

    for (size_t i = 0; i < ELEMENTSOF(types); i++) {
        size_t length = message_write_value(bytes, sizeof(bytes), types[i], UINT32_MAX - 1);
        struct message message = read_good(length);

        ck_assert_uint_eq(length, 8);
        ck_assert_int_eq(message.type, types[i]);
        ck_assert_uint_eq(message.value, UINT32_MAX - 1);
        ck_assert_ptr_null(message.ids);
        ck_assert_ptr_null(message.text);
    }
    ck_assert_uint_eq(message_write_value(bytes, 7, MESSAGE_READY, 1), 0);
}
END_TEST

START_TEST(test_identifiers_come_back)
{
    static const enum message_type types[] = {
        MESSAGE_ACKNOWLEDGE, MESSAGE_REFUSE, MESSAGE_ENDED,    MESSAGE_PUT_OFF,
        MESSAGE_PASSED_ON,   MESSAGE_FAILED, MESSAGE_SENT_AWAY};
    static uint64_t ids[MESSAGE_IDS_MAX + 1];

    for (size_t i = 0; i < ELEMENTSOF(ids); i++)
        ids[i] = UINT64_MAX - i * i;
    for (size_t i = 0; i < ELEMENTSOF(types); i++)
        for (size_t n = 0; n <= MESSAGE_IDS_MAX; n += 512) {
            size_t length = message_write_ids(bytes, sizeof(bytes), types[i], ids, n);
            struct message message = read_good(length);

            ck_assert_uint_eq(length, 8 + 8 * n);
            ck_assert_int_eq(message.type, types[i]);
            ck_assert_uint_eq(message.value, n);
            ck_assert_mem_eq(message.ids, ids, 8 * n);
        }
    ck_assert_uint_eq(
        message_write_ids(bytes, sizeof(bytes), MESSAGE_ENDED, ids, MESSAGE_IDS_MAX + 1), 0);
    ck_assert_uint_eq(message_write_ids(bytes, 8 + 15, MESSAGE_ENDED, ids, 2), 0);
}
END_TEST

START_TEST(test_texts_come_back)
{
    static const enum message_type types[] = {MESSAGE_HELLO, MESSAGE_WELCOME, MESSAGE_ADOPT,
                                              MESSAGE_ANSWER};

    for (size_t i = 0; i < ELEMENTSOF(types); i++) {
        struct message_text text = message_text_start(bytes, sizeof(bytes), types[i]);
        message_text_add(&text, "A", "");
        message_text_add(&text, "AB", "x=y");
        message_text_add_number(&text, "N", UINT64_MAX);
        message_text_add(&text, "AB", "second");
        ck_assert(!text.is_too_long);
        struct message message = read_good(text.length);
        ck_assert_int_eq(message.type, types[i]);
        ck_assert_str_eq(message_find_text(&message, "A"), "");
        ck_assert_str_eq(message_find_text(&message, "AB"), "x=y");
        ck_assert_str_eq(message_find_text(&message, "N"), "18446744073709551615");
        ck_assert_ptr_null(message_find_text(&message, "B"));
        ck_assert_ptr_null(message_find_text(&message, ""));
        const char *s = message_next_text(&message, NULL);
        ck_assert_str_eq(s, "A=");
        s = message_next_text(&message, s);
        ck_assert_str_eq(s, "AB=x=y");
        s = message_next_text(&message, message_next_text(&message, s));
        ck_assert_str_eq(s, "AB=second");
        ck_assert_ptr_null(message_next_text(&message, s));
    }
}
END_TEST

START_TEST(test_an_empty_text_has_no_string)
{
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_HELLO);
    struct message message = read_good(text.length);

    ck_assert_ptr_null(message_next_text(&message, NULL));
    ck_assert_ptr_null(message_find_text(&message, "VERSION"));
}
END_TEST

START_TEST(test_a_text_says_that_it_is_too_long)
{
    struct message_text text = message_text_start(bytes, 8 + 6, MESSAGE_WELCOME);

    message_text_add(&text, "A", "123");
    ck_assert(!text.is_too_long);
    ck_assert_uint_eq(text.length, 14);
    message_text_add(&text, "B", "");
    ck_assert(text.is_too_long);
    ck_assert_uint_eq(text.length, 14);
    text = message_text_start(bytes, 7, MESSAGE_WELCOME);
    ck_assert(text.is_too_long);
}
END_TEST

START_TEST(test_a_connection_comes_back)
{
    const struct connection_record record = {
        .id = UINT64_C(0x0123456789abcdef),
        .accepted_at_usec = 5,
        .peer = {.family = AF_INET6, .port = 40000, .scope_id = 2, .bytes = {0xfe, 0x80}},
        .local = {.family = AF_INET, .port = 25, .bytes = {192, 0, 2, 1}},
        .flags = CONNECTION_FLAG_TLS,
        .tag_length = 999, /* the texts say it themselves */
    };
    char tag[CONNECTION_TEXT_MAX + 2];

    memset(tag, 't', sizeof(tag));
    for (size_t tag_length = 0; tag_length <= CONNECTION_TEXT_MAX + 1; tag_length++) {
        struct connection_view view;
        size_t offset = 0;
        size_t kept = tag_length > CONNECTION_TEXT_MAX ? CONNECTION_TEXT_MAX : tag_length;

        tag[tag_length] = '\0';
        size_t length = message_write_connection(bytes, sizeof(bytes), MESSAGE_CONNECTION, &record,
                                                 tag, "note");
        tag[tag_length] = 't';
        struct message message = read_good(length);
        ck_assert_uint_eq(length % 8, 0);
        ck_assert_uint_eq(message.value, 1);
        ck_assert(message_next_connection(&message, &offset, &view));
        ck_assert_uint_eq(view.record->id, record.id);
        ck_assert_uint_eq(view.record->accepted_at_usec, 5);
        ck_assert(address_equal(&view.record->peer, &record.peer));
        ck_assert(address_equal(&view.record->local, &record.local));
        ck_assert_uint_eq(view.record->flags, CONNECTION_FLAG_TLS);
        ck_assert_uint_eq(view.record->tag_length, kept);
        ck_assert_mem_eq(view.tag, tag, kept);
        ck_assert_uint_eq(view.record->note_length, 4);
        ck_assert_mem_eq(view.note, "note", 4);
        ck_assert(!message_next_connection(&message, &offset, &view));
        ck_assert_uint_eq(offset, message.records_length);
        ck_assert_uint_eq(
            message_write_connection(bytes, length - 1, MESSAGE_CONNECTION, &record, "", "note"),
            length - 1 < 88 ? 0 : 88);
    }
}
END_TEST

static size_t put_connection(size_t at, uint16_t tag_length, uint16_t note_length, size_t padding)
{
    const struct connection_record record = {.tag_length = tag_length, .note_length = note_length};

    memcpy(bytes + at, &record, sizeof(record));
    return at + sizeof(record) + padding;
}

static size_t put_header(uint32_t type, uint32_t value)
{
    memset(bytes, 'x', sizeof(bytes));
    return message_write_value(bytes, sizeof(bytes), (enum message_type)type, value);
}

START_TEST(test_many_connections_come_back)
{
    size_t at = put_header(MESSAGE_CONNECTION, MESSAGE_FDS_MAX);
    struct connection_view view;
    size_t offset = 0;

    for (uint16_t i = 0; i < MESSAGE_FDS_MAX; i++)
        at = put_connection(at, i, 1, (i + 8u) & ~7u);
    struct message message = read_good(at);
    for (uint16_t i = 0; i < MESSAGE_FDS_MAX; i++) {
        ck_assert(message_next_connection(&message, &offset, &view));
        ck_assert_uint_eq(view.record->tag_length, i);
        ck_assert_uint_eq((uintptr_t)view.record % 8, 0);
    }
    ck_assert(!message_next_connection(&message, &offset, &view));
}
END_TEST

static void expect_bad(size_t length, const char *why)
{
    struct message message = {.value = 77};

    ck_assert_msg(message_read(bytes, length, &message) == -EBADMSG, "taken: %s", why);
    ck_assert_uint_eq(message.value, 77);
}

START_TEST(test_refuses_a_wrong_head)
{
    static const uint32_t unknown[] = {0, 18, 63, 64, 74, 0x01000000, UINT32_MAX};

    expect_bad(0, "nothing");
    put_header(MESSAGE_READY, 1);
    for (size_t length = 0; length < 8; length++)
        expect_bad(length, "a cut header");
    for (size_t i = 0; i < ELEMENTSOF(unknown); i++) {
        put_header(unknown[i], 0);
        expect_bad(8, "an unknown type");
        ck_assert_str_eq(message_type_to_string(unknown[i]), "unknown");
    }
    put_header(MESSAGE_HELLO, 0);
    bytes[MESSAGE_BYTES_MAX - 1] = bytes[MESSAGE_BYTES_MAX] = '\0';
    read_good(MESSAGE_BYTES_MAX);
    expect_bad(MESSAGE_BYTES_MAX + 1, "a message too long");
}
END_TEST

START_TEST(test_what_becomes_of_connections_may_share_a_packet)
{
    static const enum message_type types[] = {MESSAGE_ACKNOWLEDGE, MESSAGE_DRAINING, MESSAGE_REFUSE,
                                              MESSAGE_ENDED};
    static const uint64_t ids[] = {1, 2, 3, 4};
    size_t length = 0, at = 0;

    for (size_t i = 0; i < ELEMENTSOF(types); i++)
        length += types[i] == MESSAGE_DRAINING
                      ? message_write_value(bytes + length, 8, types[i], 0)
                      : message_write_ids(bytes + length, 40, types[i], ids + i, 1);
    for (size_t i = 0; i < ELEMENTSOF(types); i++) {
        struct message message;

        ck_assert_int_eq(message_read(bytes + at, length - at, &message), 0);
        ck_assert_int_eq(message.type, types[i]);
        if (message.ids)
            ck_assert_uint_eq(message.ids[0], ids[i]);
        at += message.length;
    }
    ck_assert_uint_eq(at, length);
}
END_TEST

START_TEST(test_refuses_a_wrong_body)
{
    static const struct {
        enum message_type type;
        uint32_t value;
        size_t body_length;
    } cases[] = {
        {MESSAGE_READY, 1, 1},
        {MESSAGE_DRAINING, 0, 7},
        {MESSAGE_DRAIN, 0, 4},
        {MESSAGE_DEBUG, 0, 1000},
        {MESSAGE_ACKNOWLEDGE, 1, 0},
        {MESSAGE_ACKNOWLEDGE, 1, 7},
        {MESSAGE_ACKNOWLEDGE, 1, 9},
        {MESSAGE_REFUSE, 2, 8},
        {MESSAGE_ENDED, 0, 1},
        {MESSAGE_ENDED, MESSAGE_IDS_MAX + 1, 8 * (MESSAGE_IDS_MAX + 1)},
        {MESSAGE_ENDED, 0x20000001, 8}, /* times eight is eight, in 32 bits */
        {MESSAGE_HELLO, 0, 1},          /* not terminated, as all is 'x' */
        {MESSAGE_WELCOME, 0, 100},
        {MESSAGE_CONNECTION, 1, 0},
        {MESSAGE_CONNECTION, 0, 8},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        size_t length = put_header(cases[i].type, cases[i].value) + cases[i].body_length;
        expect_bad(length, message_type_to_string(cases[i].type));
    }
}
END_TEST

START_TEST(test_refuses_a_wrong_connection)
{
    static const struct {
        const char *what;
        uint32_t value;
        uint16_t tag_length, note_length;
        size_t
            padding; /* bytes after the record; a whole one would have the lengths' sum, padded */
    } cases[] = {
        {"one counted, one there, one byte cut", 1, 0, 0, (size_t)-1},
        {"a byte too many", 1, 0, 0, 1},
        {"more counted than there are", 2, 0, 0, 0},
        {"fewer counted than there are", 0, 0, 0, 0},
        {"a tag without padding", 1, 1, 0, 1},
        {"a tag that is not there", 1, 8, 0, 0},
        {"a note that is not there", 1, 8, 1, 8},
        {"a tag too long", 1, CONNECTION_TEXT_MAX + 1, 0, CONNECTION_TEXT_MAX + 8},
        {"a note too long", 1, 0, CONNECTION_TEXT_MAX + 8, CONNECTION_TEXT_MAX + 8},
        {"the longest lengths", 1, UINT16_MAX, UINT16_MAX, 60000},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        size_t at = put_header(MESSAGE_CONNECTION, cases[i].value);
        expect_bad(put_connection(at, cases[i].tag_length, cases[i].note_length, cases[i].padding),
                   cases[i].what);
    }
    size_t at = put_header(MESSAGE_CONNECTION, MESSAGE_FDS_MAX + 1);
    for (size_t i = 0; i <= MESSAGE_FDS_MAX; i++)
        at = put_connection(at, 0, 0, 0);
    expect_bad(at, "too many connections");
}
END_TEST

START_TEST(test_refuses_a_nul_within_a_tag_or_note)
{
    for (size_t i = 0; i < 8; i++) {
        size_t at = put_header(MESSAGE_CONNECTION, 1);
        size_t length = put_connection(at, 3, 3, 8);

        bytes[at + sizeof(struct connection_record) + i] = '\0';
        if (i < 6)
            expect_bad(length, "a NUL in a text");
        else
            read_good(length); /* padding may be anything */
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("message");

    ADD_TESTS(suite, "round trip", test_value_messages_come_back, test_identifiers_come_back,
              test_texts_come_back, test_an_empty_text_has_no_string,
              test_a_text_says_that_it_is_too_long, test_a_connection_comes_back,
              test_many_connections_come_back);
    ADD_TESTS(suite, "malformed", test_refuses_a_wrong_head,
              test_what_becomes_of_connections_may_share_a_packet, test_refuses_a_wrong_body,
              test_refuses_a_wrong_connection, test_refuses_a_nul_within_a_tag_or_note);
    return suite;
}
