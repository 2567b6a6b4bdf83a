/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_health.h"

#include "base/time.h"

#include <errno.h>
#include <stddef.h>

#define REFUSED_REASON "it refuses queries from our name server (127.255.255.0/24)"

#define SLOW_REASON                                                                                \
    "it is too slow: its answers take longer than 1 s, and too many connections wait for them"
#define FAILED_REASON "its name servers fail, or cannot be reached"

/* Errors of this host say nothing about the list. */
static bool says_nothing(int error)
{
    return error == -ECANCELED || error == -ENOMEM;
}

static const char *reason_of(int error)
{
    switch (error) {
    case -ETIMEDOUT:
        return "it does not answer";
    case -ECONNREFUSED:
        return "no name server accepts queries about it (connection refused)";
    case -EBADMSG:
        return "its answers are malformed";
    default:
        return FAILED_REASON;
    }
}

static bool set_ill(struct dns_health *health, const char *reason)
{
    bool is_change = health->state != DNS_HEALTH_ILL;

    health->state = DNS_HEALTH_ILL;
    health->reason = reason;
    return is_change;
}

static bool set_well(struct dns_health *health)
{
    bool is_change = health->state == DNS_HEALTH_ILL;

    health->state = DNS_HEALTH_WELL;
    health->reason = NULL;
    health->is_slow = false;
    return is_change;
}

/* Makes a test due now, unless there has just been one. */
static void hurry_test(struct dns_health *health, uint64_t now_usec)
{
    uint64_t soon = time_add_usec(health->last_test_usec, DNS_HEALTH_ILL_USEC);

    if (soon < now_usec)
        soon = now_usec;
    if (health->next_test_usec > soon)
        health->next_test_usec = soon;
}

bool dns_health_note_answer(struct dns_health *health, struct dns_health_answer answer,
                            uint64_t now_usec)
{
    if (says_nothing(answer.error))
        return false;
    if (answer.error < 0) {
        if (++health->n_failures < DNS_HEALTH_FAILURES_MAX)
            return false;
        hurry_test(health, now_usec);
        return set_ill(health, reason_of(answer.error));
    }
    health->n_failures = 0;
    health->answered_usec = now_usec;
    health->last_took_usec = answer.took_usec;
    if (answer.meaning == DNS_ANSWER_REFUSED_CODE) {
        hurry_test(health, now_usec);
        return set_ill(health, REFUSED_REASON);
    }
    /* The zone may have been given up by its owner; its test entries will show that. */
    if (answer.meaning == DNS_ANSWER_NOT_A_LIST)
        hurry_test(health, now_usec);
    return false;
}

bool dns_health_note_waiting(struct dns_health *health, size_t n_waiting, uint64_t now_usec)
{
    bool was_crowded = health->crowd_since_usec > 0;

    if (n_waiting <= DNS_HEALTH_CROWD)
        health->crowd_since_usec = 0;
    else if (!was_crowded)
        health->crowd_since_usec = now_usec;
    return !was_crowded && health->crowd_since_usec > 0;
}

uint64_t dns_health_crowd_due(const struct dns_health *health)
{
    if (health->crowd_since_usec == 0 || health->state == DNS_HEALTH_ILL)
        return UINT64_MAX;
    return time_add_usec(health->crowd_since_usec, DNS_HEALTH_SLOW_USEC);
}

bool dns_health_look_at_crowd(struct dns_health *health, uint64_t now_usec)
{
    if (now_usec < dns_health_crowd_due(health))
        return false;
    /* Many checks wait because many clients come: this is not the list's fault. */
    if (health->answered_usec >= health->crowd_since_usec &&
        health->last_took_usec < DNS_HEALTH_SLOW_USEC) {
        health->crowd_since_usec = now_usec;
        return false;
    }
    hurry_test(health, now_usec);
    health->is_slow = true;
    return set_ill(health, SLOW_REASON);
}

void dns_health_start_afresh(struct dns_health *health, uint64_t now_usec)
{
    health->n_failures = 0;
    if (health->state == DNS_HEALTH_ILL)
        health->next_test_usec = now_usec;
}

/* The reason to set the list aside; NULL if there is none. */
static const char *judge(struct dns_health_answer listed, struct dns_health_answer unlisted)
{
    if (listed.error < 0 && listed.error == unlisted.error)
        return reason_of(listed.error);
    if (listed.error < 0 && unlisted.error < 0)
        return FAILED_REASON;
    if ((listed.error == 0 && listed.meaning == DNS_ANSWER_REFUSED_CODE) ||
        (unlisted.error == 0 && unlisted.meaning == DNS_ANSWER_REFUSED_CODE))
        return REFUSED_REASON;
    if (unlisted.error == 0 && unlisted.meaning == DNS_ANSWER_LISTED)
        return "it lists everybody (its test entry 127.0.0.1 is listed)";
    if ((listed.error == 0 && listed.meaning == DNS_ANSWER_NOT_A_LIST) ||
        (unlisted.error == 0 && unlisted.meaning == DNS_ANSWER_NOT_A_LIST))
        return "it is not, or no longer, a DNS list: its test entries have unexpected addresses";
    return NULL;
}

static bool is_slow(struct dns_health_answer listed, struct dns_health_answer unlisted)
{
    return listed.took_usec >= DNS_HEALTH_SLOW_USEC || unlisted.took_usec >= DNS_HEALTH_SLOW_USEC;
}

bool dns_health_note_test(struct dns_health *health, struct dns_health_answer listed,
                          struct dns_health_answer unlisted, uint64_t now_usec, uint64_t usec_well,
                          uint64_t usec_ill)
{
    const char *reason = judge(listed, unlisted);

    if (!reason && health->is_slow && is_slow(listed, unlisted))
        reason = SLOW_REASON;

    health->last_test_usec = now_usec;
    health->next_test_usec = time_add_usec(now_usec, reason ? usec_ill : usec_well);
    health->lacks_test_entry = listed.error == 0 && listed.meaning == DNS_ANSWER_CLEAN;
    if (!reason)
        health->n_failures = 0;
    return reason ? set_ill(health, reason) : set_well(health);
}
