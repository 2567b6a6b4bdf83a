#include "access/dns_server.h"
#include "access/tcp.h"
#include "support/suite.h"

#include "access/dns_lists.h"
#include "base/macro.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

/* Short, so that tests of silence are: and long enough for a loop with much to do. */
#define LIMIT_USEC (300 * USEC_PER_MSEC)
#define LONG_USEC  (3600 * USEC_PER_SEC)

#define ZONES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What came of one asking. */
struct result {
    bool is_done;
    struct dns_request *request;
    struct dns_lists_answer answer;
    char text[DNS_TEXT_MAX + 1];
    struct dns_request *to_cancel; /* from the callback */
};

static sd_event *event;
static struct dns_server server;
static struct dns_lists *lists;
static unsigned n_ill, n_well;
static char last_health[256];

static void on_health(const char *zone, bool is_well, const char *reason, void *userdata)
{
    ck_assert_ptr_eq(userdata, &event);
    ck_assert_int_eq(is_well, reason == NULL);
    *(is_well ? &n_well : &n_ill) += 1;
    snprintf(last_health, sizeof(last_health), "%s: %s", zone, is_well ? "well" : reason);
}

static void open_lists(const char *servers)
{
    const struct dns_lists_callbacks callbacks = {.on_health = on_health, .userdata = &event};

    ck_assert_int_eq(dns_lists_new(event, servers, &callbacks, &lists), 0);
    dns_lists_set_times(lists, LIMIT_USEC, LONG_USEC, LONG_USEC);
}

static void setup(void)
{
    ck_assert_int_ge(sd_event_new(&event), 0);
    dns_server_start(&server, event);
    open_lists(server.address);
    n_ill = n_well = 0;
}

static void teardown(void)
{
    dns_lists_free(lists);
    dns_server_stop(&server);
    sd_event_unref(event);
}

static void keep(struct result *result, const struct dns_lists_answer *answer)
{
    ck_assert(!result->is_done);
    result->is_done = true;
    result->request = NULL;
    result->answer = *answer;
    ck_assert_int_eq(answer->is_listed, answer->outcome == DNS_LISTS_LISTED);
    if (answer->text)
        snprintf(result->text, sizeof(result->text), "%s", answer->text);
}

static void on_answer(struct dns_request *request, const struct dns_lists_answer *answer,
                      void *userdata)
{
    struct result *result = userdata;

    ck_assert_ptr_eq(request, result->request);
    keep(result, answer);
    dns_request_cancel(result->to_cancel);
}

/* Asks without waiting. Returns true where the answer was known at once. */
static bool start(struct result *result, const char *client, const char *const zones[],
                  bool want_text)
{
    struct address address;
    struct dns_lists_answer answer;
    size_t n_zones = 0;

    ck_assert_int_eq(address_parse(client, &address), 0);
    while (zones[n_zones])
        n_zones++;
    *result = (struct result){0};
    int r = dns_lists_ask(lists, &address, zones, n_zones, want_text, on_answer, result,
                          &result->request, &answer);
    ck_assert_int_ge(r, 0);
    if (r > 0)
        keep(result, &answer);
    return r > 0;
}

static enum dns_lists_outcome ask(const char *client, const char *const zones[])
{
    struct result result;

    if (!start(&result, client, zones, false))
        loop_until_flag(event, &result.is_done);
    return result.answer.outcome;
}

static struct dns_zone_figures figures_of(const char *name)
{
    struct dns_zone_figures figures = {0};
    const struct dns_zone *zone = NULL;

    while ((zone = dns_lists_next_zone(lists, zone, &figures)))
        if (strcmp(figures.zone, name) == 0)
            return figures;
    ck_abort_msg("%s is not known", name);
    return figures;
}

