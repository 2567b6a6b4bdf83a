/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The control socket itself: its file, its clients, and what they cannot do to the daemon. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control/client_limits.h"
#include "dispatcherd/control/control.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STATUS "{\"method\":\"io.dispatcherd.Control.Status\"}"
#define INFO   "{\"method\":\"org.varlink.service.GetInfo\"}"
#define FOLLOW "{\"method\":\"io.dispatcherd.Control.Follow\",\"more\":true}"
#define RELOAD "{\"method\":\"io.dispatcherd.Control.Reload\"}"
#define DESCRIBE                                                                                   \
    "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"   \
    "\"io.dispatcherd.Control\"}}"

static const char configuration[] = "[SERVICE=SMTP]\nPORT=25\nIMAGE=smtp\n";

static struct control_scene scene;
static struct control *control;
static sd_event *event;
static char folder[64], path[80];
static uid_t peer_uid; /* what the injected credentials say */
static bool peer_is_page;
static uint64_t idle_limit_usec;
static char last_line[512];

static void take_event(_unused_ struct follower *follower, json_t *event_)
{
    snprintf(last_line, sizeof(last_line), "%s",
             json_string_value(json_object_get(event_, "text")));
}

static struct follower log_follower = {.take = take_event};

static int read_injected(_unused_ int fd, struct control_peer *ret)
{
    *ret = (struct control_peer){.pid = 1, .uid = peer_uid, .gid = peer_uid};
    return 0;
}

static bool is_page_injected(_unused_ int fd)
{
    return peer_is_page;
}

static int start(void)
{
    const struct control_limits limits = {
        .call_usec = idle_limit_usec,
        .message_usec = USEC_PER_SEC,
        .reader_usec = USEC_PER_SEC / 5,
    };
    const struct control_settings settings = {
        .event = event,
        .path = path,
        .operations = &scene_operations,
        .userdata = &scene,
        .read_peer = read_injected,
        .is_page = is_page_injected,
        .limits = &limits,
    };

    return control_new(&settings, &control);
}

static void setup(void)
{
    strcpy(folder, "/tmp/test_control.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/control", folder);
    scene_init(&scene, configuration);
    peer_uid = 0;
    peer_is_page = false;
    idle_limit_usec = 60 * USEC_PER_SEC;
    control = NULL;
    last_line[0] = '\0';
    events_follow(&log_follower);
    ck_assert_int_ge(sd_event_new(&event), 0);
}

static void teardown(void)
{
    control_free(control);
    sd_event_unref(event);
    events_leave(&log_follower);
    scene_clear(&scene);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void turn(uint64_t usec)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + usec;

    do
        ck_assert_int_ge(sd_event_run(event, 5 * USEC_PER_MSEC), 0);
    while (time_now_usec(CLOCK_MONOTONIC) < end);
}

static bool is_closed(int fd);

static void turn_until_closed(int fd)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;

    while (!is_closed(fd) && time_now_usec(CLOCK_MONOTONIC) < end)
        turn(0);
    ck_assert(is_closed(fd));
}

static ssize_t turn_until_read(int fd, char *text, size_t size)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;
    ssize_t n;

    while ((n = recv(fd, text, size, MSG_DONTWAIT)) < 0 && time_now_usec(CLOCK_MONOTONIC) < end)
        turn(0);
    return n;
}

static int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_bytes(int fd, const char *bytes, size_t size)
{
    ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* With its NUL. */
static void send_text(int fd, const char *text)
{
    send_bytes(fd, text, strlen(text) + 1);
}

/* Turns the loop until `n` replies have come. Returns false where the connection has ended before,
 * or three seconds were not enough. */
static bool read_replies(int fd, unsigned n)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 3 * USEC_PER_SEC;
    char byte;

    while (n > 0 && time_now_usec(CLOCK_MONOTONIC) < end) {
        ssize_t size = recv(fd, &byte, 1, 0);

        if (size == 0 || (size < 0 && errno != EAGAIN))
            return false;
        if (size == 1 && byte == '\0')
            n--;
        if (size < 0)
            turn(0);
    }
    return n == 0;
}

static bool is_closed(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

START_TEST(test_makes_a_socket_for_everybody_and_removes_it)
{
    struct stat st;
    mode_t mask = umask(0077);

    ck_assert_int_eq(start(), 0);
    umask(mask);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISSOCK(st.st_mode));
    ck_assert_int_eq(st.st_mode & 0777, 0666);
    control_free(control);
    control = NULL;
    ck_assert_int_lt(lstat(path, &st), 0);
}
END_TEST

START_TEST(test_removes_a_socket_that_nobody_listens_at)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, path);
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    fd = fd_close(fd);
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int client = connect_client();
    send_text(client, INFO);
    ck_assert(read_replies(client, 1));
}
END_TEST

