/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/check.h"

#include "config/load.h"
#include "config/option_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* listen() is never asked for fewer, whatever the pool's size (dispatcher.cnf(5)). */
#define BACKLOG_MIN 5

static unsigned *count_of(struct service_options *service, enum option_id id)
{
    return option_place(&option_table[id], service);
}

/* Whether this line has a warning of this text already: a default for all services gets one, not
 * one for each service. */
static bool is_said(const struct problem_list *problems, const struct origin *at, const char *text)
{
    for (size_t i = 0; i < problems->n_items; i++) {
        const struct problem *problem = &problems->items[i];

        if (problem->severity == PROBLEM_WARNING && problem->line == at->line &&
            strcmp(problem->file, at->file) == 0 && strcmp(problem->text, text) == 0)
            return true;
    }
    return false;
}

static void warn_once(struct problem_list *problems, const struct origin *at, const char *format,
                      ...) _printf_(3, 4);

static void warn_once(struct problem_list *problems, const struct origin *at, const char *format,
                      ...)
{
    char text[600];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (!is_said(problems, at, text))
        problem_add(problems, PROBLEM_WARNING, at->file, at->line, "%s", text);
}

/* "the default" or "FILE:LINE". */
static const char *origin_text(const struct origin *origin, char text[320])
{
    if (origin->file)
        snprintf(text, 320, "%.300s:%u", origin->file, origin->line);
    else
        strcpy(text, "the default");
    return text;
}

/* Lowers the option to the limit that another option sets. A default is lowered without a warning.
 */
static void lower_to(struct service_options *service, enum option_id id, enum option_id limit_id,
                     struct problem_list *problems)
{
    unsigned *value = count_of(service, id), limit = *count_of(service, limit_id);
    const struct origin *origin = &service->origins[id];
    char where[320];

    if (*value <= limit)
        return;
    if (origin->file)
        warn_once(problems, origin, "%s=%u is more than %s=%u (%s); %u is used",
                  option_table[id].name, *value, option_table[limit_id].name, limit,
                  origin_text(&service->origins[limit_id], where), limit);
    *value = limit;
}

unsigned check_somaxconn(void)
{
    FILE *stream = fopen("/proc/sys/net/core/somaxconn", "re");
    unsigned limit = UINT32_MAX;

    if (stream) {
        if (fscanf(stream, "%u", &limit) != 1)
            limit = UINT32_MAX;
        fclose(stream);
    }
    return limit;
}

static void check_backlog(struct service_options *service, struct problem_list *problems)
{
    const struct origin *origin = &service->origins[OPTION_BACKLOG];
    unsigned limit = check_somaxconn();

    if (!origin->file) {
        unsigned places = service->max_conns * service->max_procs;

        service->backlog = places < BACKLOG_MIN ? BACKLOG_MIN : places;
        if (service->backlog > limit)
            warn_once(problems, &service->origin,
                      "BACKLOG, by default MAX_CONNS x MAX_PROCS = %u, is more than the kernel's "
                      "net.core.somaxconn=%u, which limits it",
                      service->backlog, limit);
    } else if (service->backlog > limit) {
        warn_once(problems, origin,
                  "BACKLOG=%u is more than the kernel's net.core.somaxconn=%u, which limits it",
                  service->backlog, limit);
    }
}

static bool is_faulty(const struct scope *section, enum option_id id)
{
    return section->faulty & UINT32_C(1) << id;
}

/* Reports options that a service needs and lacks, at the nearest line, unless their own lines have
 * errors. */
