/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/test_access.h"

#include "mapping/port_access.h"
#include "mapping/trace_lines.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAPPINGS CONFIG_DIR "/mappings"

/* The client's port: the first dynamic one. */
#define CLIENT_PORT 49152

enum {
    EXIT_USAGE = 2,
};

struct test {
    const struct test_access *options;
    const struct mapping_set *set;
    uint16_t port;
    bool callouts_succeed;
    struct mapping_run run;
    struct port_access verdict;
    struct trace_lines trace;
};

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "dispatcherctl: %s, not '%s'\n", what, value);
    return EXIT_USAGE;
}

/* Trace */

static void trace(void *data, const struct mapping_trace *event)
{
    struct test *test = data;

    trace_lines_add_event(&test->trace, event);
}

static void add_callout(struct test *test)
{
    const struct callout *callout = &test->run.callout;
    bool succeeds = test->callouts_succeed;

    trace_lines_add(&test->trace, test->run.depth, "%s is not queried; assuming that the %s",
                    callout_routine_to_string(callout->routine),
                    callout->routine == CALLOUT_DNS_LIST
                        ? (succeeds ? "address is listed" : "address is not listed")
                        : (succeeds ? "limit is exceeded" : "limit is not exceeded"));
}

/* Prints text that the client does not see. */
static void add_text(struct test *test, const char *name, const char *text)
{
    if (*text)
        trace_lines_add(&test->trace, 0, "%s: %s", name, text);
}

/* Runs */

static void run(struct test *test, const char *probe)
{
    const struct mapping_hooks hooks = {.trace = trace, .data = test};

    mapping_run_start(&test->run, test->set, MAPPING_PORT_ACCESS, probe, PORT_ACCESS_INPUT_FLAGS,
                      &hooks);
    while (mapping_run_step(&test->run) == MAPPING_CALLOUT) {
        add_callout(test);
        mapping_run_resume(&test->run, test->callouts_succeed, NULL);
    }
    port_access_judge(&test->run, &test->verdict);
    if (test->verdict.has_hit_limit)
        add_text(test, "limit", "the table takes too many steps; the client is admitted");
    add_text(test, "logged", test->verdict.match_note);
    add_text(test, "logged", test->verdict.reject_note);
    add_text(test, "access tag", test->verdict.tag);
    add_text(test, "kept with the connection", test->verdict.log_text);
}

/* Joins the lines of the reply by line feeds. */
static void reply_text(const struct port_access *verdict, char text[PORT_ACCESS_REPLY_MAX + 1])
{
    size_t n = 0;

    for (const char *c = verdict->reply; *c; c++)
        if (*c != '\r')
            text[n++] = *c;
    if (n > 0)
        n--;
    text[n] = '\0';
    trace_printable(text);
}

/* Output */

static int print_json(const struct test *test, const char *address, const char *text,
                      const char *entry)
{
    json_auto_t *lines = json_array();

    for (size_t i = 0; i < test->trace.lines.n_items; i++)
        json_array_append_new(lines, json_string(test->trace.lines.items[i]));
    json_auto_t *object =
        json_pack("{s:s, s:i, s:s, s:s, s:s?, s:O}", "address", address, "port", (int)test->port,
                  "verdict", test->verdict.is_rejected ? "reject" : "accept", "text", text, "entry",
                  entry, "trace", lines);
    if (!object || json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 ||
        putchar('\n') == EOF)
        return -EIO;
    return 0;
}

