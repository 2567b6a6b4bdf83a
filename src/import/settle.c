/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/settle.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "config/check.h"
#include "config/load.h"
#include "config/option_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Removing a line may make others wrong; each round removes at least one. */
#define ROUNDS_MAX 64

struct settling {
    char **lines; /* owned */
    char **added; /* owned: what follows each of the lines; NULL: nothing */
    size_t n_lines;
    unsigned n_services; /* sections of services that have become comments */
};

static void settling_clear(struct settling *settling)
{
    for (size_t i = 0; i < settling->n_lines; i++) {
        free(settling->lines[i]);
        free(settling->added[i]);
    }
    free(settling->lines);
    free(settling->added);
}

static int divide(const char *text, struct settling *ret)
{
    size_t n = 1;

    for (const char *c = text; *c; c++)
        n += *c == '\n';
    ret->lines = calloc(n, sizeof(*ret->lines));
    ret->added = calloc(n, sizeof(*ret->added));
    if (!ret->lines || !ret->added)
        return -ENOMEM;
    while (*text) {
        size_t length = strcspn(text, "\n");

        ret->lines[ret->n_lines] = strndup(text, length);
        if (!ret->lines[ret->n_lines])
            return -ENOMEM;
        ret->n_lines++;
        text += length + (text[length] == '\n');
    }
    return 0;
}

static char *join(const struct settling *settling)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);

    if (!stream)
        return NULL;
    for (size_t i = 0; i < settling->n_lines; i++) {
        fprintf(stream, "%s\n", settling->lines[i]);
        if (settling->added[i])
            fputs(settling->added[i], stream);
    }
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

static bool is_section(const char *line)
{
    return line[0] == '[';
}

/* As import/section.h writes them. */
static bool is_service(const char *line)
{
    return is_section(line) && strcasecmp(line, "[SERVICE=DISPATCHER]") != 0;
}

/* Removes places in files from the text, " (/proc/self/fd/3:8)": no person has this file, and the
 * line numbers change. */
static void cut_places(char *text)
{
    static const char path[] = "/proc/self/fd/";

    for (char *found; (found = strstr(text, path));) {
        char *end = found + strlen(path) + strspn(found + strlen(path), "0123456789:");
        char *start = found;

        if (start >= text + 2 && start[-1] == '(' && start[-2] == ' ' && *end == ')') {
            start -= 2;
            end++;
        }
        memmove(start, end, strlen(end) + 1);
    }
}

/* Makes a comment of the line, with `words` and the reason above it unless that is "". Returns
 * whether it was no comment before. */
static bool comment_out(struct settling *settling, size_t i, const char *words, const char *reason)
{
    char *line = settling->lines[i], *text = NULL;

    if (line[0] == '!' || !line[0])
        return false;
    int n = reason[0] ? asprintf(&text, "! %s: %s\n! %s", words, reason, line)
                      : asprintf(&text, "! %s", line);
    if (n < 0)
        return false;
    cut_places(text);
    /* The reader complains about comments with invisible characters, too. */
    for (char *c = text; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f || (unsigned char)*c >= 0x80)
            *c = '?';
    size_t length = strlen(text);
    if (text[length - 1] == '\\')
        text[length - 1] = '.';
    free(line);
    settling->lines[i] = text;
    return true;
}

/* Makes a comment of the whole section, which begins at that line. */
static bool leave_out(struct settling *settling, size_t i, const char *reason)
{
    bool is_of_service = is_service(settling->lines[i]);
    bool is_changed = comment_out(settling, i, "NOT TRANSLATED", reason);

    settling->n_services += is_changed && is_of_service;
    for (size_t k = i; k < settling->n_lines; k++) {
        if (k > i && is_section(settling->lines[k]))
            break;
        (void)comment_out(settling, k, "", "");
        free(settling->added[k]);
        settling->added[k] = NULL;
    }
    return is_changed;
}

/* The option that the line sets; NULL: none. */
static const struct option *option_of(const char *line)
{
    size_t length = strcspn(line, "=");
    char name[64];

    if (!line[length] || length >= sizeof(name))
        return NULL;
    memcpy(name, line, length);
    name[length] = '\0';
    return option_find(name);
}

/* Without these, a service would be open to more than it was. */
static bool is_restricting(const struct option *option)
{
    return option &&
           (option_id(option) == OPTION_INTERFACE_ADDRESS || option_id(option) == OPTION_ENABLE);
}

/* Finds the section line above. Returns false for the lines before the first section. */
static bool find_section(const struct settling *settling, size_t i, size_t *ret)
{
    while (i > 0)
        if (is_section(settling->lines[--i])) {
            *ret = i;
            return true;
        }
    return false;
}

static bool has_own(const struct settling *settling, size_t section, const struct option *option)
{
    for (size_t i = section + 1; i < settling->n_lines && !is_section(settling->lines[i]); i++)
        if (option_of(settling->lines[i]) == option)
            return true;
    return false;
}

/* Leaves out the services for which the line holds. */
static bool leave_out_services(struct settling *settling, size_t i, const char *reason)
{
    const struct option *option = option_of(settling->lines[i]);
    size_t section;

    if (find_section(settling, i, &section))
        return is_service(settling->lines[section]) ? leave_out(settling, section, reason)
                                                    : comment_out(settling, i, "NOT TAKEN", reason);
    for (size_t k = i + 1; k < settling->n_lines; k++)
        if (is_service(settling->lines[k]) && !has_own(settling, k, option))
            (void)leave_out(settling, k, reason);
    return comment_out(settling, i, "NOT TAKEN", reason);
}