START_TEST(test_tells_who_is_listed)
{
    ck_assert_int_eq(ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    ck_assert_int_eq(ask("192.0.2.2", ZONES("list.test")), DNS_LISTS_CLEAN);
    ck_assert_str_eq(server.last_name, "2.2.0.192.list.test");
    ck_assert_int_eq(ask("2001:db8::2", ZONES("list.test")), DNS_LISTS_CLEAN);
    ck_assert_uint_eq(server.n_tests, 2);
    ck_assert_uint_eq(server.n_texts, 0);
    struct dns_zone_figures figures = figures_of("list.test");
    ck_assert_uint_eq(figures.n_queries, 3);
    ck_assert_uint_eq(figures.n_listed, 1);
    ck_assert(!figures.is_set_aside);
    ck_assert_uint_eq(n_ill + n_well, 0);
}
END_TEST

START_TEST(test_knows_from_the_cache_at_once)
{
    struct result result;

    ck_assert(!start(&result, "192.0.2.1", ZONES("list.test"), true));
    loop_until_flag(event, &result.is_done);
    ck_assert_str_eq(result.text, "Blocked; see https://list.test/?ip=$1|$N?~");
    ck_assert_int_eq(ask("192.0.2.2", ZONES("List.Test.")), DNS_LISTS_CLEAN);
    unsigned n_queries = server.n_queries;
    ck_assert(start(&result, "192.0.2.1", ZONES("LIST.test."), true));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_str_eq(result.answer.zone, "list.test");
    ck_assert_str_eq(result.text, "Blocked; see https://list.test/?ip=$1|$N?~");
    ck_assert(start(&result, "192.0.2.2", ZONES("list.test"), true));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_CLEAN);
    ck_assert_uint_eq(server.n_queries, n_queries);
}
END_TEST

static int look(const char *client, const char *zone, struct dns_lists_answer *ret)
{
    struct address address;

    ck_assert_int_eq(address_parse(client, &address), 0);
    return dns_lists_look(lists, &address, zone, ret) ? (int)ret->outcome : -1;
}

START_TEST(test_looking_asks_nobody)
{
    struct dns_lists_answer answer;
    struct dns_zone_figures figures;

    ck_assert_int_eq(look("192.0.2.1", "list.test", &answer), -1);
    ck_assert_int_eq(look("10.0.0.1", "list.test", &answer), DNS_LISTS_NOT_ASKED);
    ck_assert_int_eq(look("192.0.2.1", "192.0.2.9", &answer), DNS_LISTS_FAILED);
    ck_assert_ptr_null(dns_lists_next_zone(lists, NULL, &figures));
    ck_assert_int_eq(ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    ck_assert_int_eq(ask("192.0.2.2", ZONES("list.test")), DNS_LISTS_CLEAN);
    ck_assert_int_eq(look("192.0.2.1", "LIST.test.", &answer), DNS_LISTS_LISTED);
    ck_assert(answer.is_listed);
    ck_assert_int_eq(look("192.0.2.2", "list.test", &answer), DNS_LISTS_CLEAN);
    ck_assert_int_eq(look("192.0.2.3", "list.test", &answer), -1);
    ck_assert_uint_eq(figures_of("list.test").n_queries, 2);
    ck_assert_uint_eq(dns_lists_n_queries(lists), 0);
}
END_TEST

START_TEST(test_never_asks_about_private_clients)
{
    struct result result;

    ck_assert(start(&result, "127.0.0.1", ZONES("list.test"), false));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_NOT_ASKED);
    ck_assert(start(&result, "192.0.2.1", ZONES(NULL), false));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_NOT_ASKED);
    ck_assert_uint_eq(server.n_tests + server.n_queries, 0);
}
END_TEST

/* Question 81. */
START_TEST(test_first_yes_decides_without_the_others)
{
    struct result result;
    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);

    dns_lists_set_times(lists, DNS_QUERY_LIMIT_USEC, LONG_USEC, LONG_USEC);
    ck_assert(!start(&result, "192.0.2.1", ZONES("slow.test", "list.test"), false));
    loop_until_flag(event, &result.is_done);
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_str_eq(result.answer.zone, "list.test");
    ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC) - begin, USEC_PER_SEC);
}
END_TEST

START_TEST(test_silence_accepts_after_the_limit)
{
    struct result result;

    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);
    ck_assert(!start(&result, "192.0.2.2", ZONES("slow.test", "list.test"), false));
    loop_until_flag(event, &result.is_done);
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_TIMED_OUT);
    ck_assert_str_eq(result.answer.zone, "slow.test");
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC) - begin, LIMIT_USEC);
    ck_assert_uint_eq(figures_of("slow.test").n_timed_out, 1);
    ck_assert(!figures_of("slow.test").is_set_aside);
}
END_TEST

START_TEST(test_joins_those_who_ask_the_same)
{
    struct result results[50];

    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        ck_assert(!start(&results[i], "192.0.2.1", ZONES("list.test"), true));
    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        loop_until_flag(event, &results[i].is_done);
    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        ck_assert_int_eq(results[i].answer.outcome, DNS_LISTS_LISTED);
    ck_assert_uint_eq(server.n_queries, 1);
    ck_assert_uint_eq(server.n_texts, 1);
    ck_assert_uint_eq(figures_of("list.test").n_listed, ELEMENTSOF(results));
}
END_TEST

