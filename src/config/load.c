/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/load.h"

#include "base/service_name.h"
#include "base/str.h"
#include "config/check.h"
#include "config/scope.h"
#include "files/number.h"
#include "files/reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Far more than any host runs; it limits the damage that a broken file can do. */
#define SERVICES_MAX 256

struct loader {
    const struct config_paths *paths;
    struct problem_list *problems;
    struct str_list files;
    struct scope global;
    struct scope dispatcher;
    struct scope nowhere; /* for lines below an invalid section line: they are read and ignored */
    bool has_nowhere;     /* there was such a line */
    struct scope **services; /* in the order of the file */
    size_t n_services;
    struct scope *current; /* one of the above */
};

static void loader_clear(struct loader *loader)
{
    scope_clear(&loader->global);
    scope_clear(&loader->dispatcher);
    scope_clear(&loader->nowhere);
    for (size_t i = 0; i < loader->n_services; i++) {
        scope_clear(loader->services[i]);
        free(loader->services[i]);
    }
    free(loader->services);
    str_list_clear(&loader->files);
}

/* Why a service may not have this name; NULL if it may. The name becomes part of units, which root
 * reads, and some names are taken (dispatcher.cnf(5), SERVICE). */
static const char *name_fault(const char *name)
{
    static const char *const reserved[] = {"WEB", "WORKER", "CONTROL"};
    static const char *const endings[] = {"-WORKER", "-TLS"};
    size_t length = strlen(name);

    if (length == 0 || length > SERVICE_NAME_MAX)
        return "a service's name has 1 to 32 characters";
    for (const char *c = name; *c; c++)
        if (!isascii(*c) || !(isalnum((unsigned char)*c) || (c > name && strchr("_-", *c))))
            return "a service's name consists of letters and digits; - and _ may follow the first";
    for (size_t i = 0; i < ELEMENTSOF(reserved); i++)
        if (str_equal_nocase(name, reserved[i]))
            return "WEB, WORKER and CONTROL are reserved";
    for (size_t i = 0; i < ELEMENTSOF(endings); i++) {
        size_t n = strlen(endings[i]);

        if (length >= n && str_equal_nocase(name + length - n, endings[i]))
            return "a service's name may not end in -WORKER or -TLS, which name its units";
    }
    return NULL;
}

