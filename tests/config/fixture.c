/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "fixture.h"

#include "config/print.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fixture_start(struct fixture *fixture)
{
    *fixture = (struct fixture){
        .dir = "/tmp/test-config-XXXXXX",
        .paths = {.worker_dir = "/workers", .config_dir = "/tables", .log_dir = "/logs"},
    };
    ck_assert_ptr_nonnull(mkdtemp(fixture->dir));
}

static void forget(struct fixture *fixture)
{
    config_clear(&fixture->config);
    problem_list_clear(&fixture->problems);
    free(fixture->printed);
    fixture->printed = NULL;
}

void fixture_stop(struct fixture *fixture)
{
    DIR *dir = opendir(fixture->dir);

    forget(fixture);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlink(fixture_path(fixture, entry->d_name));
    if (dir)
        closedir(dir);
    rmdir(fixture->dir);
}

const char *fixture_path(const struct fixture *fixture, const char *name)
{
    static char path[sizeof(fixture->dir) + 256];

    snprintf(path, sizeof(path), "%s/%.255s", fixture->dir, name);
    return path;
}

void fixture_write_bytes(const struct fixture *fixture, const char *name, const void *bytes,
                         size_t size)
{
    FILE *stream = fopen(fixture_path(fixture, name), "w");

    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
    ck_assert_int_eq(fchmod(fileno(stream), 0644), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

void fixture_write(const struct fixture *fixture, const char *name, const char *text)
{
    fixture_write_bytes(fixture, name, text, strlen(text));
}

/* Replaces "/tmp/test-config-XXXXXX/" by nothing. */
static void drop_dir(const struct fixture *fixture, char *text)
{
    size_t length = strlen(fixture->dir) + 1;

    for (char *found; (found = strstr(text, fixture->dir));)
        memmove(found, found + length, strlen(found + length) + 1);
}

int fixture_load_again(struct fixture *fixture)
{
    size_t size;

    forget(fixture);
    int r = config_load(fixture_path(fixture, "dispatcher.cnf"), &fixture->paths,
                        &fixture->problems, &fixture->config);
    FILE *stream = open_memstream(&fixture->printed, &size);
    ck_assert_ptr_nonnull(stream);
    if (r == 0)
        ck_assert_int_eq(config_print(&fixture->config, stream), 0);
    fclose(stream);
    drop_dir(fixture, fixture->printed);
    return r;
}

int fixture_load(struct fixture *fixture, const char *text)
{
    fixture_write(fixture, "dispatcher.cnf", text);
    return fixture_load_again(fixture);
}

bool fixture_has(const struct fixture *fixture, const char *expected)
{
    const char *dot = strchr(expected, '.');
    char section[64], option[512];

    snprintf(section, sizeof(section), "[SERVICE=%.*s]\n", (int)(dot - expected), expected);
    snprintf(option, sizeof(option), "\n%s\n", dot + 1);
    const char *start = strstr(fixture->printed, section);
    if (!start)
        return false;
    const char *found = strstr(start, option), *end = strstr(start, "\n\n");
    return found && (!end || found < end);
}

const char *fixture_problems(const struct fixture *fixture)
{
    static char all[PROBLEMS_MAX * 2 * 512];
    struct str_buffer buffer = str_buffer_init(all, sizeof(all));
    char text[1400];

    for (size_t i = 0; i < fixture->problems.n_items; i++) {
        problem_format(&fixture->problems.items[i], text, sizeof(text));
        str_buffer_add(&buffer, "%s\n", text);
    }
    drop_dir(fixture, all);
    return all;
}

bool fixture_said(const struct fixture *fixture, const char *expected)
{
    return strstr(fixture_problems(fixture), expected) != NULL;
}
