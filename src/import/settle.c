/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/settle.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "config/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Removing a line may make others wrong; each round removes at least one. */
#define ROUNDS_MAX 64

struct settling {
    char **lines; /* owned */
    size_t n_lines;
    unsigned n_services; /* sections of services that have become comments */
};

static void settling_clear(struct settling *settling)
{
    for (size_t i = 0; i < settling->n_lines; i++)
        free(settling->lines[i]);
    free(settling->lines);
}

static int divide(const char *text, struct settling *ret)
{
    size_t n = 1;

    for (const char *c = text; *c; c++)
        n += *c == '\n';
    ret->lines = calloc(n, sizeof(*ret->lines));
    if (!ret->lines)
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
    for (size_t i = 0; i < settling->n_lines; i++)
        fprintf(stream, "%s\n", settling->lines[i]);
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

/* Makes a comment of the line, with the reason above it unless that is "". Returns whether it was
 * no comment before. */
static bool comment_out(struct settling *settling, size_t i, const char *reason)
{
    char *line = settling->lines[i], *text = NULL;

    if (line[0] == '!' || !line[0])
        return false;
    const char *words = is_section(line) ? "NOT TRANSLATED" : "NOT TAKEN";
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

/* A problem of a section line is one of the whole section. */
static bool correct(struct settling *settling, const struct problem *problem)
{
    size_t i = problem->line - 1;

    if (problem->line == 0 || i >= settling->n_lines)
        return false;
    bool is_whole = is_section(settling->lines[i]);
    bool is_of_service = is_service(settling->lines[i]);
    bool is_changed = comment_out(settling, i, problem->text);
    settling->n_services += is_changed && is_of_service;
    for (size_t k = i + 1; is_whole && k < settling->n_lines; k++) {
        if (is_section(settling->lines[k]))
            break;
        (void)comment_out(settling, k, "");
    }
    return is_changed;
}

static int load(const char *text, struct problem_list *problems)
{
    const struct config_paths paths = config_paths_default();
    struct config config = {0};
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
    int r = config_load(path, &paths, problems, &config);
    config_clear(&config);
    return r == -ENOMEM ? r : 0;
}

/* Does one round. Returns 1 if anything was corrected, 0 if not, or a negative errno. */
static int settle_once(char **text, unsigned *n_services)
{
    struct problem_list problems = {0};
    struct settling settling = {0};
    bool is_changed = false;
    int r = load(*text, &problems);

    if (r == 0)
        r = divide(*text, &settling);
    for (size_t i = 0; i < problems.n_items && r == 0; i++)
        is_changed |= correct(&settling, &problems.items[i]);
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
