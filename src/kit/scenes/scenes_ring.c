/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The ring, and when the worker must announce its entries by NEWS. */
#include "kit/scenes/scenes.h"

#include "kit/play/play.h"
#include "kit/play/proc.h"
#include "kit/play/verdict.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    N_WRAPS = 20, /* connections of a worker with one place, whose ring has room for two */
    NEWS_MSEC = 2000,
    REFUSE_ALL = RING_WANTS_ANSWERS | RING_WANTS_ENDS
};

static void begin(struct play *play)
{
    play_begin(play);
    if (!play->ring.memory)
        verdict_skipped("the worker does not ask for a ring");
}

/* Reads all entries; from now on NEWS is required. */
static void begin_news(struct play *play, uint32_t wanted)
{
    play_stay(play, PLAY_CLOSED_MSEC);
    ring_want(&play->ring, wanted);
    play_look(play);
    play->n_news = 0;
}

static void expect_news(struct play *play, enum rule_id rule, const char *what)
{
    uint64_t end = play_deadline(NEWS_MSEC);

    while (play->n_news == 0) {
        MUST(rule, play_left(end) > 0, "no NEWS within %d s after %s", NEWS_MSEC / 1000, what);
        (void)play_step_channel(play, play_left(end));
    }
}

/* Reads nothing until the worker has published `n` more entries. */
static void wait_for_entries(struct play *play, int n, const char *what)
{
    uint64_t end = play_deadline(play_limit_msec(play));

    while (ring_pending(&play->ring) < n) {
        MUST(play->rule, play_left(end) > 0, "no %s in the ring", what);
        usleep(500);
    }
}

void scene_wrap(struct play *play)
{
    play_begin_places(play, 1);
    if (!play->ring.memory)
        verdict_skipped("the worker does not ask for a ring");
    for (int i = 0; i < N_WRAPS; i++)
        play_finish(play, play_take(play));
}

void scene_ring_closed(struct play *play)
{
    begin(play);
    play_freeze(play);
    (void)play_connect(play);
    (void)ring_close(&play->ring);
    uint64_t tail = atomic_load(&play->ring.memory->tail);
    CHECK_CALL(shutdown(play->channel, SHUT_RDWR));
    play->may_end = play->is_at_end = true;
    play_thaw(play);
    uint64_t end = play_deadline(PLAY_ANSWER_LIMIT_MSEC);
    while (!play_has_ended(play) && play_left(end) > 0)
        usleep(1000);
    MUST(RULE_RING_CLOSED, atomic_load(&play->ring.memory->tail) == tail,
         "the tail was moved after the ring was closed");
}

void scene_ring_descriptor(struct play *play)
{
    begin(play);
    MUST(RULE_RING_FD, proc_find_memfd(play->worker, "dispatcherd-ring") < 0,
         "the ring's descriptor is open");
}

void scene_news_answer(struct play *play)
{
    begin(play);
    begin_news(play, RING_WANTS_ANSWERS);
    (void)play_connect(play);
    expect_news(play, RULE_NEWS_ANSWER, "ACKNOWLEDGE, and bit 0 of wanted is set");
}

void scene_news_end(struct play *play)
{
    begin(play);
    size_t index = play_hold(play);
    begin_news(play, RING_WANTS_ENDS);
    play_hang_up(play, index);
    expect_news(play, RULE_NEWS_END, "ENDED, and bit 1 of wanted is set");
}

void scene_news_unread(struct play *play)
{
    begin(play);
    begin_news(play, 0);
    size_t index = play_connect(play);
    wait_for_entries(play, 1, "ACKNOWLEDGE");
    play_hang_up(play, index);
    wait_for_entries(play, 2, "ENDED");
    expect_news(play, RULE_NEWS_UNREAD, "ENDED of a session whose ACKNOWLEDGE was not read");
}

void scene_news_later(struct play *play)
{
    begin(play);
    size_t index = play_hold(play);
    begin_news(play, 0);
    play_hang_up(play, index);
    wait_for_entries(play, 1, "ENDED");
    expect_news(play, RULE_NEWS_LATER, "ENDED, which has not been read");
}

void scene_news_refuse(struct play *play)
{
    begin(play);
    for (unsigned i = 0; i < play->n_places; i++)
        (void)play_hold(play);
    begin_news(play, 0);
    (void)play_connect(play);
    wait_for_entries(play, 1, "REFUSE");
    expect_news(play, RULE_NEWS_REFUSE, "REFUSE");
}

void scene_news_draining(struct play *play)
{
    begin(play);
    (void)play_hold(play);
    begin_news(play, 0);
    play_signal(play, SIGTERM);
    play->may_end = true;
    wait_for_entries(play, 1, "DRAINING");
    expect_news(play, RULE_NEWS_DRAINING, "DRAINING");
}

void scene_news_drains(struct play *play)
{
    begin(play);
    size_t first = play_hold(play);
    (void)play_hold(play);
    play->is_told = true;
    play_send_value(play, MESSAGE_DRAIN, 3600);
    begin_news(play, 0);
    if (play->connections[first].state == PLAY_OVER)
        verdict_skipped("sessions end by themselves when this worker drains");
    play_hang_up(play, first);
    wait_for_entries(play, 1, "ENDED");
    expect_news(play, RULE_NEWS_DRAINS, "ENDED of a worker that drains");
}

void scene_news_once(struct play *play)
{
    begin(play);
    begin_news(play, REFUSE_ALL);
    play->keeps_poked = true;
    play_finish(play, play_take(play));
    PLAY_WAIT(RULE_NEWS_ANSWER, play->n_news > 0, NEWS_MSEC,
              "no NEWS after ACKNOWLEDGE, and bit 0 of wanted is set");
    for (int i = 0; i < 3; i++)
        play_finish(play, play_take(play));
    play_stay(play, PLAY_QUIET_MSEC);
    MUST(RULE_NEWS_ONCE, play->n_news == 1, "NEWS came %u times while poked was 1", play->n_news);
}
