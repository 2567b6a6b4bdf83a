/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the program has reported about its back end: sent to a dispatcherd that knows the message,
 * and again to its successor. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    ALERT_TEXT_MAX = 256 /* bytes with the NUL; the rest is cut */
};

struct alert_news {
    pthread_mutex_t lock;
    bool is_known;             /* dispatcherd knows the message */
    bool is_unsent;            /* the channel was full */
    char text[ALERT_TEXT_MAX]; /* "": no problem */
};

void alert_init(struct alert_news *news);

/* A dispatcherd, the first one or a new one, has said whether it knows the message. */
void alert_meet(struct alert_news *news, bool is_known);

/* Reports the problem to it, if there is one. */
void alert_tell(struct alert_news *news, int channel);

/* Tries again what could not be sent. Returns when to call it next (CLOCK_MONOTONIC, microseconds);
 * UINT64_MAX: nothing is left to do. */
uint64_t alert_attend(struct alert_news *news, int channel, uint64_t now);