static void check_complete(struct scope *section, struct problem_list *problems)
{
    const struct service_options *service = &section->values;
    const struct origin *port = &service->origins[OPTION_PORT], *at = &service->origin;
    bool has_ports = service->port.n_ports > 0 || service->tls_port.n_ports > 0;
    bool is_port_known = !is_faulty(section, OPTION_PORT) && !is_faulty(section, OPTION_TLS_PORT);

    if (!service->is_enabled)
        return;
    if (!service->image && !is_faulty(section, OPTION_IMAGE)) {
        section->is_broken = true;
        problem_add(problems, PROBLEM_ERROR, at->file, at->line,
                    "the service %s has no IMAGE, the program that its workers run", service->name);
    }
    if (!has_ports && is_port_known) {
        section->is_broken = true;
        at = port->file ? port : at;
        problem_add(problems, PROBLEM_ERROR, at->file, at->line,
                    "the service %s has no PORT; PORT=0 disables a service", service->name);
    }
}

static bool has_everybody(const struct network_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        if (list->items[i].prefix_bits == 0)
            return true;
    return false;
}

/* A trusted proxy may claim any address as the client's. */
static void check_proxy(struct scope *section, struct problem_list *problems)
{
    const struct service_options *service = &section->values;
    const struct origin *protocol = &service->origins[OPTION_PROXY_PROTOCOL];
    const struct origin *upstreams = &service->origins[OPTION_PROXY_UPSTREAMS];
    bool has_upstreams = service->proxy_upstreams.n_items > 0;
    bool is_known =
        !is_faulty(section, OPTION_PROXY_PROTOCOL) && !is_faulty(section, OPTION_PROXY_UPSTREAMS);

    if (!service->is_enabled || !is_known)
        return;
    if (service->proxy_protocol && !has_upstreams) {
        section->is_broken = true;
        problem_add(problems, PROBLEM_ERROR, protocol->file, protocol->line,
                    "the service %s has PROXY_PROTOCOL=1 without PROXY_UPSTREAMS, the networks of "
                    "the proxies that it trusts",
                    service->name);
    } else if (service->proxy_protocol && has_everybody(&service->proxy_upstreams)) {
        warn_once(problems, upstreams,
                  "PROXY_UPSTREAMS includes all addresses, so any client may claim any address");
    } else if (!service->proxy_protocol && has_upstreams &&
               section->written & UINT32_C(1) << OPTION_PROXY_UPSTREAMS) {
        warn_once(problems, upstreams,
                  "PROXY_UPSTREAMS of the service %s has no effect without PROXY_PROTOCOL=1",
                  service->name);
    }
}

void check_section(struct scope *section, struct problem_list *problems)
{
    struct service_options *service = &section->values;

    service->is_enabled = service->enable && !section->has_port_zero;
    service->has_interface_address = service->interface_address.address.family != AF_UNSPEC;
    lower_to(service, OPTION_MIN_PROCS, OPTION_MAX_PROCS, problems);
    lower_to(service, OPTION_MIN_CONNS, OPTION_MAX_CONNS, problems);
    lower_to(service, OPTION_MAX_HANDOFFS, OPTION_MAX_CONNS, problems);
    lower_to(service, OPTION_MAX_SHUTDOWN, OPTION_MAX_PROCS, problems);
    check_backlog(service, problems);
    check_complete(section, problems);
    check_proxy(section, problems);
}

/* A port of a service. */
struct use {
    uint16_t port;
    size_t service;
    enum option_id option; /* OPTION_PORT or OPTION_TLS_PORT */
};

static bool is_everywhere(const struct service_options *service)
{
    return !service->has_interface_address ||
           address_is_wildcard(&service->interface_address.address);
}

static int compare_uses(const void *a, const void *b)
{
    const struct use *x = a, *y = b;

    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    if (x->service != y->service)
        return x->service < y->service ? -1 : 1;
    return (int)x->option - (int)y->option;
}

static size_t add_uses(struct use *uses, size_t n_uses, size_t service, enum option_id option,
                       const struct port_list *list)
{
    for (size_t i = 0; i < list->n_ports; i++)
        uses[n_uses++] = (struct use){list->ports[i], service, option};
    return n_uses;
}

enum clash {
    CLASH_NONE,
    CLASH_PARTLY, /* one listens on all addresses, the other on one */
    CLASH_FULL,
};

