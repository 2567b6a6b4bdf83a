/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/hosts/hosts.h"

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "control_client/reply.h"
#include "dispatcherctl/hosts/clients.h"
#include "dispatcherctl/hosts/hosts_count.h"
#include "dispatcherctl/hosts/hosts_print.h"
#include "dispatcherctl/hosts/merge.h"
#include "dispatcherctl/query/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often top asks each host. */
#define TOP_INTERVAL_USEC (2 * USEC_PER_SEC)

/* Sets the member; takes the value, which may be NULL for lack of memory. */
static int set_sums(json_t *merged, json_t *sums)
{
    return sums && json_object_set_new(merged, "sums", sums) == 0 ? 0 : -ENOMEM;
}

static int finish_services(json_t *merged, _unused_ const struct request *request)
{
    static const char *const left_out[] = {"options", "listeners", "certificate", NULL};

    return set_sums(merged, merge_sums(json_object_get(merged, "services"), "name", left_out));
}

/* Selects the rows of each list, and counts them. */
static int finish_rows(json_t *merged, const char *const lists[], const struct request *request)
{
    int r = 0;

    for (size_t i = 0; lists[i] && r == 0; i++)
        r = selection_apply(&request->selection, json_object_get(merged, lists[i]),
                            reply_moment(merged, "now"));
    return r < 0 ? r : set_sums(merged, hosts_sum_rows(merged, lists, &request->selection));
}

static int finish_workers(json_t *merged, const struct request *request)
{
    return finish_rows(merged, (const char *const[]){"workers", NULL}, request);
}

static int finish_connections(json_t *merged, const struct request *request)
{
    return finish_rows(merged, (const char *const[]){"connections", NULL}, request);
}

static int finish_history(json_t *merged, const struct request *request)
{
    return finish_rows(merged, (const char *const[]){"workers", "connections", NULL}, request);
}

static int finish_clients(json_t *merged, const struct request *request)
{
    return clients_count(merged, request->top);
}

static int finish_explain(json_t *merged, _unused_ const struct request *request)
{
    return set_sums(merged, hosts_sum_decisions(merged));
}

static const struct hosts_verb {
    const char *verb;
    struct gather_call calls[GATHER_CALLS_MAX]; /* the unused ones have no method */
    const char *lists[3];
    int (*finish)(json_t *merged, const struct request *request);
    int (*print)(const json_t *merged, FILE *stream);
} hosts_verb_table[] = {
    {"status", {{"Status", NULL, NULL}}, {"services"}, finish_services, hosts_print_status},
    {"services", {{"Services", NULL, NULL}}, {"services"}, finish_services, hosts_print_services},
    {"workers", {{"Workers", "workers", NULL}}, {"workers"}, finish_workers, hosts_print_workers},
    {"connections",
     {{"Connections", "connections", NULL}},
     {"connections"},
     finish_connections,
     hosts_print_connections},
    {"history",
     {{"EndedConnections", "connections", NULL}, {"EndedWorkers", "workers", NULL}},
     {"connections", "workers"},
     finish_history,
     hosts_print_history},
    {"clients",
     {{"Connections", "connections", NULL}, {"EndedConnections", "connections", "ended"}},
     {"connections", "ended"},
     finish_clients,
     hosts_print_clients},
    {"explain",
     {{"Explain", NULL, NULL}},
     {"decisions", "trials"},
     finish_explain,
     hosts_print_explain},
    {"top",
     {{"Status", NULL, NULL}, {"Services", NULL, NULL}, {"Workers", "workers", NULL}},
     {"services", "workers"},
     finish_services,
     hosts_print_top},
};

static const struct hosts_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ELEMENTSOF(hosts_verb_table); i++)
        if (strcmp(hosts_verb_table[i].verb, name) == 0)
            return &hosts_verb_table[i];
    return NULL;
}

bool hosts_know(const char *verb)
{
    return find_verb(verb) != NULL;
}

const char *hosts_verbs(void)
{
    static char text[128];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    for (size_t i = 0; i < ELEMENTSOF(hosts_verb_table); i++)
        str_buffer_add(&buffer, "%s%s", i > 0 ? ", " : "", hosts_verb_table[i].verb);
    return text;
}

/* Appends one host. Twice the same would count twice in sums. */
static int add_host(const char *host, struct str_list *hosts)
{
    if (!remote_is_valid(host)) {
        fprintf(stderr,
                "dispatcherctl: invalid --host '%s': must be [USER@]HOST[:PORT], or several "
                "with commas between them\n",
                host);
        return -EINVAL;
    }
    for (size_t i = 0; i < hosts->n_items; i++)
        if (str_equal_nocase(hosts->items[i], host)) {
            fprintf(stderr, "dispatcherctl: --host names '%s' twice\n", host);
            return -EINVAL;
        }
    if (hosts->n_items == GATHER_HOSTS_MAX) {
        fprintf(stderr, "dispatcherctl: --host takes at most %d hosts\n", GATHER_HOSTS_MAX);
        return -E2BIG;
    }
    return str_list_append(hosts, host);
}

int hosts_parse(const char *text, struct str_list *hosts)
{
    _cleanup_str_ char *copy = strdup(text);
    char *rest = copy, *host;
    int r = copy ? 0 : -ENOMEM;

    while (r == 0 && (host = strsep(&rest, ",")) != NULL)
        r = add_host(host, hosts);
    return r;
}

static size_t count_calls(const struct hosts_verb *verb)
{
    size_t n = 0;

    while (n < GATHER_CALLS_MAX && verb->calls[n].method)
        n++;
    return n;
}

/* Adds the sums; takes the answers. Returns 0 with *ret, the caller's, or -ENOMEM. */
static int combine(const struct hosts_verb *verb, const struct request *request,
                   struct gathered answers[], json_t **ret)
{
    json_auto_t *merged = NULL;

    int r = merge(answers, request->hosts.n_items, verb->lists, &merged);
    if (r == 0)
        r = verb->finish(merged, request);
    if (r == 0)
        *ret = json_incref(merged);
    return r;
}

static bool is_one_away(const json_t *merged)
{
    json_t *host;
    size_t i;

    json_array_foreach(json_object_get(merged, "hosts"), i, host)
        if (reply_is_set(host, "error"))
            return true;
    return false;
}

int hosts_run(const char *name, const struct request *request)
{
    const struct hosts_verb *verb = find_verb(name);
    struct gathered answers[GATHER_HOSTS_MAX];
    json_auto_t *merged = NULL;

    int r = gather(request, request->hosts.items, request->hosts.n_items, verb->calls,
                   count_calls(verb), answers);
    if (r == 0)
        r = combine(verb, request, answers, &merged);
    if (r < 0) {
        fprintf(stderr, "dispatcherctl: cannot ask the hosts: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    r = request->is_json ? query_print_json(merged) : verb->print(merged, stdout);
    int status = query_exit_status(r);
    return is_one_away(merged) ? EXIT_FAILURE : status;
}

int hosts_compose_top(const struct request *request, FILE *stream)
{
    static struct watch *watch; /* until the process ends */
    const struct hosts_verb *verb = find_verb("top");
    struct gathered answers[GATHER_HOSTS_MAX];
    json_auto_t *merged = NULL;
    int r = 0;

    if (!watch)
        r = watch_start(request, request->hosts.items, request->hosts.n_items, verb->calls,
                        count_calls(verb), TOP_INTERVAL_USEC, &watch);
    if (r < 0)
        return r;
    watch_copy(watch, answers);
    r = combine(verb, request, answers, &merged);
    return r == 0 ? verb->print(merged, stream) : r;
}
