/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What counting costs: all that is counted of one connection that is admitted, handed over and
 * served, in nanoseconds. Beside it stands what dispatcherd takes for such a connection, told by
 * `make bench`: tens of microseconds.
 *
 *   counting [CONNECTIONS] */
#include "base/time.h"
#include "statistics/statistics.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECTIONS = 10 * 1000 * 1000,
    OPEN = 40, /* at a time */
};

/* As of a connection that waits 50 us and lasts 4 ms. */
static void count(struct statistics *statistics, uint64_t now)
{
    statistics_count_accepted(statistics);
    statistics_count_admitted(statistics, now);
    statistics_set_concurrent(statistics, OPEN + 1, now + 40);
    statistics_count_taken(statistics, now, now + 50);
    statistics_count_ended(statistics, now, now + 4000);
    statistics_set_concurrent(statistics, OPEN, now + 4000);
}

int main(int argc, char *argv[])
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : CONNECTIONS;
    static struct statistics statistics;

    statistics_start(&statistics, 1);
    uint64_t began_at = time_now_usec(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned long i = 0; i < n; i++)
        count(&statistics, 1 + i * 100);
    uint64_t usec = time_now_usec(CLOCK_PROCESS_CPUTIME_ID) - began_at;
    if (n == 0 || statistics.n_ended != n)
        return EXIT_FAILURE;
    printf("counting: %.1f ns a connection\n", (double)usec * 1000 / (double)n);
    return EXIT_SUCCESS;
}
