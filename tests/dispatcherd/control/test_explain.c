/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What Explain tells, and the DNS lists in Status; with tables, and without a name server. */
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/service/listener.h"
#include "support/suite.h"
#include "varlink/message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL "io.dispatcherd.Control."

static const char configuration[] = "[SERVICE=SMTP]\n"
                                    "PORT=25\n"
                                    "IMAGE=smtp\n"
                                    "MAX_CONNS_PER_ADDRESS=3\n"
                                    "MAX_CONNS_PER_NETWORK=4\n"
                                    "DNS_VERIFY_DOMAIN=list.invalid\n"
                                    "[SERVICE=POP3]\n"
                                    "PORT=110\n"
                                    "IMAGE=pop3\n";

/* The entry of each reason stands in a line of its own. */
static const char tables[] =
    "PORT_ACCESS\n"
    "\n"
    "  TCP|*|*|192.0.2.1|*  $N500$ no~500$ never\n"
    "  TCP|*|*|192.0.2.2|*  $C$|OURS;$1|$Y$E\n"
    "  TCP|*|*|192.0.2.3|*  $[conn_throttle,throttle,192.0.2.3,1]$N421$ slow\n"
    "  TCP|*|*|192.0.2.4|*  $C$?50?$N\n"
    "  TCP|*|*|192.0.2.5|*  "
    "$C$[conn_throttle,concurrent,192.0.2.5,1]$N421$ many$E\n"
    "  TCP|*|*|192.0.2.6|*  "
    "$C$[dns_verify,dns_verify_domain_port,192.0.2.6,list.invalid]$N$E\n"
    "\n"
    "OURS\n"
    "\n"
    "  *5  $Y\n";

static const struct control_caller trusted = {.pid = 1, .uid = 0, .is_trusted = true};

static struct control_scene scene;
static struct admission *admission;

/* A listener whose address is as bound as it need be for this. */
static void give_address(size_t service, const char *host, uint16_t port)
{
    struct listener *listener = &scene.services[service]->listeners[0];

    ck_assert_int_eq(address_parse(host, &listener->address), 0);
    listener->address.port = port;
}

static struct mapping_set *load_tables(void)
{
    char path[] = "/tmp/explain-XXXXXX";
    struct problem_list problems = {0};
    struct mapping_set *set = NULL;
    int fd = mkstemp(path);

    ck_assert_int_eq(write(fd, tables, strlen(tables)), (ssize_t)strlen(tables));
    close(fd);
    ck_assert_int_eq(mapping_set_load(path, &problems, &set), 0);
    problem_list_clear(&problems);
    unlink(path);
    return set;
}

static void setup(void)
{
    const struct admission_settings settings = {.dns_servers = "127.0.0.1:1", .ident_port = 113};
    struct mapping_set *set = load_tables();

    scene_init(&scene, configuration);
    ck_assert_int_eq(admission_new(&scene.context, &settings, set, &admission), 0);
    mapping_set_unref(set);
    scene.context.admission = admission;
    give_address(0, "0.0.0.0", 25);
    give_address(1, "198.51.100.1", 110);
}

static void teardown(void)
{
    scene_clear(&scene);
    admission_free(admission);
}

static json_t *call(const char *method, json_t *parameters)
{
    json_auto_t *message = varlink_method(method, parameters);
    json_t *reply = NULL;
    size_t size;
    char *text = varlink_message_text(message, &size), *answer = NULL;

    ck_assert_int_eq(
        control_answer(&scene_operations, &scene, &trusted, NULL, text, size - 1, &answer, &size),
        0);
    ck_assert_int_eq(varlink_reply_parse(answer, size - 1, &reply), 0);
    free(text);
    free(answer);
    return reply;
}

static json_t *explain(const char *address, const char *service)
{
    return call(CONTROL "Explain",
                json_pack("{s:s, s:s*}", "address", address, "service", service));
}

static json_t *get(const json_t *reply, const char *name)
{
    return json_object_get(json_object_get(reply, "parameters"), name);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* The trial of the service, which is the only one. */
static json_t *try(const char *address, const char *service, json_t **ret)
{
    json_t *reply = explain(address, service);
    json_t *trials = get(reply, "trials");

    ck_assert_msg(json_array_size(trials) == 1, "%s", address);
    *ret = reply;
    return json_array_get(trials, 0);
}

static bool traces(const json_t *trial, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(trial, "trace"), i, item)
        if (strstr(json_string_value(item), text))
            return true;
    return false;
}

START_TEST(test_names_table_line_entry_and_each_step)
{
    json_auto_t *reply = NULL;
    json_t *trial = try("192.0.2.1", "smtp", &reply);

    ck_assert_str_eq(text_of(trial, "service"), "SMTP");
    ck_assert_str_eq(text_of(trial, "verdict"), "reject");
    ck_assert_str_eq(text_of(trial, "reason"), "mapping");
    ck_assert_ptr_nonnull(strstr(text_of(trial, "entry"), ":3"));
    ck_assert_str_eq(text_of(trial, "pattern"), "TCP|*|*|192.0.2.1|*");
    ck_assert_str_eq(text_of(trial, "text"), "500 no\n500 never");
    ck_assert(json_is_true(json_object_get(trial, "is_certain")));
    ck_assert(traces(trial, "PORT_ACCESS: TCP|127.0.0.1|25|192.0.2.1|"));
    ck_assert(traces(trial, "succeeds with \"500 no~500 never\" $N"));
}
END_TEST

