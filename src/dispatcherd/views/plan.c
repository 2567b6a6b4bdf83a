/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What would change if the files were in force: options, workers, and verdicts about the clients of
 * the decision log. Sockets and their units are left to the client, which may look at them. */
#include "base/str.h"
#include "base/time.h"
#include "config/changes.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/trial.h"
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/views/daemon.h"
#include "dispatcherd/views/views.h"
#include "generator/units.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* For all trials of one reply, while nothing else of the daemon runs: as long as a reload of some
 * thousand entries takes. */
#define TRIALS_LIMIT_USEC (USEC_PER_SEC / 10)

/* The most verdicts in one reply. */
#define VERDICTS_AT_ONCE 200

/* Places of a hash table of the clients that were tried: twice as many as there are decisions. */
#define TRIED_PLACES (2 * DECISIONS_MAX)

/* Both sides of the comparison. */
struct planning {
    const struct control_daemon *daemon;
    const struct config_version *version; /* of the files */
    const struct unit_list *units; /* of the files; empty: workers are not started by units */
};

/* Options */

static json_t *view_origin(const struct origin *origin)
{
    char text[PATH_MAX + 16];

    if (!origin->file)
        return json_null();
    if (origin->line == 0)
        return view_text(origin->file);
    snprintf(text, sizeof(text), "%s:%u", origin->file, origin->line);
    return view_text(text);
}

/* The lines of a text as an array. */
static json_t *view_values(const char *text)
{
    json_t *array = json_array();

    while (*text) {
        size_t length = strcspn(text, "\n");
        _cleanup_str_ char *value = strndup(text, length);

        view_append(&array, value ? view_text(value) : NULL);
        text += length + (text[length] == '\n');
    }
    return array;
}

static json_t *view_changes(const struct planning *planning)
{
    struct config_changes changes = {0};
    json_t *array = json_array();

    if (config_changes_find(&planning->daemon->version->config, &planning->version->config,
                            &changes) < 0)
        view_append(&array, NULL);
    for (size_t i = 0; i < changes.n_items; i++) {
        const struct config_change *change = &changes.items[i];
        json_t *object = json_object();

        view_put(&object, "service", view_text(change->service));
        view_put(&object, "option", json_string(change->option));
        view_put(&object, "from", view_values(change->from));
        view_put(&object, "to", view_values(change->to));
        view_put(&object, "origin", view_origin(&change->origin));
        view_append(&array, object);
    }
    config_changes_clear(&changes);
    return array;
}

/* Workers */

static const char *worker_unit_text(const struct planning *planning, const char *unit_name)
{
    char name[NAME_MAX + 1];

    snprintf(name, sizeof(name), "dispatcherd-%s-worker@.service", unit_name);
    const struct unit_file *unit = unit_list_find(planning->units, name);
    return unit ? unit->text : NULL;
}

/* The workers that would be replaced; all of them if the service is removed (`options` is NULL). */
static json_t *view_workers(const struct planning *planning, const struct service *service,
                            const struct service_options *options, unsigned *ret_n)
{
    uint64_t wanted =
        options ? fingerprint_planned(options, worker_unit_text(planning, options->unit_name)) : 0;
    json_t *array = json_array();

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        const struct pool_worker *worker = &service->pool->workers[slot];

        if (!service->workers[slot] ||
            (worker->state != POOL_WORKER_STARTING && worker->state != POOL_WORKER_READY))
            continue;
        /* One that is outdated will be replaced in any case. */
        if (options && (worker->is_outdated ||
                        !fingerprint_differs(service->state->fingerprints[slot], wanted)))
            continue;
        (*ret_n)++;
        if (service->workers[slot]->pid > 0)
            view_append(&array, json_integer(service->workers[slot]->pid));
    }
    return array;
}

static struct service *service_in_force(const struct planning *planning, const char *name)
{
    const struct control_daemon *daemon = planning->daemon;
    size_t i = control_daemon_find(daemon, name);

    return i < daemon->n_services && !daemon->services[i]->is_going ? daemon->services[i] : NULL;
}

static json_t *view_planned(const char *name, const char *change, const struct origin *origin,
                            json_t *workers, unsigned n_workers)
{
    json_t *object = json_object();

    view_put(&object, "service", json_string(name));
    view_put(&object, "change", json_string(change));
    view_put(&object, "origin", view_origin(origin));
    view_put(&object, "n_workers", json_integer(n_workers));
    view_put(&object, "workers", workers);
    return object;
}

static void add_wanted(const struct planning *planning, const struct service_options *options,
                       json_t **array)
{
    const struct service *service = service_in_force(planning, options->name);
    unsigned n = 0;
    json_t *workers = service ? view_workers(planning, service, options, &n) : json_array();

    view_append(array, view_planned(options->name, service ? "kept" : "added", &options->origin,
                                    workers, n));
}

/* Services of the files, followed by those that are no longer in them. */
static json_t *view_services(const struct planning *planning)
{
    const struct config *config = &planning->version->config;
    const struct control_daemon *daemon = planning->daemon;
    json_t *array = json_array();

    for (size_t i = 0; i < config->n_services; i++)
        if (config->services[i].is_enabled)
            add_wanted(planning, &config->services[i], &array);
    for (size_t i = 0; i < daemon->n_services; i++) {
        const struct service *service = daemon->services[i];
        unsigned n = 0;

        if (service->is_going || config_find_enabled(config, service->options->name))
            continue;
        json_t *workers = view_workers(planning, service, NULL, &n);
        view_append(&array, view_planned(service->options->name, "removed", &(struct origin){0},
                                         workers, n));
    }
    return array;
}