START_TEST(test_leaves_a_socket_where_somebody_answers)
{
    ck_assert_int_eq(start(), 0);
    struct control *first = control;
    ck_assert_int_eq(start(), -EADDRINUSE);
    control = first;
    _cleanup_fd_ int client = connect_client();
    send_text(client, INFO);
    ck_assert(read_replies(client, 1));
}
END_TEST

START_TEST(test_leaves_what_is_no_socket)
{
    _cleanup_fd_ int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(start(), -EEXIST);
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_leaves_the_file_of_a_successor)
{
    struct stat st;

    ck_assert_int_eq(start(), 0);
    ck_assert_int_eq(unlink(path), 0);
    _cleanup_fd_ int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    control_free(control);
    control = NULL;
    ck_assert_int_eq(lstat(path, &st), 0);
}
END_TEST

START_TEST(test_answers_calls_that_come_together_and_in_pieces)
{
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int client = connect_client();
    send_bytes(client, INFO "\0" STATUS, sizeof(INFO "\0" STATUS));
    ck_assert(read_replies(client, 2));
    send_bytes(client, STATUS, 10);
    turn(20 * USEC_PER_MSEC);
    send_text(client, &STATUS[10]);
    ck_assert(read_replies(client, 1));
    /* The limit of the half one is over with it. */
    turn(2 * USEC_PER_SEC);
    send_text(client, STATUS);
    ck_assert(read_replies(client, 1));
}
END_TEST

START_TEST(test_answers_a_hundred_calls_in_one_go)
{
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int client = connect_client();
    for (int i = 0; i < 100; i++)
        send_text(client, INFO);
    ck_assert(read_replies(client, 100));
}
END_TEST

START_TEST(test_answers_who_has_shut_his_side)
{
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int client = connect_client();
    for (int i = 0; i < 20; i++)
        send_text(client, INFO);
    shutdown(client, SHUT_WR);
    ck_assert(read_replies(client, 20));
    turn_until_closed(client);
}
END_TEST

START_TEST(test_judges_by_the_credentials)
{
    char text[512] = "";

    ck_assert_int_eq(start(), 0);
    peer_uid = geteuid() + 1000;
    _cleanup_fd_ int stranger = connect_client();
    turn(20 * USEC_PER_MSEC);
    peer_uid = 0;
    _cleanup_fd_ int root = connect_client();
    send_text(root, RELOAD);
    ck_assert(read_replies(root, 1));
    ck_assert_uint_eq(scene.n_reloads, 1);
    send_text(stranger, RELOAD);
    ck_assert_int_gt(turn_until_read(stranger, text, sizeof(text) - 1), 0);
    ck_assert_ptr_nonnull(strstr(text, "io.dispatcherd.Control.PermissionDenied"));
    ck_assert_uint_eq(scene.n_reloads, 1);
}
END_TEST

START_TEST(test_drops_who_talks_nonsense)
{
    static const char *const texts[] = {"", "EHLO there", "[]", "{\"method\":7}", "\xff\xfe"};

    ck_assert_int_eq(start(), 0);
    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        _cleanup_fd_ int client = connect_client();
        send_text(client, texts[i]);
        ck_assert(!read_replies(client, 1));
        ck_assert(is_closed(client));
    }
}
END_TEST

START_TEST(test_drops_who_sends_too_long_a_call)
{
    static char text[70000];

    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int client = connect_client();
    memset(text, ' ', sizeof(text));
    send_bytes(client, text, sizeof(text));
    turn_until_closed(client);
}
END_TEST

START_TEST(test_drops_who_stops_in_the_middle_of_a_call)
{
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int slow = connect_client(), silent = connect_client();
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;
    /* A byte now and then does not help. */
    while (!is_closed(slow) && time_now_usec(CLOCK_MONOTONIC) < end) {
        (void)send(slow, "{", 1, MSG_NOSIGNAL);
        turn(50 * USEC_PER_MSEC);
    }
    ck_assert(is_closed(slow));
    /* Who has not begun may stay. */
    send_text(silent, INFO);
    ck_assert(read_replies(silent, 1));
}
END_TEST

/* As many calls as the kernel takes from somebody who reads no reply. */
static unsigned flood(int fd)
{
    unsigned n = 0;

    while (n < 100000 && send(fd, DESCRIBE, sizeof(DESCRIBE), MSG_NOSIGNAL) == sizeof(DESCRIBE)) {
        n++;
        turn(0);
    }
    return n;
}

START_TEST(test_reads_no_further_from_who_does_not_read)
{
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int reader = connect_client();
    unsigned n = flood(reader);
    /* What is answered is what fits into the kernel's buffers, and one. */
    ck_assert_uint_lt(n, 10000);
    _cleanup_fd_ int other = connect_client();
    send_text(other, INFO);
    ck_assert(read_replies(other, 1));
}
END_TEST

/* Reads what the kernel still has, byte by byte being too slow for a busy machine. */
static void drain(int fd)
{
    char bytes[65536];

    while (recv(fd, bytes, sizeof(bytes), 0) > 0)
        ;
}

