/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Following: events reach whoever asked for them, and nobody pays for a slow reader. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control/call.h"
#include "dispatcherd/control/client.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/report/report.h"
#include "support/suite.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FOLLOW      "{\"method\":\"" CONTROL_INTERFACE ".Follow\",\"more\":true}"
#define FOLLOW_ONCE "{\"method\":\"" CONTROL_INTERFACE ".Follow\"}"
#define FOLLOW_POP3                                                                                \
    "{\"method\":\"" CONTROL_INTERFACE                                                             \
    ".Follow\",\"more\":true,\"parameters\":{\"service\":\"pop3\"}}"

static const char configuration[] = "[SERVICE=SMTP]\nPORT=25\nIMAGE=smtp\nHISTORICAL_TIME=60\n"
                                    "[SERVICE=POP3]\nPORT=110\nIMAGE=pop3\n";

static struct control_scene scene;
static sd_event *event;
static struct control_share *share;
static struct control_client *client; /* NULL: it is gone */
static int reader;
static struct varlink_frames frames;

static void on_gone(struct control_client *gone)
{
    control_client_free(gone);
    client = NULL;
}

static void setup(void)
{
    int fds[2];

    scene_init(&scene, configuration);
    const struct control_share_settings settings = {.turn_usec = 1000, .patience_usec = 1000};
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(control_share_new(event, &settings, &share), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    reader = fds[0];
    frames = VARLINK_FRAMES_INIT(64 * 1024 * 1024);
    client = calloc(1, sizeof(*client));
    ck_assert_ptr_nonnull(client);
    *client = (struct control_client){
        .gone = on_gone,
        .operations = &scene_operations,
        .userdata = &scene,
        .share = share,
        .limits = {.call_usec = USEC_PER_SEC / 5,
                   .message_usec = USEC_PER_SEC,
                   .reader_usec = USEC_PER_SEC / 5},
        .fd = fds[1],
        .caller = {.is_trusted = true},
    };
    ck_assert_int_eq(control_client_start(client), 0);
}

static void teardown(void)
{
    if (client)
        on_gone(client);
    fd_close(reader);
    varlink_frames_clear(&frames);
    control_share_free(share);
    sd_event_unref(event);
    scene_clear(&scene);
}

static void turn(void)
{
    for (int i = 0; i < 10; i++)
        ck_assert_int_ge(sd_event_run(event, 0), 0);
}

static void say(const char *text)
{
    ck_assert_int_eq(send(reader, text, strlen(text) + 1, 0), (ssize_t)strlen(text) + 1);
    turn();
}

static void read_some(void)
{
    char *room;
    size_t size;

    ck_assert_int_eq(varlink_frames_room(&frames, &room, &size), 0);
    ssize_t n = recv(reader, room, size, MSG_DONTWAIT);
    if (n > 0)
        varlink_frames_added(&frames, (size_t)n);
}

/* The next reply's parameters, or NULL. */
static json_t *next(void)
{
    const char *text;
    size_t length;
    json_t *reply;

    for (int i = 0; i < 100 && !varlink_frames_next(&frames, &text, &length); i++) {
        turn();
        read_some();
        if (i == 99)
            return NULL;
    }
    ck_assert_int_eq(varlink_reply_parse(text, length, &reply), 0);
    return reply;
}

static const char *get(const json_t *reply, const char *name)
{
    return json_string_value(json_object_get(json_object_get(reply, "parameters"), name));
}

static void expect(const char *name, const char *service)
{
    json_auto_t *reply = next();

    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(get(reply, "event"), name);
    ck_assert(json_is_true(json_object_get(reply, "continues")));
    if (service)
        ck_assert_str_eq(get(reply, "service"), service);
}

static void end_one(size_t service)
{
    struct worker *worker = scene.services[service]->workers[0];

    if (!worker)
        worker = scene_add_worker(&scene, service, 0, 4711);
    completion_end(scene_add_connection(&scene, service, worker), HISTORY_ENDED,
                   time_now_usec(CLOCK_MONOTONIC));
}

START_TEST(test_tells_what_happens)
{
    say(FOLLOW);
    expect("following", NULL);
    end_one(0);
    expect("connection ended", "SMTP");
    struct connection *connection = scene_add_connection(&scene, 0, NULL);
    completion_end(connection, HISTORY_GONE, time_now_usec(CLOCK_MONOTONIC));
    expect("connection gone", "SMTP");
    report(LOG_WARNING, &(struct subject){.service = "POP3", .message_id = "0f"}, "odd");
    json_auto_t *reply = next();
    ck_assert_str_eq(get(reply, "event"), "message");
    ck_assert_str_eq(get(reply, "message_id"), "0f");
    ck_assert_str_eq(get(reply, "text"), "odd");
}
END_TEST

START_TEST(test_names_the_reason_of_a_rejection)
{
    int fd = -1;
    struct connection *connection = connection_new(scene.services[0], &fd, 1);

    say(FOLLOW);
    expect("following", NULL);
    connection_check(connection);
    completion_record(
        connection,
        &(struct connection_end){.how = HISTORY_REJECTED, .at = 2, .reason = REJECTED_BY_THROTTLE});
    json_auto_t *reply = next();
    ck_assert_str_eq(get(reply, "event"), "connection rejected");
    ck_assert_str_eq(get(reply, "reason"), "throttle");
}
END_TEST

START_TEST(test_tells_of_one_service_alone)
{
    say(FOLLOW_POP3);
    expect("following", "POP3");
    end_one(0);
    end_one(1);
    expect("connection ended", "POP3");
    report(LOG_NOTICE, &(struct subject){0}, "of the daemon");
    expect("message", NULL);
}
END_TEST

START_TEST(test_gets_the_last_events_without_another_turn_of_the_loop)
{
    say(FOLLOW);
    expect("following", NULL);
    report(LOG_NOTICE, &(struct subject){0}, "stopping");
    control_client_flush(client);
    on_gone(client);
    expect("message", NULL);
}
END_TEST

START_TEST(test_wants_more)
{
    say(FOLLOW_ONCE);
    json_auto_t *reply = next();
    ck_assert_str_eq(json_string_value(json_object_get(reply, "error")), VARLINK_INVALID_PARAMETER);
    ck_assert(!report_is_followed());
}
END_TEST

START_TEST(test_ends_with_the_client)
{
    say(FOLLOW);
    expect("following", NULL);
    ck_assert(report_is_followed());
    shutdown(reader, SHUT_WR);
    turn();
    ck_assert_ptr_null(client);
    ck_assert(!report_is_followed());
}
END_TEST

START_TEST(test_ends_when_the_client_is_freed)
{
    say(FOLLOW);
    on_gone(client);
    ck_assert(!report_is_followed());
    end_one(0);
}
END_TEST

/* What has no room is counted, and said; what had room comes whole and in order. */
START_TEST(test_counts_what_a_slow_reader_misses)
{
    unsigned n_events = 0;
    bool has_lost = false;

    client->limits.reader_usec = 60 * USEC_PER_SEC;
    say(FOLLOW);
    for (unsigned i = 0; i < 8000; i++)
        end_one(0);
    ck_assert_uint_gt(client->n_lost_events, 0);
    ck_assert_uint_le(client->events_capacity, 1024 * 1024);
    for (;;) {
        ck_assert_ptr_nonnull(client);
        json_auto_t *reply = next();

        if (!reply) {
            if (has_lost && client->n_lost_events == 0)
                break;
            end_one(0); /* there is room again */
            continue;
        }
        n_events++;
        has_lost = has_lost || strcmp(get(reply, "event"), "lost") == 0;
    }
    ck_assert_uint_gt(n_events, 1000);
}
END_TEST

/* It reads all the time, and there is always more. */
START_TEST(test_keeps_who_reads_and_never_comes_to_an_end)
{
    static char bytes[65536];

    /* A busy machine may hold us up, too. */
    client->limits.reader_usec = USEC_PER_SEC;
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 2 * client->limits.reader_usec;
    say(FOLLOW);
    while (time_now_usec(CLOCK_MONOTONIC) < end) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        for (unsigned i = 0; i < 1000 && client->events_size < 512 * 1024 &&
                             time_now_usec(CLOCK_MONOTONIC) < now + client->limits.reader_usec / 4;
             i++)
            end_one(0);
        turn();
        ck_assert_ptr_nonnull(client);
        for (int i = 0; i < 4; i++)
            (void)recv(reader, bytes, sizeof(bytes), MSG_DONTWAIT);
    }
}
END_TEST

