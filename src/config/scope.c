/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/scope.h"

#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t bit(const struct option *option)
{
    return UINT32_C(1) << option_id(option);
}

/* A line without an =. If it starts with an option's name, the value of that option is unknown. */
static void refuse_line(struct scope *scope, const struct line *line, struct problem_list *problems)
{
    size_t length = strcspn(line->text, " \t:");
    char end = line->text[length];

    line->text[length] = '\0';
    const struct option *option = option_find(line->text);
    if (option) {
        problem_add(problems, PROBLEM_ERROR, line->file, line->number,
                    "'=' is missing; an option is written as %s=value", option->name);
        scope->faulty |= bit(option);
    } else {
        line->text[length] = end;
        problem_add(problems, PROBLEM_ERROR, line->file, line->number,
                    "'%.60s' is neither an option (NAME=value), a section ([SERVICE=name]), an "
                    "include (<file) nor a comment (!)",
                    line->text);
        scope->is_broken = true;
    }
}

/* A name that is not in the table of options. */
static void say_unknown(struct scope *scope, const struct line *line, const char *name,
                        const char *value, struct problem_list *problems)
{
    const struct ignored_option *ignored = ignored_option_find(name);

    if (ignored) {
        if (!ignored->is_quiet_at_0 || strcmp(value, "0") != 0)
            problem_add(problems, PROBLEM_WARNING, line->file, line->number, "%s is ignored: %s",
                        ignored->name, ignored->advice);
        return;
    }
    if (str_equal_nocase(name, "SERVICE")) {
        problem_add(problems, PROBLEM_ERROR, line->file, line->number,
                    "a section is written as [SERVICE=%.40s]", value);
        scope->is_broken = true;
        return;
    }
    /* Guessing is slow, so it is left out for problems that are not kept. */
    bool is_kept = problems->n_warnings < PROBLEMS_MAX;
    const char *nearest = is_kept ? option_nearest_name(name) : NULL;
    if (nearest)
        problem_add(problems, PROBLEM_WARNING, line->file, line->number,
                    "the unknown option %.60s is ignored; did you mean %s?", name, nearest);
    else
        problem_add(problems, PROBLEM_WARNING, line->file, line->number,
                    "the unknown option %.60s is ignored", name);
}

/* Reports an option that has no meaning in this scope. Returns false if its value is not to be
 * used. */
static bool is_at_home(const struct scope *scope, const struct value_source *source)
{
    const struct option *option = source->option;

    if (option->scopes == SCOPE_DISPATCHER && scope->kind != SCOPE_DISPATCHER) {
        value_warning(source, "%s is ignored here: it belongs in [SERVICE=DISPATCHER]",
                      option->name);
        return false;
    }
    if (scope->kind == SCOPE_GLOBAL && !(option->scopes & SCOPE_GLOBAL)) {
        value_warning(source, "%s is ignored here: it belongs in a [SERVICE=name] section",
                      option->name);
        return false;
    }
    if (!(option->scopes & scope->kind)) {
        value_warning(source, "%s is ignored in [SERVICE=DISPATCHER], which is not a service",
                      option->name);
        return false;
    }
    if (scope->kind == SCOPE_GLOBAL && (option->flags & OPTION_ONE_EACH))
        value_warning(source, "%s applies to every service that does not set it", option->name);
    return true;
}

static void say_suspicious(const struct scope *scope, const struct value_source *source)
{
    const struct origin *before = &scope->values.origins[option_id(source->option)];
    size_t length = strlen(source->text);

    if (before->file && !(source->option->flags & OPTION_IS_LIST))
        value_warning(source, "%s is already set at %.300s:%u; this line takes effect",
                      source->option->name, before->file, before->line);
    if (length >= 2 && source->text[0] == '"' && source->text[length - 1] == '"')
        value_warning(source, VALUE_SHOWN ": the quotation marks are part of the value",
                      VALUE_ARGS(source));
}

/* Keeps the number of origins equal to that of PARAMETERs: one more, or none. */
static int add_parameter_origin(struct service_options *values, const struct value_source *source)
{
    size_t n = values->parameters.n_items;

    if (n == 0)
        return 0;
    struct origin *origins = reallocarray(values->parameter_origins, n, sizeof(*origins));
    if (!origins)
        return -ENOMEM;
    origins[n - 1] = (struct origin){.file = source->file, .line = source->line};
    values->parameter_origins = origins;
    return 0;
}

static int copy_parameter_origins(struct service_options *values,
                                  const struct service_options *from)
{
    size_t n = from->parameters.n_items;

    values->parameter_origins = calloc(n + 1, sizeof(*values->parameter_origins));
    if (!values->parameter_origins)
        return -ENOMEM;
    if (n > 0)
        memcpy(values->parameter_origins, from->parameter_origins,
               n * sizeof(*from->parameter_origins));
    return 0;
}

/* Notes that the option has a value here. */
static void set_written(struct scope *scope, const struct value_source *source)
{
    const struct option *option = source->option;
    enum option_id id = option_id(option);
    bool is_list = option->flags & OPTION_IS_LIST;

    if (id == OPTION_PORT)
        scope->has_port_zero = *source->text && scope->values.port.n_ports == 0;
    bool is_first = !scope->values.origins[id].file;
    /* The origin of a list is its first line. */
    if (is_first || !is_list)
        scope->values.origins[id] = (struct origin){.file = source->file, .line = source->line};
    scope->written |= bit(option);
    scope->faulty &= ~bit(option);
}

int scope_read_line(struct scope *scope, const struct line *line, const struct config_paths *paths,
                    struct problem_list *problems)
{
    char *value = strchr(line->text, '=');

    if (!value) {
        refuse_line(scope, line, problems);
        return 0;
    }
    *value++ = '\0';
    value = str_trim(value, STR_BLANKS);
    const char *name = str_trim(line->text, STR_BLANKS);
    if (!*name) {
        problem_add(problems, PROBLEM_ERROR, line->file, line->number,
                    "an option's name is missing before the =");
        scope->is_broken = true;
        return 0;
    }

    struct value_source source = {
        .option = option_find(name),
        .text = value,
        .file = line->file,
        .line = line->number,
        .paths = paths,
        .problems = problems,
    };
    if (!source.option) {
        say_unknown(scope, line, name, value, problems);
        return 0;
    }
    if (!is_at_home(scope, &source))
        return 0;
    say_suspicious(scope, &source);
    int r = source.option->type->parse(&source, option_place(source.option, &scope->values));
    if (r == 0 && option_id(source.option) == OPTION_PARAMETER)
        r = add_parameter_origin(&scope->values, &source);
    if (r == 0)
        set_written(scope, &source);
    else if (r == -EINVAL)
        scope->faulty |= bit(source.option);
    return r == -ENOMEM ? r : 0;
}

int scope_inherit(struct scope *section, const struct scope *global)
{
    section->faulty |= global->faulty & ~section->written;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *option = &option_table[i];

        if (section->written & bit(option))
            continue;
        option_set_default(option, &section->values);
        if (!(global->written & bit(option)))
            continue;
        if (option_copy(option, &global->values, &section->values) < 0)
            return -ENOMEM;
        if (i == OPTION_PARAMETER && copy_parameter_origins(&section->values, &global->values) < 0)
            return -ENOMEM;
        section->values.origins[i] = global->values.origins[i];
    }
    return 0;
}

bool scope_has_errors(const struct scope *section)
{
    return section->is_broken || section->faulty != 0;
}

void scope_clear(struct scope *scope)
{
    service_options_clear(&scope->values);
    *scope = (struct scope){.kind = scope->kind};
}