START_TEST(test_drops_who_does_not_read_in_time)
{
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int client = connect_client();
    flood(client);
    turn(USEC_PER_SEC / 2);
    drain(client);
    ck_assert(is_closed(client));
}
END_TEST

START_TEST(test_survives_clients_that_vanish)
{
    ck_assert_int_eq(start(), 0);
    for (int i = 0; i < 20; i++) {
        int client = connect_client();

        for (int k = 0; k < i; k++)
            send_text(client, DESCRIBE);
        if (i % 2)
            turn(USEC_PER_MSEC);
        fd_close(client);
    }
    turn(300 * USEC_PER_MSEC);
    _cleanup_fd_ int client = connect_client();
    send_text(client, INFO);
    ck_assert(read_replies(client, 1));
}
END_TEST

/* Connects `n` clients of the user, each of which makes a call. They stay open until the test
 * ends. */
static void crowd(uid_t uid, unsigned n, int ret[])
{
    peer_uid = uid;
    for (unsigned i = 0; i < n; i++) {
        ret[i] = connect_client();
        send_text(ret[i], INFO);
        ck_assert_msg(read_replies(ret[i], 1), "client %u of %u", i, n);
    }
}

START_TEST(test_serves_everybody_who_comes_and_closes_the_longest_idle)
{
    uid_t somebody = geteuid() + 1000;
    int clients[100], root, page;

    ck_assert_int_eq(start(), 0);
    crowd(0, 1, &root);
    peer_is_page = true;
    crowd(somebody, 1, &page);
    peer_is_page = false;
    for (uid_t i = 0; i < 5; i++)
        crowd(somebody + i, 20, &clients[20 * i]);
    ck_assert_ptr_nonnull(
        strstr(last_line, "closing the one that has been idle for longest (1 connection so far)"));
    /* 16 places a user, and 48 in all: those of the first two users have gone to the last two. */
    for (int i = 0; i < 100; i++)
        ck_assert_msg(is_closed(clients[i]) == (i < 40 || i % 20 < 4), "client %d", i);
    send_text(root, INFO);
    ck_assert(read_replies(root, 1));
    send_text(page, INFO);
    ck_assert(read_replies(page, 1));
}
END_TEST

START_TEST(test_a_caller_with_rights_displaces_nobody_who_is_busy)
{
    int clients[CLIENT_LIMIT_TRUSTED];

    ck_assert_int_eq(start(), 0);
    for (unsigned i = 0; i < CLIENT_LIMIT_TRUSTED; i++) {
        clients[i] = connect_client();
        send_text(clients[i], FOLLOW);
        ck_assert(read_replies(clients[i], 1));
    }
    _cleanup_fd_ int late = connect_client();
    ck_assert(!read_replies(late, 1));
    ck_assert_ptr_nonnull(strstr(last_line, "turning a new one away, since none of the others is "
                                            "idle (1 connection so far)"));
    for (unsigned i = 0; i < CLIENT_LIMIT_TRUSTED; i++) {
        ck_assert(!is_closed(clients[i]));
        fd_close(clients[i]);
    }
}
END_TEST

START_TEST(test_drops_who_is_idle_unless_it_follows)
{
    idle_limit_usec = USEC_PER_SEC;
    ck_assert_int_eq(start(), 0);
    _cleanup_fd_ int idle = connect_client(), silent = connect_client();
    _cleanup_fd_ int follower = connect_client();
    send_text(idle, INFO);
    ck_assert(read_replies(idle, 1));
    send_text(follower, FOLLOW);
    ck_assert(read_replies(follower, 1));
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;
    while (!(is_closed(idle) && is_closed(silent)) && time_now_usec(CLOCK_MONOTONIC) < end)
        turn(10 * USEC_PER_MSEC);
    ck_assert(is_closed(idle) && is_closed(silent));
    turn(2 * USEC_PER_SEC);
    ck_assert(!is_closed(follower));
}
END_TEST

SUITE("control", setup, teardown, test_makes_a_socket_for_everybody_and_removes_it,
      test_removes_a_socket_that_nobody_listens_at, test_leaves_a_socket_where_somebody_answers,
      test_leaves_what_is_no_socket, test_leaves_the_file_of_a_successor,
      test_answers_calls_that_come_together_and_in_pieces, test_answers_a_hundred_calls_in_one_go,
      test_answers_who_has_shut_his_side, test_judges_by_the_credentials,
      test_drops_who_talks_nonsense, test_drops_who_sends_too_long_a_call,
      test_drops_who_stops_in_the_middle_of_a_call, test_reads_no_further_from_who_does_not_read,
      test_drops_who_does_not_read_in_time, test_survives_clients_that_vanish,
      test_serves_everybody_who_comes_and_closes_the_longest_idle,
      test_a_caller_with_rights_displaces_nobody_who_is_busy,
      test_drops_who_is_idle_unless_it_follows)