static int print_text(const struct test *test, const char *address, const char *text,
                      const char *entry)
{
    printf("%s: %s ", address, test->verdict.is_rejected ? "rejected" : "accepted");
    if (entry)
        printf("by entry %s", entry);
    else
        printf("because no entry matched");
    putchar('\n');
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");

        printf("  sends: %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    for (size_t i = 0; i < test->trace.lines.n_items; i++)
        printf("    %s\n", test->trace.lines.items[i]);
    return ferror(stdout) ? -EIO : 0;
}

static int print(const struct test *test, const struct address *client)
{
    const struct mapping_entry *entry = test->verdict.entry;
    char address[ADDRESS_TEXT_MAX], text[PORT_ACCESS_REPLY_MAX + 1], place[4200];

    address_format_host(client, address);
    reply_text(&test->verdict, text);
    if (entry) {
        snprintf(place, sizeof(place), "%.4096s:%u", entry->file, entry->line);
        trace_printable(place);
    }
    return test->options->is_json ? print_json(test, address, text, entry ? place : NULL)
                                  : print_text(test, address, text, entry ? place : NULL);
}

/* The address that the client connects to; by default the loopback address of its family. */
static int find_server(const struct test *test, const struct address *client, struct address *ret)
{
    const char *text = test->options->server;

    if (!text)
        text = client->family == AF_INET6 ? "::1" : "127.0.0.1";
    int r = address_parse(text, ret);
    ret->port = test->port;
    return r;
}

static int test_client(struct test *test, const char *text)
{
    struct address client, server;
    char probe[PORT_ACCESS_PROBE_MAX];

    if (address_parse(text, &client) < 0)
        return complain("the client must be an address", text);
    client.port = CLIENT_PORT;
    if (find_server(test, &client, &server) < 0 || port_access_probe(&server, &client, probe) < 0)
        return complain("--server must be an address", test->options->server);
    trace_lines_clear(&test->trace);
    run(test, probe);
    int r = print(test, &client);
    if (test->trace.is_out_of_memory)
        r = -ENOMEM;
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot print: %s\n", strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Options */

static int read_port(const char *text, uint16_t *ret)
{
    unsigned long value = 0;

    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || value > UINT16_MAX)
            return -EINVAL;
        value = value * 10 + (unsigned long)(*c - '0');
    }
    if (value == 0 || value > UINT16_MAX)
        return -EINVAL;
    *ret = (uint16_t)value;
    return 0;
}

static int read_options(struct test *test)
{
    const struct test_access *options = test->options;
    const char *callouts = options->callouts ? options->callouts : "fail";

    test->port = 25;
    if (options->port && read_port(options->port, &test->port) < 0)
        return complain("--port must be a port from 1 to 65535", options->port);
    if (strcmp(callouts, "fail") != 0 && strcmp(callouts, "succeed") != 0)
        return complain("--callouts must be fail or succeed", callouts);
    test->callouts_succeed = strcmp(callouts, "succeed") == 0;
    return EXIT_SUCCESS;
}

/* Loads the file, and reports its problems. */
static int load(const char *path, struct mapping_set **ret)
{
    struct problem_list problems = {0};
    char text[1400];
    int r = mapping_set_load(path, &problems, ret);

    for (size_t i = 0; i < problems.n_items; i++)
        fprintf(stderr, "%s\n", problem_format(&problems.items[i], text, sizeof(text)));
    problem_list_clear(&problems);
    if (r == -EINVAL)
        fputs("dispatcherctl: the file has errors; nothing was tested\n", stderr);
    else if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot read %s: %s\n", path, strerror(-r));
    else if (!mapping_set_find(*ret, MAPPING_PORT_ACCESS))
        fprintf(stderr,
                "dispatcherctl: %s does not exist, or has no table PORT_ACCESS; everybody "
                "is accepted\n",
                path);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int test_access(const struct test_access *options, char *const clients[], size_t n_clients)
{
    _cleanup_mapping_set_ struct mapping_set *set = NULL;
    static struct test test; /* static, since it has long texts */
    int status;

    test = (struct test){.options = options, .trace.n_max = TRACE_LINES_MAX};
    status = read_options(&test);
    if (status == EXIT_SUCCESS)
        status = load(options->mappings ? options->mappings : DEFAULT_MAPPINGS, &set);
    test.set = set;
    for (size_t i = 0; i < n_clients && status == EXIT_SUCCESS; i++)
        status = test_client(&test, clients[i]);
    trace_lines_clear(&test.trace);
    if (fflush(stdout) != 0 && status == EXIT_SUCCESS) {
        fprintf(stderr, "dispatcherctl: cannot print: %s\n", strerror(errno));
        status = EXIT_FAILURE;
    }
    return status;
}