/* Whether two services on the same port collide. */
static enum clash clash_of(const struct service_options *a, const struct service_options *b)
{
    const struct address *x = &a->interface_address.address, *y = &b->interface_address.address;
    bool has_one_zone = strcmp(a->interface_address.zone, b->interface_address.zone) == 0;

    if (a->has_interface_address && b->has_interface_address && x->family != y->family)
        return CLASH_NONE;
    if (is_everywhere(a) != is_everywhere(b))
        return CLASH_PARTLY;
    if (is_everywhere(a))
        return CLASH_FULL;
    return address_equal(x, y) && has_one_zone ? CLASH_FULL : CLASH_NONE;
}

/* `b` is the later one, and gets the error. */
static void say_clash(const struct service_options *services, const struct use *a,
                      const struct use *b, enum clash clash, struct problem_list *problems)
{
    const struct service_options *first = &services[a->service], *second = &services[b->service];
    const struct origin *there = &first->origins[a->option], *here = &second->origins[b->option];

    if (a->service == b->service)
        problem_add(problems, PROBLEM_ERROR, here->file, here->line,
                    "%s=%u of the service %s is also its %s", option_table[b->option].name, b->port,
                    second->name, option_table[a->option].name);
    else if (clash == CLASH_FULL)
        problem_add(problems, PROBLEM_ERROR, here->file, here->line,
                    "port %u of the service %s is taken by the service %s (%.300s:%u); another "
                    "port or another INTERFACE_ADDRESS is needed",
                    b->port, second->name, first->name, there->file, there->line);
    else
        problem_add(problems, PROBLEM_WARNING, here->file, here->line,
                    "port %u is configured for the service %s on %s, and for the service %s "
                    "(%.300s:%u) on %s; the kernel lets only one of them listen",
                    b->port, second->name, is_everywhere(second) ? "all addresses" : "one address",
                    first->name, there->file, there->line, is_everywhere(first) ? "all" : "one");
}

int check_clashes(const struct service_options *services, size_t n_services, bool is_broken[],
                  struct problem_list *problems)
{
    size_t n_uses = 0;

    for (size_t i = 0; i < n_services; i++)
        n_uses += services[i].port.n_ports + services[i].tls_port.n_ports;
    struct use *uses = calloc(n_uses + 1, sizeof(*uses));
    if (!uses)
        return -ENOMEM;
    n_uses = 0;
    for (size_t i = 0; i < n_services; i++)
        if (services[i].is_enabled) {
            n_uses = add_uses(uses, n_uses, i, OPTION_PORT, &services[i].port);
            n_uses = add_uses(uses, n_uses, i, OPTION_TLS_PORT, &services[i].tls_port);
        }
    qsort(uses, n_uses, sizeof(*uses), compare_uses);
    for (size_t b = 0; b < n_uses; b++)
        for (size_t a = b; a-- > 0 && uses[a].port == uses[b].port;) {
            enum clash clash = clash_of(&services[uses[a].service], &services[uses[b].service]);

            if (clash == CLASH_NONE)
                continue;
            say_clash(services, &uses[a], &uses[b], clash, problems);
            is_broken[uses[b].service] |= clash == CLASH_FULL;
        }
    free(uses);
    return 0;
}

/* Why the file cannot be executed; NULL if it can. */
static const char *image_fault(const char *image)
{
    struct stat st;

    if (stat(image, &st) < 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "it is not a regular file";
    if (access(image, X_OK) < 0)
        return strerror(errno);
    return NULL;
}

void config_check_images(const struct config *config, struct problem_list *problems)
{
    for (size_t i = 0; i < config->n_services; i++) {
        const struct service_options *service = &config->services[i];
        const struct origin *at = &service->origins[OPTION_IMAGE];
        const char *fault = service->is_enabled ? image_fault(service->image) : NULL;

        if (fault)
            problem_add(problems, PROBLEM_ERROR, at->file, at->line,
                        "the IMAGE %.300s of the service %s cannot be run: %s", service->image,
                        service->name, fault);
    }
}
