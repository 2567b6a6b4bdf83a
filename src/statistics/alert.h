/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* When something is worth an administrator's attention, and when it is over: with two marks and two
 * spans of time, so that what wavers is one alert and not a hundred.
 *
 *              value >= high for raise_usec
 *      calm  ------------------------------->  raised
 *            <-------------------------------
 *              value <= low for clear_usec
 *
 * A value between the marks breaks off either span, and changes nothing else. So an alert is raised
 * again at the earliest clear_usec after it was raised the last time.
 *
 * Pure, and plain data; all zero is calm. The value is taken to stay as it is between two updates:
 * the caller updates at each change of it, and when alert_due() says so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Times are CLOCK_MONOTONIC, in microseconds. */
struct alert_rule {
    uint64_t high;
    uint64_t low; /* less than `high` */
    uint64_t raise_usec;
    uint64_t clear_usec;
};

struct alert {
    bool is_raised;
    bool is_turning; /* the span after which that changes has begun, at `turning_at` */
    uint64_t turning_at;
    uint64_t raised_at; /* the last time; counted from where the value was high */
    uint64_t ended_at;  /* the last time; counted from where the value was low */
    uint64_t worst;     /* the highest value since `raised_at` */
};

enum alert_change {
    ALERT_SAME,
    ALERT_RAISED,
    ALERT_CLEARED, /* the times and `worst` still tell of what is over */
};

/* The value is this one from `now` on. The rule may be another one each time. */
enum alert_change alert_update(struct alert *alert, const struct alert_rule *rule, uint64_t value,
                               uint64_t now);

/* While it is raised: the value was as high as that for a moment between two updates. */
void alert_note(struct alert *alert, uint64_t value);

/* When to update again though the value stays: USEC_INFINITY: only after a change of it. */
uint64_t alert_due(const struct alert *alert, const struct alert_rule *rule);

/* It is over at once, whatever its span: nobody looks at the value any more. */
enum alert_change alert_end(struct alert *alert, uint64_t now);

/* How long it has lasted, or did last. */
uint64_t alert_duration(const struct alert *alert, uint64_t now);

/* Events that follow each other without a long pause: "three times in a row". */
struct alert_row {
    unsigned n;
    uint64_t last_at;
};

/* One more. If the last is longer ago than `pause_usec` a new row begins with it. Returns its
 * length. */
unsigned alert_row_note(struct alert_row *row, uint64_t pause_usec, uint64_t now);
