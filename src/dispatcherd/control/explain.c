/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What was decided about a client, and what would be decided now. */
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/trial.h"
#include "dispatcherd/control/call.h"
#include "dispatcherd/service/listener.h"
#include "protocol/connection_id.h"

#include <string.h>

/* How many decisions a reply contains: the newest. */
#define DECISIONS_AT_ONCE 100

/* Limits for one reply. A table can keep a trial busy for tens of milliseconds, in which nothing
 * else of the daemon runs. */
#define TRIALS_AT_ONCE 32
#define LINES_AT_ONCE  2000

/* The client's port in a trial: the first dynamic one. */
#define CLIENT_PORT 49152

static json_t *view_decision(const struct access_decision *decision,
                             const struct control_clock *clock)
{
    json_t *object = json_object();
    char id[CONNECTION_ID_BYTES];

    view_put(&object, "at", view_time(decision->at, clock));
    view_put(&object, "connection", json_string(connection_id_format(decision->connection_id, id)));
    view_put(&object, "service", json_string(decision->service));
    view_put(&object, "client", view_address(&decision->client));
    view_put(&object, "local", view_address(&decision->local));
    view_put(&object, "verdict", json_string(decision->reason[0] ? "reject" : "accept"));
    view_put(&object, "reason", view_optional(decision->reason));
    view_put(&object, "entry", view_place(decision->file, decision->line));
    view_put(&object, "pattern", view_optional(decision->pattern));
    view_put(&object, "zone", view_optional(decision->zone));
    view_put(&object, "detail", view_optional(decision->detail));
    view_put(&object, "text", view_optional(decision->text));
    return object;
}

/* *ret_n_more is how many further ones there are. */
static json_t *view_decisions(const struct control_call *call, const struct address *client,
                              const char *service, unsigned *ret_n_more)
{
    const struct decisions *decisions = call->daemon.admission->decisions;
    const struct access_decision *decision = NULL;
    json_t *array = json_array();
    unsigned n = 0;

    while ((decision = decisions_next(decisions, client, service, decision)))
        if (n++ < DECISIONS_AT_ONCE)
            view_append(&array, view_decision(decision, &call->clock));
    *ret_n_more = n > DECISIONS_AT_ONCE ? n - DECISIONS_AT_ONCE : 0;
    return array;
}

/* Trials */

struct trials {
    const struct control_call *call;
    const struct address *client;
    json_t *array;
    size_t n_lines;
    unsigned n;
    unsigned n_left_out;
};

static struct address loopback(uint16_t family, uint16_t port)
{
    struct address address = {0};

    (void)address_parse(family == AF_INET6 ? "::1" : "127.0.0.1", &address);
    address.port = port;
    return address;
}

/* The address that the client would connect to: that of the listener, or, if that is a wildcard,
 * the one it connected to last, or else the loopback address. Returns false if the client cannot
 * reach the listener. */
static bool find_local(const struct trials *trials, const struct listener *listener,
                       struct address *ret)
{
    const struct service_options *options = listener->service->options;
    const struct access_decision *decision = NULL;

    if (!address_is_wildcard(&listener->address) && !options->proxy_protocol) {
        *ret = listener->address;
        return listener->address.family == trials->client->family;
    }
    if (trials->client->family == AF_INET6 && listener->address.family == AF_INET &&
        !options->proxy_protocol)
        return false;
    *ret = loopback(trials->client->family, listener->address.port);
    while ((decision = decisions_next(trials->call->daemon.admission->decisions, trials->client,
                                      options->name, decision)))
        if (options->proxy_protocol || decision->local.port == listener->address.port) {
            *ret = decision->local;
            break;
        }
    return true;
}

static json_t *view_lines(const struct str_list *lines)
{
    json_t *array = json_array();

    for (size_t i = 0; i < lines->n_items; i++)
        view_append(&array, json_string(lines->items[i]));
    return array;
}

