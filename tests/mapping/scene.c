/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "scene.h"

#include "base/str.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void scene_start(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    strcpy(scene->dir, "/tmp/test-mapping-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scene->dir));
}

void scene_stop(struct scene *scene)
{
    DIR *dir = opendir(scene->dir);

    scene->set = mapping_set_unref(scene->set);
    problem_list_clear(&scene->problems);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlink(scene_path(scene, entry->d_name));
    if (dir)
        closedir(dir);
    rmdir(scene->dir);
}

const char *scene_path(const struct scene *scene, const char *name)
{
    static char path[sizeof(scene->dir) + 256];

    snprintf(path, sizeof(path), "%s/%.255s", scene->dir, name);
    return path;
}

void scene_write(const struct scene *scene, const char *name, const char *text, size_t length)
{
    FILE *stream = fopen(scene_path(scene, name), "w");

    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(text, 1, length, stream), length);
    ck_assert_int_eq(fchmod(fileno(stream), 0644), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

int scene_load(struct scene *scene, const char *text)
{
    scene->set = mapping_set_unref(scene->set);
    problem_list_clear(&scene->problems);
    scene_write(scene, "mappings", text, strlen(text));
    return mapping_set_load(scene_path(scene, "mappings"), &scene->problems, &scene->set);
}

void scene_load_entries(struct scene *scene, const char *entries)
{
    char text[8192];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    str_buffer_add(&buffer, "PORT_ACCESS\n\n");
    for (const char *line = entries; *line;) {
        size_t length = strcspn(line, "\n");

        str_buffer_add(&buffer, "  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    int r = scene_load(scene, text);
    ck_assert_msg(r == 0, "%s\n%s", entries, scene_problems(scene));
}

/* Hooks */

static uint32_t chance(void *data)
{
    const struct scene *scene = data;

    return scene->answers.chance;
}

static void trace(void *data, const struct mapping_trace *event)
{
    struct scene *scene = data;
    size_t length = strlen(scene->trace);

    snprintf(scene->trace + length, sizeof(scene->trace) - length, "%u %s:%u %s\n", event->depth,
             event->table, event->line, event->text);
}

static void answer(struct scene *scene)
{
    const struct callout *callout = &scene->run.callout;
    bool is_dns = callout->routine == CALLOUT_DNS_LIST;
    size_t length = strlen(scene->calls);
    char host[ADDRESS_TEXT_MAX];

    address_format_host(&callout->address, host);
    if (is_dns)
        snprintf(scene->calls + length, sizeof(scene->calls) - length, "%s %s %s;",
                 callout_routine_to_string(callout->routine), host, callout->zone);
    else
        snprintf(scene->calls + length, sizeof(scene->calls) - length, "%s %s %u;",
                 callout_routine_to_string(callout->routine), host, callout->limit);
    mapping_run_resume(&scene->run, is_dns ? scene->answers.listed != NULL : scene->answers.is_over,
                       scene->answers.listed);
}

static void run(struct scene *scene, const char *table, const char *string)
{
    const struct mapping_hooks hooks = {.chance = chance, .trace = trace, .data = scene};

    scene->calls[0] = scene->trace[0] = '\0';
    mapping_run_start(&scene->run, scene->set, table, string, PORT_ACCESS_INPUT_FLAGS, &hooks);
    while (mapping_run_step(&scene->run) == MAPPING_CALLOUT)
        answer(scene);
    scene->run.hooks = NULL;
}

const char *scene_run(struct scene *scene, const char *table, const char *string)
{
    static char text[MAPPING_STRING_MAX + 64];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    run(scene, table, string);
    if (scene->run.status == MAPPING_LIMIT)
        return "limit";
    if (!mapping_run_matched(&scene->run))
        return "none";
    str_buffer_add(&buffer, "%s/", mapping_run_string(&scene->run));
    for (char letter = 'A'; letter <= 'Z'; letter++)
        if (mapping_run_flags(&scene->run) & FLAG_OF(letter))
            str_buffer_add(&buffer, "%c", letter);
    return text;
}

static void add(struct str_buffer *buffer, const char *name, const char *value)
{
    if (!*value)
        return;
    str_buffer_add(buffer, " %s=", name);
    for (; *value; value++)
        str_buffer_add(buffer, "%c", *value == '\r' || *value == '\n' ? '/' : *value);
}

const char *scene_ask(struct scene *scene, const char *client)
{
    static char text[4 * MAPPING_STRING_MAX];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));
    const struct port_access *verdict = &scene->verdict;
    struct address from, to;
    char probe[PORT_ACCESS_PROBE_MAX];

    ck_assert_int_eq(address_parse("192.0.2.1", &to), 0);
    ck_assert_int_eq(address_parse(client, &from), 0);
    to.port = 25;
    from.port = 40312;
    ck_assert_int_eq(port_access_probe(&to, &from, probe), 0);
    run(scene, MAPPING_PORT_ACCESS, probe);
    port_access_judge(&scene->run, &scene->verdict);
    ck_assert_uint_eq(strlen(verdict->reply), verdict->reply_length);
    str_buffer_add(&buffer, "%s", verdict->is_rejected ? "reject" : "accept");
    add(&buffer, "reply", verdict->reply);
    add(&buffer, "note", verdict->match_note);
    add(&buffer, "reject-note", verdict->reject_note);
    add(&buffer, "tag", verdict->tag);
    add(&buffer, "log", verdict->log_text);
    return text;
}

/* Problems */

const char *scene_problems(const struct scene *scene)
{
    static char all[PROBLEMS_MAX * 2 * 512];
    struct str_buffer buffer = str_buffer_init(all, sizeof(all));
    size_t length = strlen(scene->dir) + 1;
    char text[1400];

    for (size_t i = 0; i < scene->problems.n_items; i++) {
        problem_format(&scene->problems.items[i], text, sizeof(text));
        for (char *found; (found = strstr(text, scene->dir));)
            memmove(found, found + length, strlen(found + length) + 1);
        str_buffer_add(&buffer, "%s\n", text);
    }
    return all;
}

bool scene_said(const struct scene *scene, const char *expected)
{
    return strstr(scene_problems(scene), expected) != NULL;
}
