/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Messages out of a stream, however it arrives. */
#include "support/suite.h"
#include "varlink/frames.h"

#include <errno.h>
#include <string.h>

#define MESSAGE_MAX 3000

/* As if a read() had brought these bytes. */
static void put(struct varlink_frames *frames, const char *bytes, size_t size)
{
    while (size > 0) {
        char *room;
        size_t room_size;

        ck_assert_int_eq(varlink_frames_room(frames, &room, &room_size), 0);
        ck_assert_uint_gt(room_size, 0);
        size_t n = size < room_size ? size : room_size;
        memcpy(room, bytes, n);
        varlink_frames_added(frames, n);
        bytes += n;
        size -= n;
    }
}

static void expect(struct varlink_frames *frames, const char *text)
{
    const char *message;
    size_t length;

    ck_assert(varlink_frames_next(frames, &message, &length));
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_str_eq(message, text);
}

static void expect_none(struct varlink_frames *frames)
{
    const char *message;
    size_t length;

    ck_assert(!varlink_frames_next(frames, &message, &length));
}

START_TEST(test_gives_a_message_that_came_in_any_two_pieces)
{
    const char text[] = "{\"method\":\"a.b.C\"}";

    for (size_t cut = 0; cut <= sizeof(text); cut++) {
        struct varlink_frames frames = VARLINK_FRAMES_INIT(MESSAGE_MAX);

        put(&frames, text, cut);
        if (cut < sizeof(text)) {
            expect_none(&frames);
            ck_assert_int_eq(varlink_frames_is_pending(&frames), cut > 0);
        }
        put(&frames, text + cut, sizeof(text) - cut);
        expect(&frames, text);
        expect_none(&frames);
        ck_assert(!varlink_frames_is_pending(&frames));
        varlink_frames_clear(&frames);
    }
}
END_TEST

START_TEST(test_gives_two_messages_of_one_read_and_keeps_the_third_half)
{
    struct varlink_frames frames = VARLINK_FRAMES_INIT(MESSAGE_MAX);

    put(&frames, "one\0two\0thr", 11);
    expect(&frames, "one");
    expect(&frames, "two");
    expect_none(&frames);
    ck_assert(varlink_frames_is_pending(&frames));
    put(&frames, "ee", 3);
    expect(&frames, "three");
    varlink_frames_clear(&frames);
}
END_TEST

START_TEST(test_gives_empty_messages)
{
    struct varlink_frames frames = VARLINK_FRAMES_INIT(MESSAGE_MAX);

    put(&frames, "\0\0x", 4);
    expect(&frames, "");
    expect(&frames, "");
    expect(&frames, "x");
    expect_none(&frames);
    varlink_frames_clear(&frames);
}
END_TEST

START_TEST(test_refuses_a_message_by_its_first_byte_too_many)
{
    struct varlink_frames frames = VARLINK_FRAMES_INIT(MESSAGE_MAX);
    char text[MESSAGE_MAX + 1], *room;
    size_t size;

    memset(text, 'x', sizeof(text));
    put(&frames, text, sizeof(text));
    expect_none(&frames);
    ck_assert_int_eq(varlink_frames_room(&frames, &room, &size), -EMSGSIZE);
    varlink_frames_clear(&frames);
}
END_TEST

START_TEST(test_takes_the_longest_message_again_and_again)
{
    struct varlink_frames frames = VARLINK_FRAMES_INIT(MESSAGE_MAX);
    char text[MESSAGE_MAX + 1] = "";

    memset(text, 'x', MESSAGE_MAX);
    for (int i = 0; i < 3; i++) {
        put(&frames, text, sizeof(text));
        expect(&frames, text);
        expect_none(&frames);
    }
    varlink_frames_clear(&frames);
}
END_TEST

SUITE("frames", NULL, NULL, test_gives_a_message_that_came_in_any_two_pieces,
      test_gives_two_messages_of_one_read_and_keeps_the_third_half, test_gives_empty_messages,
      test_refuses_a_message_by_its_first_byte_too_many,
      test_takes_the_longest_message_again_and_again)