START_TEST(test_cancelled_requests_hear_nothing)
{
    struct result first, second, third;

    (void)start(&first, "192.0.2.1", ZONES("list.test"), true);
    (void)start(&second, "192.0.2.1", ZONES("list.test"), true);
    (void)start(&third, "192.0.2.2", ZONES("list.test", "slow.test"), true);
    dns_request_cancel(first.request);
    loop_until_flag(event, &second.is_done);
    ck_assert(!first.is_done);
    dns_request_cancel(third.request);
    ck_assert_uint_eq(dns_lists_n_requests(lists), 0);
    dns_request_cancel(NULL);
}
END_TEST

static bool is_nothing_open(void *userdata)
{
    return dns_lists_n_requests(userdata) == 0;
}

START_TEST(test_a_callback_may_cancel_the_others)
{
    struct result first, second;

    (void)start(&first, "192.0.2.1", ZONES("list.test"), false);
    (void)start(&second, "192.0.2.1", ZONES("list.test"), false);
    first.to_cancel = second.request;
    second.to_cancel = first.request;
    loop_until(event, is_nothing_open, lists);
    ck_assert_int_ne(first.is_done, second.is_done);
    ck_assert_uint_eq(dns_lists_n_requests(lists), 0);
}
END_TEST

START_TEST(test_frees_with_open_requests)
{
    struct result result;

    (void)start(&result, "192.0.2.1", ZONES("slow.test", "silent.test"), true);
    (void)start(&result, "192.0.2.1", ZONES("list.test"), true);
}
END_TEST

static const struct {
    const char *zone;
    enum dns_behaviour behaviour;
    const char *reason;
} ill_lists[] = {
    {"world.test", DNS_WORLD, "lists everybody"},
    {"refuses.test", DNS_REFUSES, "refuses our name server"},
    {"silent.test", DNS_SILENT, "does not answer"},
    {"garbage.test", DNS_GARBAGE, ""},
    {"parked.test", DNS_PARKED, "is no list"},
    {"dead.test", DNS_DEAD, "is no list"},
    {"fails.test", DNS_FAILS, "fail"},
};

static bool is_ill(void *userdata)
{
    return figures_of(userdata).is_set_aside;
}

static bool is_well(void *userdata)
{
    return !is_ill(userdata);
}

START_TEST(test_sets_ill_lists_aside_and_takes_them_back)
{
    const char *zone = ill_lists[_i].zone;
    struct result result;

    dns_lists_set_times(lists, LIMIT_USEC, LONG_USEC, 100 * USEC_PER_MSEC);
    ck_assert_int_ne(ask("192.0.2.1", ZONES(zone)), DNS_LISTS_LISTED);
    loop_until(event, is_ill, (void *)zone);
    ck_assert_uint_eq(n_ill, 1);
    ck_assert_ptr_nonnull(strstr(last_health, ill_lists[_i].reason));
    ck_assert_uint_ne(figures_of(zone).since_usec, 0);
    unsigned n_queries = server.n_queries;
    ck_assert(start(&result, "192.0.2.3", ZONES(zone), true));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_SET_ASIDE);
    ck_assert_uint_eq(server.n_queries, n_queries);

    server.plays[ill_lists[_i].behaviour] = DNS_LIST;
    loop_until(event, is_well, (void *)zone);
    ck_assert_uint_eq(n_ill, 1);
    ck_assert_uint_eq(n_well, 1);
    ck_assert_int_eq(ask("192.0.2.3", ZONES(zone)), DNS_LISTS_LISTED);
    ck_assert_int_eq(ask("192.0.2.2", ZONES(zone)), DNS_LISTS_CLEAN);
}
END_TEST

