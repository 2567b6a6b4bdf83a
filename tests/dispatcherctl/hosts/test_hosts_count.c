/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is counted over all hosts. */
#include "dispatcherctl/hosts/hosts_count.h"
#include "support/suite.h"

/* The sums of three connections on two hosts, sorted by something else than the host. */
static json_t *sum_connections(const struct selection *selection)
{
    json_auto_t *merged =
        json_pack("{s:[{s:s}, {s:s}], s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}", "hosts", "host",
                  "a", "host", "b", "connections", "host", "a", "service", "SMTP", "host", "b",
                  "service", "SMTP", "host", "a", "service", "smtp");

    ck_assert_ptr_nonnull(merged);
    json_t *sums = hosts_sum_rows(merged, (const char *const[]){"connections", NULL}, selection);
    ck_assert(json_is_array(sums));
    return sums;
}

START_TEST(test_counts_connections_of_all_hosts)
{
    const struct selection all = {.limit = 0};
    json_auto_t *sums = sum_connections(&all);
    json_auto_t *expected =
        json_pack("[{s:s, s:i, s:i}]", "service", "SMTP", "hosts", 2, "connections", 3);

    ck_assert(json_equal(sums, expected));
}
END_TEST

/* The rows of a limit are the first ones, and no count of all. */
START_TEST(test_counts_no_connections_of_a_limit)
{
    const struct selection some = {.limit = 3, .is_set = {[SELECTION_LIMIT] = true}};
    json_auto_t *sums = sum_connections(&some);

    ck_assert_uint_eq(json_array_size(sums), 0);
}
END_TEST

/* A service of which a host has ended workers alone is on that host, too. */
START_TEST(test_counts_several_lists)
{
    static const char *const lists[] = {"workers", "connections", NULL};
    const struct selection all = {.limit = 0};
    json_auto_t *merged =
        json_pack("{s:[{s:s}, {s:s}], s:[{s:s, s:s}, {s:s, s:s}], s:[{s:s, s:s}, {s:s, s:s}]}",
                  "hosts", "host", "a", "host", "b", "connections", "host", "a", "service", "SMTP",
                  "host", "a", "service", "SMTP", "workers", "host", "a", "service", "SMTP", "host",
                  "b", "service", "SMTP");
    json_auto_t *sums = hosts_sum_rows(merged, lists, &all);
    json_auto_t *expected = json_pack("[{s:s, s:i, s:i, s:i}]", "service", "SMTP", "hosts", 2,
                                      "workers", 2, "connections", 2);

    ck_assert(json_equal(sums, expected));
    /* One that no row has is 0. */
    json_object_del(merged, "workers");
    json_auto_t *fewer = hosts_sum_rows(merged, lists, &all);
    expected = (json_decref(expected), json_pack("[{s:s, s:i, s:i, s:i}]", "service", "SMTP",
                                                 "hosts", 1, "workers", 0, "connections", 2));
    ck_assert(json_equal(fewer, expected));
}
END_TEST

SUITE("hosts_count", NULL, NULL, test_counts_connections_of_all_hosts,
      test_counts_no_connections_of_a_limit, test_counts_several_lists)