static bool correct_error(struct settling *settling, size_t i, const char *reason)
{
    if (is_section(settling->lines[i]))
        return leave_out(settling, i, reason);
    if (is_restricting(option_of(settling->lines[i])))
        return leave_out_services(settling, i, reason);
    return comment_out(settling, i, "NOT TAKEN", reason);
}

static bool is_number(const struct option *option)
{
    static const char kind[] = "integer";

    return strncmp(option->type->name, kind, strlen(kind)) == 0;
}

/* Adds below line `i` what the option, which `line` sets, is in effect for the service. Returns 0
 * or -ENOMEM. */
static int add_effective(struct settling *settling, size_t i, const struct option *option,
                         const char *line, const struct service_options *service)
{
    unsigned limit = check_somaxconn();
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);

    if (!stream)
        return -ENOMEM;
    if (settling->added[i])
        fputs(settling->added[i], stream);
    if (option_id(option) == OPTION_BACKLOG && service->backlog > limit)
        fprintf(stream, "%s=%u\n", option->name, limit);
    else if (!is_number(option))
        fprintf(stream, "%s\n", line);
    else
        option->type->print(option->name, option_place_const(option, service), stream);
    if (fclose(stream) != 0) {
        free(text);
        return -ENOMEM;
    }
    free(settling->added[i]);
    settling->added[i] = text;
    return 0;
}

/* What the option became in each service that has it from this line: a default may become something
 * else in each, which is written there then. Returns how many have it, or -ENOMEM. */
static int write_effective(struct settling *settling, size_t i, const struct option *option,
                           const struct config *config)
{
    size_t section;
    bool is_default = !find_section(settling, i, &section);
    int n = 0, r = 0;

    for (size_t k = 0; k < config->n_services && r == 0; k++) {
        const struct service_options *service = &config->services[k];

        if (service->origins[option_id(option)].line != i + 1)
            continue;
        size_t at = is_default ? service->origin.line - 1 : i;
        /* It may have been left out for another line. */
        if (!is_default || is_section(settling->lines[at]))
            r = add_effective(settling, at, option, settling->lines[i], service);
        n++;
    }
    return r < 0 ? r : n;
}

/* The default of BACKLOG depends on other options; a warning about it is at the section line.
 * Returns false if the section has no such default. */
static bool limit_default_backlog(struct settling *settling, size_t i, const struct config *config)
{
    for (size_t k = 0; k < config->n_services; k++) {
        const struct service_options *service = &config->services[k];

        if (service->origin.line == i + 1 && !service->origins[OPTION_BACKLOG].file &&
            service->backlog > check_somaxconn())
            return add_effective(settling, i, &option_table[OPTION_BACKLOG], "", service) == 0;
    }
    return false;
}

/* What the reader of dispatcher.cnf does with the line is written in its place, so that it means
 * the same without the warning. A line that is ignored becomes a comment. */
static bool correct_warning(struct settling *settling, size_t i, const char *reason,
                            const struct config *config)
{
    const struct option *option = option_of(settling->lines[i]);

    if (is_section(settling->lines[i]) && limit_default_backlog(settling, i, config))
        return true;
    if (!option || !(is_number(option) || option->flags & OPTION_ONE_EACH))
        return correct_error(settling, i, reason);
    int n = write_effective(settling, i, option, config);
    return comment_out(settling, i, n > 0 ? "CHANGED" : "NOT TAKEN", reason);
}

/* A problem of a section line is one of the whole section. */
static bool correct(struct settling *settling, const struct problem *problem,
                    const struct config *config)
{
    size_t i = problem->line - 1;

    if (problem->line == 0 || i >= settling->n_lines || settling->lines[i][0] == '!')
        return false;
    /* What is in effect is not known before there are no errors. */
    if (problem->severity == PROBLEM_WARNING)
        return config && correct_warning(settling, i, problem->text, config);
    return correct_error(settling, i, problem->text);
}

static int load(const char *text, struct problem_list *problems, struct config *ret)
{
    const struct config_paths paths = config_paths_default();
    char path[64];

    _cleanup_fd_ int fd = memfd_new("dispatcherctl-import");
    if (fd < 0)
        return fd;
    for (size_t length = strlen(text), done = 0; done < length;) {
        ssize_t n = write(fd, text + done, length - done);
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r = config_load(path, &paths, problems, ret);
    return r == -ENOMEM ? r : 0;
}

/* Does one round. Returns 1 if anything was corrected, 0 if not, or a negative errno. */
static int settle_once(char **text, unsigned *n_services)
{
    struct problem_list problems = {0};
    struct settling settling = {0};
    struct config config = {0};
    bool is_changed = false;
    int r = load(*text, &problems, &config);
    bool is_good = problems.n_errors == 0;

    if (r == 0)
        r = divide(*text, &settling);
    for (size_t i = 0; i < problems.n_items && r == 0; i++)
        is_changed |= correct(&settling, &problems.items[i], is_good ? &config : NULL);
    if (r == 0 && is_changed) {
        char *corrected = join(&settling);
        if (corrected) {
            free(*text);
            *text = corrected;
            *n_services += settling.n_services;
        }
        r = corrected ? 1 : -ENOMEM;
    }
    settling_clear(&settling);
    problem_list_clear(&problems);
    config_clear(&config);
    return r;
}

int import_settle(char **text, unsigned *ret_n_services)
{
    unsigned n_services = 0;
    int r = 1;

    for (unsigned i = 0; i < ROUNDS_MAX && r > 0; i++)
        r = settle_once(text, &n_services);
    if (r < 0)
        return r;
    *ret_n_services = n_services;
    return 0;
}
