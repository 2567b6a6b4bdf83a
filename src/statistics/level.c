/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/level.h"

#include "base/time.h"

/* The product of level and microseconds overflows within days in a busy service; kept in two parts,
 * it does not. */
static void advance(struct level *level, uint64_t now)
{
    if (now <= level->changed_at)
        return;
    uint64_t span = now - level->changed_at;
    uint64_t usec = level->value * (span % USEC_PER_SEC) + level->area_usec;
    level->area_sec += level->value * (span / USEC_PER_SEC) + usec / USEC_PER_SEC;
    level->area_usec = usec % USEC_PER_SEC;
    level->changed_at = now;
}

static void change(struct level *level, uint32_t value, uint64_t now)
{
    advance(level, now);
    if (level->max == 0 || value < level->min)
        level->min = value;
    if (value > level->max)
        level->max = value;
    level->value = value;
}

static void end_hold(struct level *level, uint64_t now)
{
    if (level->held_until == 0 || now < level->held_until)
        return;
    uint64_t until = level->held_until;
    level->held_until = 0;
    change(level, level->held_value, until);
}

void level_start(struct level *level, uint64_t now)
{
    *level = (struct level){.started_at = now, .changed_at = now};
}

void level_set(struct level *level, uint32_t value, uint64_t now)
{
    end_hold(level, now);
    if (level->held_until > 0 && value < level->value) {
        level->held_value = value;
        return;
    }
    level->held_until = 0;
    if (value != level->value)
        change(level, value, now);
}

void level_resume(struct level *level, uint64_t now)
{
    end_hold(level, now);
    advance(level, now);
    level->held_until = time_add_usec(now, LEVEL_RESUME_USEC);
    level->held_value = 0;
}

struct level_summary level_summary(const struct level *level, uint64_t now)
{
    struct level copy = *level;

    end_hold(&copy, now);
    advance(&copy, now);
    double span = (double)(copy.changed_at - copy.started_at) / (double)USEC_PER_SEC;
    double area = (double)copy.area_sec + (double)copy.area_usec / (double)USEC_PER_SEC;
    double average = span > 0 ? area / span : 0;
    /* Because of rounding, the average of a level that has not changed may exceed its maximum. */
    return (struct level_summary){
        .min = copy.min,
        .max = copy.max,
        .average = average < copy.max ? average : copy.max,
    };
}
