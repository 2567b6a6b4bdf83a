/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/plan/offline_plan.h"

#include "base/str.h"
#include "config/changes.h"
#include "config/load.h"
#include "dispatcherctl/plan/json_text.h"
#include "mapping/metermaid.h"
#include "mapping/set.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static void append(json_t *array, json_t *item)
{
    if (item)
        (void)json_array_append_new(array, item);
}

static json_t *origin_of(const struct origin *origin)
{
    char text[PATH_MAX + 16];

    if (!origin->file)
        return json_null();
    snprintf(text, sizeof(text), "%s:%u", origin->file, origin->line);
    return json_text(text);
}

static json_t *list_problems(const struct problem_list *problems)
{
    json_t *array = json_array();
    char text[1024];

    for (size_t i = 0; i < problems->n_items; i++)
        append(array, json_text(problem_format(&problems->items[i], text, sizeof(text))));
    return array;
}

static json_t *list_values(const char *text)
{
    json_t *array = json_array();

    while (*text) {
        size_t length = strcspn(text, "\n");
        _cleanup_str_ char *value = strndup(text, length);

        append(array, value ? json_text(value) : NULL);
        text += length + (text[length] == '\n');
    }
    return array;
}

static json_t *list_options(const struct config *config)
{
    const struct config nothing = {0};
    struct config_changes changes = {0};
    json_t *array = json_array();

    if (config_changes_find(&nothing, config, &changes) < 0)
        return array;
    for (size_t i = 0; i < changes.n_items; i++) {
        const struct config_change *change = &changes.items[i];

        append(array, json_pack("{s:s?, s:s, s:[], s:o, s:o}", "service", change->service, "option",
                                change->option, "from", "to", list_values(change->to), "origin",
                                origin_of(&change->origin)));
    }
    config_changes_clear(&changes);
    return array;
}

static json_t *list_services(const struct config *config)
{
    json_t *array = json_array();

    for (size_t i = 0; i < config->n_services; i++)
        if (config->services[i].is_enabled)
            append(array,
                   json_pack("{s:s, s:s, s:o, s:i, s:[]}", "service", config->services[i].name,
                             "change", "added", "origin", origin_of(&config->services[i].origin),
                             "n_workers", 0, "workers"));
    return array;
}

int offline_plan(const char *config_file, const char *mapping_file, json_t **ret)
{
    const struct config_paths paths = config_paths_default();
    _cleanup_mapping_set_ struct mapping_set *mappings = NULL;
    struct problem_list problems = {0};
    struct config config = {0};

    int r = config_load(config_file, &paths, &problems, &config);
    if (r == 0)
        config_check_images(&config, &problems);
    if (r != -ENOMEM && mapping_set_load(mapping_file, &problems, &mappings) == -ENOMEM)
        r = -ENOMEM;
    if (mappings && config.fleet.n_items == 0)
        metermaid_warn_without_fleet(mappings, &problems);
    bool is_usable = r == 0 && problems.n_errors == 0;
    if (r != -ENOMEM)
        *ret =
            json_pack("{s:o, s:o, s:b, s:o, s:o, s:b, s:o, s:[], s:i}", "config_file",
                      json_text(config_file), "mapping_file", json_text(mapping_file), "is_usable",
                      is_usable, "problems", list_problems(&problems), "options",
                      list_options(&config), "has_new_mappings", mappings && mappings->n_tables > 0,
                      "services", list_services(&config), "verdicts", "n_verdicts_left_out", 0);
    config_clear(&config);
    problem_list_clear(&problems);
    return r == -ENOMEM || !*ret ? -ENOMEM : 0;
}