START_TEST(test_shows_a_table_within_a_table)
{
    json_auto_t *reply = NULL;
    json_t *trial = try("192.0.2.2", "smtp", &reply);

    ck_assert_str_eq(text_of(trial, "verdict"), "accept");
    ck_assert(traces(trial, "calls $|OURS;25|"));
    ck_assert(traces(trial, "  OURS: 25"));
    ck_assert(traces(trial, "$|OURS| succeeds"));
    ck_assert(traces(trial,
                     "MAX_CONNS_PER_ADDRESS: it would be connection 1 of at most 3 at a time, "
                     "but that limit does not apply to an address named by an entry with $Y"));
}
END_TEST

START_TEST(test_looking_does_not_count)
{
    struct address address;
    uint32_t count;

    ck_assert_int_eq(address_parse("192.0.2.3", &address), 0);
    for (unsigned i = 0; i < 3; i++) {
        json_auto_t *reply = NULL;
        json_t *trial = try("192.0.2.3", "smtp", &reply);

        ck_assert_str_eq(text_of(trial, "verdict"), "accept");
        ck_assert(traces(trial, "throttle: 0 connections count in this minute, of at most 1"));
    }
    throttle_is_over(admission->throttle, THROTTLE_PLAIN, &address, 1,
                     time_now_usec(CLOCK_MONOTONIC));
    json_auto_t *reply = NULL;
    json_t *trial = try("192.0.2.3", "smtp", &reply);
    ck_assert_str_eq(text_of(trial, "reason"), "throttle");
    ck_assert_str_eq(text_of(trial, "text"), "421 slow");
    throttle_would_be_over(admission->throttle, THROTTLE_PLAIN, &address, 1,
                           time_now_usec(CLOCK_MONOTONIC), &count);
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(test_counts_the_connection_that_is_tried)
{
    json_auto_t *before = NULL, *after = NULL;
    uint32_t n_of_address, n_of_network;

    ck_assert_str_eq(text_of(try("192.0.2.5", "smtp", &before), "verdict"), "accept");
    struct connection *connection = scene_add_connection(&scene, 0, NULL);
    ck_assert_int_eq(address_parse("192.0.2.5", &connection->peer), 0);
    connection_count(connection, &n_of_address, &n_of_network);
    json_t *trial = try("192.0.2.5", "smtp", &after);
    ck_assert_str_eq(text_of(trial, "reason"), "address");
    ck_assert(traces(trial, "concurrent: it would be connection 2 of at most 1"));
}
END_TEST

START_TEST(test_counts_the_network)
{
    json_auto_t *before = NULL, *after = NULL;
    uint32_t n_of_address, n_of_network;

    ck_assert_str_eq(text_of(try("198.51.100.1", "smtp", &before), "verdict"), "accept");
    for (int i = 0; i < 4; i++) {
        struct connection *connection = scene_add_connection(&scene, 0, NULL);

        ck_assert_int_eq(address_parse("198.51.100.2", &connection->peer), 0);
        connection->peer.bytes[3] = (uint8_t)(100 + i);
        connection_count(connection, &n_of_address, &n_of_network);
        ck_assert_uint_eq(n_of_address, 1);
        ck_assert_uint_eq(n_of_network, (unsigned)i + 1);
    }
    json_t *trial = try("198.51.100.1", "smtp", &after);
    ck_assert_str_eq(text_of(trial, "reason"), "address");
    ck_assert(traces(trial, "MAX_CONNS_PER_NETWORK: it would be connection 5 of at most 4"));
}
END_TEST

START_TEST(test_says_where_it_is_not_certain)
{
    static const char *const clients[] = {"192.0.2.4", "192.0.2.6", "192.0.2.77"};
    json_auto_t *private = NULL;

    for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
        json_auto_t *reply = NULL;
        json_t *trial = try(clients[i], "smtp", &reply);

        ck_assert_msg(json_is_false(json_object_get(trial, "is_certain")), "%s", clients[i]);
    }
    json_t *trial = try("10.0.0.1", "smtp", &private);
    ck_assert(json_is_true(json_object_get(trial, "is_certain")));
    ck_assert(traces(trial, "DNS list list.invalid is not queried: DNS lists have"));
    ck_assert_uint_eq(dns_lists_n_queries(admission->lists), 0);
}
END_TEST

START_TEST(test_a_client_reaches_the_sockets_of_its_family)
{
    json_auto_t *all = explain("192.0.2.1", NULL);
    ck_assert_uint_eq(json_array_size(get(all, "trials")), 2);
    json_auto_t *none = explain("2001:db8::1", NULL);
    ck_assert_uint_eq(json_array_size(get(none, "trials")), 0);
    json_auto_t *mapped = explain("::ffff:192.0.2.1", "POP3");
    const json_t *trial = json_array_get(get(mapped, "trials"), 0);
    ck_assert_str_eq(text_of(json_object_get(trial, "local"), "address"), "198.51.100.1");
    ck_assert_str_eq(text_of(trial, "verdict"), "reject");
}
END_TEST