/* A reload, a stop, a takeover: whoever follows gets every line of the log. */
START_TEST(test_passes_on_lines_about_the_daemon)
{
    say(FOLLOW_POP3);
    json_decref(next());
    report_daemon(LOG_NOTICE, "reloaded %s", "dispatcher.cnf");
    json_auto_t *reply = next();
    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(get(reply, "event"), "message");
    ck_assert_str_eq(get(reply, "text"), "reloaded dispatcher.cnf");
}
END_TEST

START_TEST(test_drops_who_does_not_read)
{
    say(FOLLOW);
    for (unsigned i = 0; i < 5000; i++)
        end_one(0);
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 5 * USEC_PER_SEC;
    while (client && time_now_usec(CLOCK_MONOTONIC) < end)
        ck_assert_int_ge(sd_event_run(event, 10 * USEC_PER_MSEC), 0);
    ck_assert_ptr_null(client);
}
END_TEST

SUITE("control_follow", setup, teardown, test_tells_what_happens,
      test_names_the_reason_of_a_rejection, test_tells_of_one_service_alone,
      test_gets_the_last_events_without_another_turn_of_the_loop, test_wants_more,
      test_ends_with_the_client, test_ends_when_the_client_is_freed,
      test_counts_what_a_slow_reader_misses, test_keeps_who_reads_and_never_comes_to_an_end,
      test_passes_on_lines_about_the_daemon, test_drops_who_does_not_read)