START_TEST(test_three_time_outs_in_a_row_set_a_list_aside)
{
    ck_assert_int_eq(ask("192.0.2.1", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    ck_assert_int_eq(ask("192.0.2.3", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    server.plays[DNS_SLOW] = DNS_LIST;
    ck_assert_int_eq(ask("192.0.2.4", ZONES("slow.test")), DNS_LISTS_CLEAN);
    server.plays[DNS_SLOW] = DNS_SLOW;
    ck_assert_int_eq(ask("192.0.2.5", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    ck_assert_int_eq(ask("192.0.2.7", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    ck_assert_uint_eq(n_ill, 0);
    (void)ask("192.0.2.9", ZONES("slow.test"));
    ck_assert_uint_eq(n_ill, 1);
    ck_assert_int_eq(ask("192.0.2.11", ZONES("slow.test")), DNS_LISTS_SET_ASIDE);
}
END_TEST

/* A list that goes bad while it is in use. */
START_TEST(test_tests_again_and_again)
{
    dns_lists_set_times(lists, LIMIT_USEC, 50 * USEC_PER_MSEC, LONG_USEC);
    ck_assert_int_eq(ask("192.0.2.2", ZONES("list.test")), DNS_LISTS_CLEAN);
    server.plays[DNS_LIST] = DNS_WORLD;
    (void)ask("192.0.2.2", ZONES("list.test"));
    loop_until(event, is_ill, (void *)"list.test");
    ck_assert_int_eq(ask("192.0.2.4", ZONES("list.test")), DNS_LISTS_SET_ASIDE);
}
END_TEST

START_TEST(test_what_is_no_zone_accepts)
{
    ck_assert_int_eq(ask("192.0.2.1", ZONES("192.0.2.1")), DNS_LISTS_FAILED);
    ck_assert_int_eq(ask("192.0.2.1", ZONES("a..b", "")), DNS_LISTS_FAILED);
    ck_assert_int_eq(ask("192.0.2.1", ZONES("a..b", "list.test")), DNS_LISTS_LISTED);
}
END_TEST

START_TEST(test_no_name_server_accepts)
{
    dns_lists_free(lists);
    open_lists("127.0.0.1:1"); /* tcpmux: nobody there */
    enum dns_lists_outcome outcome = ask("192.0.2.1", ZONES("list.test"));
    ck_assert(outcome == DNS_LISTS_FAILED || outcome == DNS_LISTS_TIMED_OUT ||
              outcome == DNS_LISTS_SET_ASIDE);
}
END_TEST

START_TEST(test_refuses_servers_that_are_none)
{
    const struct dns_lists_callbacks callbacks = {0};
    struct dns_lists *other;

    ck_assert_int_lt(dns_lists_new(event, "no address", &callbacks, &other), 0);
}
END_TEST

START_TEST(test_is_capped)
{
    static struct result results[DNS_QUERIES_MAX];
    struct result one;
    char client[32];

    ck_assert_int_eq(ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    ck_assert_int_eq(ask("192.0.2.1", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    dns_lists_set_times(lists, LONG_USEC, LONG_USEC, LONG_USEC);
    for (size_t i = dns_lists_n_queries(lists); i < DNS_QUERIES_MAX; i++) {
        snprintf(client, sizeof(client), "198.18.%zu.%zu", i / 256, i % 256);
        ck_assert(!start(&results[i], client, ZONES("slow.test"), false));
    }
    ck_assert_uint_eq(dns_lists_n_queries(lists), DNS_QUERIES_MAX);
    ck_assert(start(&one, "192.0.2.9", ZONES("slow.test"), false));
    ck_assert_int_eq(one.answer.outcome, DNS_LISTS_OVER_CAP);
    /* What is known, or asked already, is not refused. */
    ck_assert(start(&one, "192.0.2.1", ZONES("list.test"), false));
    ck_assert_int_eq(one.answer.outcome, DNS_LISTS_LISTED);
    ck_assert(!start(&one, client, ZONES("slow.test"), false));
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("dns_lists");
    TCase *tests = tcase_create("dns_lists");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, test_tells_who_is_listed);
    tcase_add_test(tests, test_knows_from_the_cache_at_once);
    tcase_add_test(tests, test_looking_asks_nobody);
    tcase_add_test(tests, test_never_asks_about_private_clients);
    tcase_add_test(tests, test_first_yes_decides_without_the_others);
    tcase_add_test(tests, test_silence_accepts_after_the_limit);
    tcase_add_test(tests, test_joins_those_who_ask_the_same);
    tcase_add_test(tests, test_cancelled_requests_hear_nothing);
    tcase_add_test(tests, test_a_callback_may_cancel_the_others);
    tcase_add_test(tests, test_frees_with_open_requests);
    tcase_add_loop_test(tests, test_sets_ill_lists_aside_and_takes_them_back, 0,
                        (int)ELEMENTSOF(ill_lists));
    tcase_add_test(tests, test_three_time_outs_in_a_row_set_a_list_aside);
    tcase_add_test(tests, test_tests_again_and_again);
    tcase_add_test(tests, test_what_is_no_zone_accepts);
    tcase_add_test(tests, test_no_name_server_accepts);
    tcase_add_test(tests, test_refuses_servers_that_are_none);
    tcase_add_test(tests, test_is_capped);
    suite_add_tcase(suite, tests);
    return suite;
}