/* A connection as accepted, with the other end in *ret_other. */
static void check_connection(const char *client, int *ret_other)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    *ret_other = fds[1];
    struct connection *connection =
        connection_new(scene.services[0], &fds[0], time_now_usec(CLOCK_MONOTONIC));
    ck_assert_int_eq(address_parse(client, &connection->peer), 0);
    ck_assert_int_eq(address_parse("203.0.113.25", &connection->local), 0);
    connection->peer.port = 4711;
    connection->local.port = 25;
    connection_check(connection);
    check_begin(connection);
}

START_TEST(test_remembers_what_was_decided)
{
    char text[64];
    int other;

    check_connection("192.0.2.1", &other);
    ck_assert_int_gt(read(other, text, sizeof(text)), 0);
    close(other);
    check_connection("192.0.2.2", &other);
    json_auto_t *reply = explain("192.0.2.1", NULL);
    ck_assert_uint_eq(json_array_size(get(reply, "decisions")), 1);
    const json_t *decision = json_array_get(get(reply, "decisions"), 0);
    ck_assert_str_eq(text_of(decision, "service"), "SMTP");
    ck_assert_str_eq(text_of(decision, "verdict"), "reject");
    ck_assert_str_eq(text_of(decision, "reason"), "mapping");
    ck_assert_ptr_nonnull(strstr(text_of(decision, "entry"), ":3"));
    ck_assert_str_eq(text_of(decision, "pattern"), "TCP|*|*|192.0.2.1|*");
    ck_assert_str_eq(text_of(decision, "text"), "500 no 500 never");
    /* The wildcard's trial is as the client came. */
    const json_t *trial = json_array_get(get(reply, "trials"), 0);
    ck_assert_str_eq(text_of(json_object_get(trial, "local"), "address"), "203.0.113.25");
    json_auto_t *accepted = explain("192.0.2.2", "SMTP");
    decision = json_array_get(get(accepted, "decisions"), 0);
    ck_assert_str_eq(text_of(decision, "verdict"), "accept");
    ck_assert(json_is_null(json_object_get(decision, "reason")));
    ck_assert_ptr_nonnull(strstr(text_of(decision, "entry"), ":4"));
    json_auto_t *elsewhere = explain("192.0.2.2", "POP3");
    ck_assert_uint_eq(json_array_size(get(elsewhere, "decisions")), 0);
    ck_assert_int_eq(
        json_integer_value(json_object_get(get(elsewhere, "decisions_since"), "monotonic")),
        (json_int_t)decisions_since(admission->decisions));
    close(other);
}
END_TEST

START_TEST(test_tells_the_newest_hundred)
{
    int other;

    for (unsigned i = 0; i < 103; i++) {
        check_connection("192.0.2.1", &other);
        close(other);
    }
    json_auto_t *reply = explain("192.0.2.1", NULL);
    ck_assert_uint_eq(json_array_size(get(reply, "decisions")), 100);
    ck_assert_int_eq(json_integer_value(get(reply, "n_older_decisions")), 3);
}
END_TEST

START_TEST(test_refuses_what_is_no_address)
{
    json_auto_t *reply = explain("localhost", NULL);
    ck_assert_str_eq(text_of(reply, "error"), VARLINK_INVALID_PARAMETER);
    json_auto_t *other = explain("192.0.2.1", "IMAP");
    ck_assert_str_eq(text_of(other, "error"), CONTROL "NoSuchService");
    scene.context.admission = NULL;
    json_auto_t *none = explain("192.0.2.1", NULL);
    ck_assert_str_eq(text_of(none, "error"), CONTROL "NotSupported");
    scene.context.admission = admission;
}
END_TEST

START_TEST(test_status_tells_of_lists)
{
    int other;

    json_auto_t *before = call(CONTROL "Status", json_object());
    ck_assert_uint_eq(json_array_size(get(before, "dns_lists")), 0);
    check_connection("192.0.2.77", &other);
    json_auto_t *after = call(CONTROL "Status", json_object());
    ck_assert_uint_eq(json_array_size(get(after, "dns_lists")), 1);
    const json_t *list = json_array_get(get(after, "dns_lists"), 0);
    ck_assert_str_eq(text_of(list, "zone"), "list.invalid");
    ck_assert(json_is_false(json_object_get(list, "is_set_aside")));
    checks_close(scene.services[0]);
    close(other);
}
END_TEST

SUITE("control_explain", setup, teardown, test_names_table_line_entry_and_each_step,
      test_shows_a_table_within_a_table, test_looking_does_not_count,
      test_counts_the_connection_that_is_tried, test_counts_the_network,
      test_says_where_it_is_not_certain, test_a_client_reaches_the_sockets_of_its_family,
      test_remembers_what_was_decided, test_tells_the_newest_hundred,
      test_refuses_what_is_no_address, test_status_tells_of_lists)