/* Verdicts */

/* Notes each combination of client, service and local address, so that it is tried only once. */
struct tried {
    uint64_t places[TRIED_PLACES];
};

/* Returns whether it is new. The hash has a secret key, so that no client can cause a collision. */
static bool tried_note(struct tried *tried, const struct context *context,
                       const struct access_decision *decision)
{
    struct {
        struct address client, local;
        char service[DECISION_SERVICE_MAX];
    } key;

    memset(&key, 0, sizeof(key));
    key.client = decision->client;
    key.client.port = 0;
    key.local = decision->local;
    memcpy(key.service, decision->service, strlen(decision->service));
    uint64_t hash = siphash(&context->hash_key, &key, sizeof(key)) | 1;
    size_t i = hash % TRIED_PLACES;
    while (tried->places[i] != 0 && tried->places[i] != hash)
        i = (i + 1) % TRIED_PLACES;
    bool is_new = tried->places[i] == 0;
    tried->places[i] = hash;
    return is_new;
}

static json_t *view_verdict(const struct trial *trial)
{
    json_t *object = json_object();

    view_put_trial(&object, trial);
    return object;
}

static bool has_port(const struct service_options *options, uint16_t port)
{
    return port_list_has(&options->port, port) || port_list_has(&options->tls_port, port);
}

/* Appends both verdicts, the present one and that of the files, if they differ. */
static void compare_verdicts(const struct planning *planning,
                             const struct access_decision *decision, json_t **array)
{
    struct service *service = service_in_force(planning, decision->service);
    const struct service_options *options =
        config_find_enabled(&planning->version->config, decision->service);
    struct trial today = {0}, planned = {0};

    if (!service || !options || !has_port(options, decision->local.port))
        return;
    const struct trial_rules in_force = trial_rules_in_force(service);
    const struct trial_rules rules = {.mappings = planning->version->mappings, .options = options};
    int r = trial_run(service, &in_force, &decision->client, &decision->local, &today);
    trace_lines_clear(&today.trace);
    if (r == 0)
        r = trial_run(service, &rules, &decision->client, &decision->local, &planned);
    trace_lines_clear(&planned.trace);
    if (r == 0 && today.is_rejected == planned.is_rejected)
        return;
    json_t *object = r == 0 ? json_object() : NULL;
    view_put(&object, "service", json_string(options->name));
    view_put(&object, "client", view_address(&decision->client));
    view_put(&object, "local", view_address(&decision->local));
    view_put(&object, "from", view_verdict(&today));
    view_put(&object, "to", view_verdict(&planned));
    view_append(array, object);
}

/* *ret_n_left_out is how many clients were not tried. */
static json_t *view_verdicts(const struct planning *planning, unsigned *ret_n_left_out)
{
    static struct tried tried; /* large; the daemon has one thread */
    const struct admission *admission = planning->daemon->admission;
    uint64_t until = time_now_usec(CLOCK_MONOTONIC) + TRIALS_LIMIT_USEC;
    const struct access_decision *decision = NULL;
    json_t *array = json_array();

    memset(&tried, 0, sizeof(tried));
    while (admission && (decision = decisions_next(admission->decisions, NULL, NULL, decision))) {
        if (!tried_note(&tried, admission->context, decision))
            continue;
        if (time_now_usec(CLOCK_MONOTONIC) < until && json_array_size(array) < VERDICTS_AT_ONCE)
            compare_verdicts(planning, decision, &array);
        else
            (*ret_n_left_out)++;
    }
    return array;
}

/* Whether both descriptors have the same content. */
static bool is_same_content(int a, int b)
{
    char of_a[4096], of_b[4096];
    off_t offset = 0;

    for (;;) {
        ssize_t n = pread(a, of_a, sizeof(of_a), offset);

        if (n < 0 || pread(b, of_b, sizeof(of_b), offset) != n ||
            memcmp(of_a, of_b, (size_t)n) != 0)
            return false;
        if (n == 0)
            return true;
        offset += n;
    }
}

/* Compares the texts with all that they include. If there was no memory for one of them, it counts
 * as changed. */
static bool has_new_mappings(const struct planning *planning)
{
    const struct config_version *in_force = planning->daemon->version;

    return !is_same_content(in_force->mapping_copy, planning->version->mapping_copy);
}

json_t *view_plan(const struct control_daemon *daemon, const struct config_version *version,
                  const struct unit_list *units, const struct problem_list *problems)
{
    const struct planning planning = {.daemon = daemon, .version = version, .units = units};
    bool is_usable = version != NULL;
    json_t *object = json_object();
    unsigned n_left_out = 0;

    view_put(&object, "config_file", view_text(daemon->config_file));
    view_put(&object, "mapping_file", view_text(daemon->mapping_file));
    view_put(&object, "is_usable", json_boolean(is_usable));
    view_put(&object, "problems", view_problems(problems));
    view_put(&object, "options", is_usable ? view_changes(&planning) : json_array());
    view_put(&object, "has_new_mappings", json_boolean(is_usable && has_new_mappings(&planning)));
    view_put(&object, "services", is_usable ? view_services(&planning) : json_array());
    view_put(&object, "verdicts", is_usable ? view_verdicts(&planning, &n_left_out) : json_array());
    view_put(&object, "n_verdicts_left_out", json_integer(n_left_out));
    return object;
}
