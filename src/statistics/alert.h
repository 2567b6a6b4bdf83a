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
    bool is_turning; /* the span before the state changes has begun, and ends at `turning_at` */
    uint64_t turning_at;
    uint64_t raised_at; /* last time; counted from when the value became high */
    uint64_t ended_at;  /* last time; counted from when the value became low */
    uint64_t worst;     /* the highest value since `raised_at` */
};

enum alert_change {
    ALERT_SAME,
    ALERT_RAISED,
    ALERT_CLEARED, /* the times and `worst` still describe the last alert */
};

/* Sets the value from `now` on. The rule may differ from call to call. */
enum alert_change alert_update(struct alert *alert, const struct alert_rule *rule, uint64_t value,
                               uint64_t now);

/* While it is raised: the value was this high for a moment between two updates. */
void alert_note(struct alert *alert, uint64_t value);

/* When to update again even if the value does not change; USEC_INFINITY: not before it does. */
uint64_t alert_due(const struct alert *alert, const struct alert_rule *rule);

/* Ends the alert at once: nobody watches the value any more. */
enum alert_change alert_end(struct alert *alert, uint64_t now);

/* How long it has lasted, or lasted last time. */
uint64_t alert_duration(const struct alert *alert, uint64_t now);

/* Events that follow one another without a long pause: "three times in a row". */
struct alert_row {
    unsigned n;
    uint64_t last_at;
};

/* Counts an event. If the last one was more than `pause_usec` ago, this one begins a new row.
 * Returns the length of the row. */
unsigned alert_row_note(struct alert_row *row, uint64_t pause_usec, uint64_t now);
