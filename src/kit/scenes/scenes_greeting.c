/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* From the start of the worker to its READY, and what holds for every message. */
#include "kit/scenes/scenes.h"

#include "base/memfd.h"
#include "kit/play/play.h"
#include "kit/play/proc.h"
#include "kit/play/verdict.h"

/* Room after a filled string for the longest names and numbers in the longest message. */
#define LONG_BYTES (MESSAGE_BYTES_MAX - 8)

void scene_hello(struct play *play)
{
    play_start(play, &(struct play_start){0});
    play_expect_hello(play);
}

void scene_waits(struct play *play)
{
    scene_hello(play);
    play_stay(play, PLAY_QUIET_MSEC);
}

void scene_ready(struct play *play)
{
    play_begin(play);
    play_stay(play, PLAY_QUIET_MSEC);
}

/* Whether READY is within its limits is checked when it arrives. */
void scene_places(struct play *play)
{
    play_begin_places(play, 1);
    play_drop(play);
    play_begin_places(play, MESSAGE_IDS_MAX);
    play_finish(play, play_take(play));
}

void scene_version(struct play *play)
{
    struct play_welcome welcome = PLAY_WELCOME;

    welcome.version = "2";
    scene_hello(play);
    play_welcome(play, &welcome);
    play_expect_end(play, RULE_VERSION, PLAY_START_LIMIT_MSEC, false);
    MUST(RULE_VERSION, play->phase != PLAY_READY, "READY came after a WELCOME of version 2");
}

void scene_not_welcome(struct play *play)
{
    scene_hello(play);
    play_close_channel(play);
    play_expect_end(play, RULE_NOT_WELCOME, PLAY_START_LIMIT_MSEC, false);
}

static void expect_log_file(struct play *play, enum rule_id rule, int file)
{
    PLAY_WAIT(rule,
              proc_is_same_file(play->worker, 1, file) && proc_is_same_file(play->worker, 2, file),
              play_limit_msec(play), "standard output or standard error is not the log file");
}

static int new_log_file(void)
{
    int file = memfd_new("log");

    CHECK_CALL(file);
    return file;
}

void scene_log_file(struct play *play)
{
    struct play_welcome welcome = PLAY_WELCOME;

    scene_hello(play);
    welcome.log_fd = new_log_file();
    play_welcome(play, &welcome);
    play_expect_ready(play);
    expect_log_file(play, RULE_LOG_FILE, welcome.log_fd);
}

void scene_log_replaced(struct play *play)
{
    uint8_t bytes[sizeof(struct message_header)];
    int file;

    scene_log_file(play);
    if (!play->knows.log)
        verdict_skipped("HELLO does not have LOG=1");
    file = new_log_file();
    play_send(play, bytes, message_write_value(bytes, sizeof(bytes), MESSAGE_LOG, 0), &file, 1);
    expect_log_file(play, RULE_LOG_REPLACED, file);
    play_finish(play, play_take(play));
}

void scene_close_on_exec(struct play *play)
{
    play_begin(play);
    MUST(RULE_CLOSE_ON_EXEC, proc_has_cloexec(play->worker, PROTOCOL_CHANNEL_FD) != 0,
         "descriptor 3 does not have the close-on-exec flag");
    size_t index = play_hold(play);
    int fd = proc_find_socket(play->worker, play->connections[index].inode);
    MUST(RULE_CLOSE_ON_EXEC, fd < 0 || proc_has_cloexec(play->worker, fd) != 0,
         "the descriptor of a connection does not have the close-on-exec flag");
}

void scene_environment(struct play *play)
{
    play_start(play, &(struct play_start){.has_listen_pid = true});
    play_expect_hello(play);
    play_welcome(play, &(struct play_welcome)PLAY_WELCOME);
    play_expect_ready(play);
    play_finish(play, play_take(play));
}

void scene_strings(struct play *play)
{
    struct play_welcome welcome = PLAY_WELCOME;

    welcome.is_mixed = true;
    scene_hello(play);
    play_welcome(play, &welcome);
    play_expect_ready(play);
    play_finish(play, play_take(play));
}

void scene_long_welcome(struct play *play)
{
    struct play_welcome welcome = PLAY_WELCOME;

    welcome.fill = LONG_BYTES;
    scene_hello(play);
    play_welcome(play, &welcome);
    play_expect_ready(play);
    play_finish(play, play_take(play));
}

/* For rules whose breach is noticed in passing. */
void scene_session(struct play *play)
{
    play_begin(play);
    play_stay(play, PLAY_QUIET_MSEC);
    for (int i = 0; i < 3; i++)
        play_finish(play, play_take(play));
    play_stay(play, PLAY_QUIET_MSEC);
}

void scene_alert_asked(struct play *play)
{
    play_start(play, &(struct play_start){0});
    play->no_alert = true;
    play_expect_hello(play);
    play_welcome(play, &(struct play_welcome)PLAY_WELCOME);
    play_expect_ready(play);
    play_finish(play, play_take(play));
    play_stay(play, PLAY_QUIET_MSEC);
}

void scene_alert_text(struct play *play)
{
    scene_session(play);
}