/* The text as the client reads it, with line feeds only between lines. */
static json_t *view_reply(char *text)
{
    size_t n = 0;

    for (const char *c = text; *c; c++)
        if (*c != '\r')
            text[n++] = *c;
    while (n > 0 && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
    return view_optional(text);
}

static json_t *view_trial(const struct listener *listener, const struct address *local,
                          struct trial *trial)
{
    json_t *object = json_object();

    if (listener->is_tls)
        trial->text[0] = '\0';
    view_put(&object, "service", json_string(listener->service->options->name));
    view_put(&object, "local", view_address(local));
    view_put_trial(&object, trial);
    view_put(&object, "text", view_reply(trial->text));
    view_put(&object, "trace", view_lines(&trial->trace.lines));
    return object;
}

static void try_listener(struct trials *trials, const struct listener *listener,
                         const struct address *local)
{
    struct trial trial = {0};

    if (trials->n == TRIALS_AT_ONCE || trials->n_lines >= LINES_AT_ONCE) {
        trials->n_left_out++;
        return;
    }
    trials->n++;
    trial.trace.n_max = LINES_AT_ONCE - trials->n_lines;
    const struct trial_rules rules = trial_rules_in_force(listener->service);
    int r = trial_run(listener->service, &rules, trials->client, local, &trial);
    trials->n_lines += trial.trace.lines.n_items;
    view_append(&trials->array, r < 0 ? NULL : view_trial(listener, local, &trial));
    trace_lines_clear(&trial.trace);
}

/* Tries each of the service's addresses and ports once. */
static void try_service(struct trials *trials, const struct service *service)
{
    struct address local, other;

    for (size_t i = 0; i < service->n_listeners; i++) {
        bool is_new = find_local(trials, &service->listeners[i], &local);

        for (size_t j = 0; j < i && is_new; j++)
            is_new = !find_local(trials, &service->listeners[j], &other) ||
                     !address_equal(&local, &other);
        if (is_new)
            try_listener(trials, &service->listeners[i], &local);
    }
}

/* Reads the client's address in the form that the kernel would report: an IPv4 address that is
 * mapped into IPv6 becomes IPv4. */
static int parse_client(const char *text, struct address *ret)
{
    struct sockaddr_storage storage;
    int r = address_parse(text, ret);

    if (r < 0)
        return r;
    socklen_t length = address_to_sockaddr(ret, &storage);
    *ret = address_from_sockaddr((struct sockaddr *)&storage, length);
    ret->port = CLIENT_PORT;
    return 0;
}

json_t *control_explain(const struct control_call *call)
{
    const char *service = control_call_text(call, "service");
    const struct control_daemon *daemon = &call->daemon;
    size_t first = 0, last = daemon->n_services;
    struct address client;
    unsigned n_more;

    if (parse_client(control_call_text(call, "address"), &client) < 0)
        return varlink_error(VARLINK_INVALID_PARAMETER, json_pack("{s:s}", "parameter", "address"));
    if (service) {
        first = control_daemon_find(daemon, service);
        if (first == daemon->n_services)
            return control_no_such_service(service);
        last = first + 1;
    }
    if (!daemon->admission)
        return varlink_error(CONTROL_INTERFACE ".NotSupported", json_object());
    struct trials trials = {.call = call, .client = &client, .array = json_array()};
    for (size_t i = first; i < last; i++)
        try_service(&trials, daemon->services[i]);
    json_t *object = json_object();
    view_put(&object, "now", view_time(call->clock.monotonic, &call->clock));
    view_put(&object, "decisions", view_decisions(call, &client, service, &n_more));
    view_put(&object, "n_older_decisions", json_integer(n_more));
    view_put(&object, "decisions_since",
             view_time(decisions_since(daemon->admission->decisions), &call->clock));
    view_put(&object, "trials", trials.array);
    view_put(&object, "n_trials_left_out", json_integer(trials.n_left_out));
    return varlink_reply(object);
}