static char *lower_case_copy(const char *name)
{
    char *copy = strdup(name);

    for (char *c = copy; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

const struct reader_rules config_line_rules = {
    .line_max = CONFIG_LINE_MAX,
    .too_long = "the line is longer than 65536 bytes",
    .comment_marks = "!;#",
    .include_example = "site.cnf",
    .cut_off = PROBLEM_ERROR,
    .cut_off_text = "the file ends after a backslash, which joins the line with the next",
};

static struct scope *find_section(const struct loader *loader, const char *name)
{
    for (size_t i = 0; i < loader->n_services; i++)
        if (str_equal_nocase(loader->services[i]->values.name, name))
            return loader->services[i];
    return NULL;
}

/* Appends an empty section. Returns 0 or -ENOMEM. */
static int add_section(struct loader *loader, const struct line *line, const char *name)
{
    struct scope **services =
        reallocarray(loader->services, loader->n_services + 1, sizeof(struct scope *));

    if (!services)
        return -ENOMEM;
    loader->services = services;
    struct scope *section = calloc(1, sizeof(*section));
    if (!section)
        return -ENOMEM;
    services[loader->n_services++] = section;
    section->kind = SCOPE_SERVICE;
    section->values.name = strdup(name);
    section->values.unit_name = lower_case_copy(name);
    section->values.origin = (struct origin){.file = line->file, .line = line->number};
    loader->current = section;
    return section->values.name && section->values.unit_name ? 0 : -ENOMEM;
}

/* The lines that follow are ignored: nobody knows which service they were meant for. */
static int refuse_section(struct loader *loader, const struct line *line, const char *reason)
{
    problem_add(loader->problems, PROBLEM_ERROR, line->file, line->number, "%s", reason);
    scope_clear(&loader->nowhere);
    loader->current = &loader->nowhere;
    loader->has_nowhere = true;
    return 0;
}

/* Goes on with a section that is there already. That of the Dispatcher always is; its first section
 * line opens it. */
static void reopen_section(struct loader *loader, const struct line *line, struct scope *section,
                           const char *name)
{
    struct origin *origin = &section->values.origin;

    if (origin->file)
        problem_add(loader->problems, PROBLEM_WARNING, line->file, line->number,
                    "the section %s continues here; it began at %.300s:%u", name, origin->file,
                    origin->line);
    else
        *origin = (struct origin){.file = line->file, .line = line->number};
    loader->current = section;
}

static int open_section(struct loader *loader, const struct line *line, const char *name)
{
    const char *fault = name_fault(name);
    struct scope *section = &loader->dispatcher;

    if (!str_equal_nocase(name, "DISPATCHER")) {
        if (fault)
            return refuse_section(loader, line, fault);
        section = find_section(loader, name);
    }
    if (section) {
        reopen_section(loader, line, section, name);
        return 0;
    }
    if (loader->n_services == SERVICES_MAX)
        return refuse_section(loader, line, "at most 256 services are allowed");
    return add_section(loader, line, name);
}

/* Reads "[SERVICE=name]", with blanks anywhere except within the words. */
static int read_section_line(struct loader *loader, const struct line *line)
{
    static const char form[] = "a section is written as [SERVICE=name], alone on its line";
    char *end = strchr(line->text, ']'), *equals = strchr(line->text, '=');

    if (!end || end[1] || !equals || equals > end)
        return refuse_section(loader, line, form);
    *end = *equals = '\0';
    if (!str_equal_nocase(str_trim(line->text + 1, STR_BLANKS), "SERVICE"))
        return refuse_section(loader, line, form);
    return open_section(loader, line, str_trim(equals + 1, STR_BLANKS));
}

/* Reads all files into scopes. Returns 0, however many errors the lines have, or -ENOMEM. */
static int read_files(struct loader *loader, const char *path)
{
    struct reader reader;
    struct line line;
    int r = reader_open(&reader, &config_line_rules, path, loader->paths, loader->problems,
                        &loader->files);

    while (r == 0 && (r = reader_next(&reader, &line)) > 0) {
        r = 0;
        if (line.kind == LINE_BLANK)
            continue;
        if (line.kind == LINE_BROKEN)
            loader->current->is_broken = true;
        else if (*line.text == '[')
            r = read_section_line(loader, &line);
        else
            r = scope_read_line(loader->current, &line, loader->paths, loader->problems);
    }
    reader_close(&reader);
    return r == -ENOMEM ? r : 0;
}

/* The mask of the environment, which replaces every DEBUG of the file. Returns false if there is
 * none, or an invalid one. */
static bool environment_mask(const struct loader *loader, uint32_t *ret)
{
    const struct config_paths *paths = loader->paths;

    if (!paths->debug_env)
        return false;
    if (number_parse_environment_mask(paths->debug_env, ret) == 0)
        return true;
    problem_add(loader->problems, PROBLEM_WARNING, "environment", 0,
                "%s=%.60s is ignored; a mask is written as 1 to 8 hexadecimal digits, as in "
                "FFFFFFFF",
                paths->debug_env_name ? paths->debug_env_name : "the debug mask", paths->debug_env);
    return false;
}

/* Makes the effective options of the Dispatcher itself. */
static int finish_dispatcher(struct loader *loader, struct config *config)
{
    struct service_options *values = &loader->dispatcher.values;
    int r = scope_inherit(&loader->dispatcher, &loader->global);

    if (r < 0)
        return r;
    config->debug = values->debug;
    config->debug_origin = values->origins[OPTION_DEBUG];
    config->dns_servers = values->dns_servers;
    values->dns_servers = (struct str_list){0};
    config->dns_servers_origin = values->origins[OPTION_DNS_SERVERS];
    config->fleet = values->fleet;
    values->fleet = (struct str_list){0};
    config->fleet_origin = values->origins[OPTION_FLEET];
    config->fleet_addresses = values->fleet_addresses;
    config->fleet_addresses_origin = values->origins[OPTION_FLEET_ADDRESSES];
    config->fleet_name = STEAL(values->fleet_name);
    config->fleet_name_origin = values->origins[OPTION_FLEET_NAME];
    config->fleet_wait_msec = values->fleet_wait_msec;
    config->fleet_wait_origin = values->origins[OPTION_FLEET_WAIT];
    config->historical_time_sec = values->historical_time_sec;
    config->historical_time_origin = values->origins[OPTION_HISTORICAL_TIME];
    config->logfile = STEAL(values->logfile);
    config->logfile_origin = values->origins[OPTION_LOGFILE];
    config->record = STEAL(values->record);
    config->record_origin = values->origins[OPTION_RECORD];
    return 0;
}

/* Makes the effective options of every section. */
static int finish_services(struct loader *loader)
{
    for (size_t i = 0; i < loader->n_services; i++) {
        struct scope *section = loader->services[i];
        int r = scope_inherit(section, &loader->global);

        if (r < 0)
            return r;
        check_section(section, loader->problems);
    }
    return 0;
}

static void override_debug(struct config *config, uint32_t mask)
{
    static const struct origin environment = {.file = "environment"};

    config->debug = mask;
    config->debug_origin = environment;
    for (size_t i = 0; i < config->n_services; i++) {
        config->services[i].debug = mask;
        config->services[i].origins[OPTION_DEBUG] = environment;
    }
}

/* Moves the services out of their scopes, and reports where they collide. */
static int collect_services(struct loader *loader, bool is_broken[], struct config *config)
{
    config->services = calloc(loader->n_services + 1, sizeof(*config->services));
    if (!config->services)
        return -ENOMEM;
    for (size_t i = 0; i < loader->n_services; i++) {
        is_broken[i] = scope_has_errors(loader->services[i]);
        config->services[i] = loader->services[i]->values;
        loader->services[i]->values = (struct service_options){0};
    }
    config->n_services = loader->n_services;
    return check_clashes(config->services, config->n_services, is_broken, loader->problems);
}

static void drop_broken(struct config *config, const bool is_broken[])
{
    size_t n = 0;

    for (size_t i = 0; i < config->n_services; i++)
        if (is_broken[i])
            service_options_clear(&config->services[i]);
        else
            config->services[n++] = config->services[i];
    config->n_services = n;
}

/* Reads everything, and keeps the services that have no errors. */
static int load(struct loader *loader, const char *path, struct config *config)
{
    bool is_broken[SERVICES_MAX];
    uint32_t mask;
    int r = read_files(loader, path);
    bool is_read = loader->files.n_items > 0;

    if (r == 0 && is_read && loader->n_services == 0 && !loader->has_nowhere)
        problem_add(loader->problems, PROBLEM_WARNING, path, 0,
                    "the file has no service, so nothing is served; a section starts with "
                    "[SERVICE=name]");
    if (r == 0)
        r = finish_dispatcher(loader, config);
    if (r == 0)
        r = finish_services(loader);
    if (r == 0)
        r = collect_services(loader, is_broken, config);
    if (r < 0)
        return r;
    drop_broken(config, is_broken);
    if (environment_mask(loader, &mask))
        override_debug(config, mask);
    config->files = loader->files;
    loader->files = (struct str_list){0};
    return 0;
}

int config_load_usable(const char *path, const struct config_paths *paths,
                       struct problem_list *problems, struct config *ret)
{
    struct loader loader = {
        .paths = paths,
        .problems = problems,
        .global.kind = SCOPE_GLOBAL,
        .dispatcher.kind = SCOPE_DISPATCHER,
        .nowhere.kind = SCOPE_SERVICE,
    };
    struct config config = {0};

    loader.current = &loader.global;
    int r = load(&loader, path, &config);
    loader_clear(&loader);
    if (r < 0) {
        config_clear(&config);
        return r;
    }
    *ret = config;
    return 0;
}

int config_load(const char *path, const struct config_paths *paths, struct problem_list *problems,
                struct config *ret)
{
    size_t n_errors = problems->n_errors;
    struct config config;
    int r = config_load_usable(path, paths, problems, &config);

    if (r < 0)
        return r;
    if (problems->n_errors > n_errors) {
        config_clear(&config);
        return -EINVAL;
    }
    *ret = config;
    return 0;
}
