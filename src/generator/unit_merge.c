/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/unit_merge.h"

#include "base/macro.h"
#include "base/str.h"
#include "files/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of a file that are read; a unit or a drop-in has some 4 kB. */
#define FILE_MAX_BYTES 65536

/* The most drop-ins of a unit; administrators have one or two. */
#define DROP_INS_MAX 64

/* The generator's folder: folders before it in the list override it. */
#define GENERATOR_DIR "/run/systemd/generator"

/* The folders of system units, in descending order of precedence (systemd.unit(5)). */
static const char *const unit_dirs[] = {
    "/etc/systemd/system.control",   "/run/systemd/system.control",  "/run/systemd/transient",
    "/run/systemd/generator.early",  "/etc/systemd/system",          "/etc/systemd/system.attached",
    "/run/systemd/system",           "/run/systemd/system.attached", GENERATOR_DIR,
    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",      "/lib/systemd/system",
    "/run/systemd/generator.late",
};

/* What systemd removes from the ends of a line, which may come from a DOS editor. */
static const char blanks[] = STR_BLANKS "\r";

struct merging {
    const char *root;
    struct unit_settings settings;
    const char *file; /* NULL: the generator's text */
    char section[64];
    int error;
};

/* Assignments */

static void unit_setting_clear(struct unit_setting *setting)
{
    free(setting->section);
    free(setting->key);
    free(setting->value);
    free(setting->file);
}

static void drop(struct unit_settings *settings, const char *section, const char *key)
{
    size_t n = 0;

    for (size_t i = 0; i < settings->n_items; i++)
        if (strcmp(settings->items[i].section, section) == 0 &&
            strcmp(settings->items[i].key, key) == 0)
            unit_setting_clear(&settings->items[i]);
        else
            settings->items[n++] = settings->items[i];
    settings->n_items = n;
}

static void append(struct merging *merging, const char *key, const char *value, unsigned line)
{
    struct unit_settings *settings = &merging->settings;
    struct unit_setting *items =
        reallocarray(settings->items, settings->n_items + 1, sizeof(*items));

    if (!items) {
        merging->error = -ENOMEM;
        return;
    }
    settings->items = items;
    struct unit_setting setting = {
        .section = strdup(merging->section),
        .key = strdup(key),
        .value = strdup(value),
        .file = merging->file ? strdup(merging->file) : NULL,
        .line = line,
    };
    if (!setting.section || !setting.key || !setting.value || (merging->file && !setting.file)) {
        unit_setting_clear(&setting);
        merging->error = -ENOMEM;
        return;
    }
    settings->items[settings->n_items++] = setting;
}

static void take_line(struct merging *merging, char *line, unsigned number)
{
    char *equals;

    line = str_trim(line, blanks);
    if (line[0] == '[' && line[strlen(line) - 1] == ']') {
        snprintf(merging->section, sizeof(merging->section), "%.*s", (int)strlen(line) - 2,
                 line + 1);
        return;
    }
    equals = strchr(line, '=');
    if (!equals)
        return;
    *equals = '\0';
    const char *key = str_trim(line, blanks), *value = str_trim(equals + 1, blanks);
    if (*value)
        append(merging, key, value, number);
    else
        drop(&merging->settings, merging->section, key);
}

static bool is_comment(const char *line)
{
    line += strspn(line, " \t");
    return *line == '#' || *line == ';';
}

/* Comments between continued lines are left out (systemd.syntax(7)). */
static void take_text(struct merging *merging, char *text)
{
    _cleanup_str_ char *joined = malloc(strlen(text) + 1);
    unsigned number = 0, first = 0;
    char *next;

    merging->section[0] = '\0';
    if (!joined) {
        merging->error = -ENOMEM;
        return;
    }
    joined[0] = '\0';
    for (char *line = text; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        if (is_comment(line))
            continue;
        size_t length = strlen(line);
        bool goes_on = length > 0 && line[length - 1] == '\\';
        if (goes_on)
            line[length - 1] = ' ';
        if (!joined[0])
            first = number;
        strcat(joined, line);
        if (goes_on && next)
            continue;
        take_line(merging, joined, first);
        joined[0] = '\0';
    }
}

/* Files */

static void take_file(struct merging *merging, const char *path)
{
    _cleanup_str_ char *text = text_read_file(path, FILE_MAX_BYTES);

    if (!text)
        return;
    merging->file = path + strlen(merging->root);
    take_text(merging, text);
    merging->file = NULL;
}

static bool is_null_device(const char *path)
{
    struct stat st, null;

    return stat(path, &st) == 0 && stat("/dev/null", &null) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == null.st_rdev;
}

/* Takes the unit itself: the first file of that name, which may be the generator's. */
static int take_unit(struct merging *merging, const char *name, const char *text)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < ELEMENTSOF(unit_dirs); i++) {
        if (text && strcmp(unit_dirs[i], GENERATOR_DIR) == 0) {
            _cleanup_str_ char *copy = strdup(text);
            if (!copy)
                return -ENOMEM;
            take_text(merging, copy);
            return merging->error;
        }
        snprintf(path, sizeof(path), "%s%s/%s", merging->root, unit_dirs[i], name);
        if (access(path, F_OK) < 0)
            continue;
        merging->settings.is_masked = is_null_device(path);
        if (!merging->settings.is_masked)
            take_file(merging, path);
        return merging->error;
    }
    return -ENOENT;
}

/* Drop-ins: the first of each name, in the order of names */

struct drop_ins {
    char *paths[DROP_INS_MAX]; /* owned */
    size_t n;
};

static const char *base_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static bool is_drop_in(const char *name)
{
    size_t length = strlen(name);

    return name[0] != '.' && length > strlen(".conf") &&
           strcmp(name + length - strlen(".conf"), ".conf") == 0;
}

/* There is one of this name from a folder with precedence. */
static bool has_name(const struct drop_ins *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(base_name(list->paths[i]), name) == 0)
            return true;
    return false;
}

static void add_folder(const char *root, const char *dir, const char *unit, struct drop_ins *list)
{
    char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];

    snprintf(folder, sizeof(folder), "%s%s/%s.d", root, dir, unit);
    DIR *stream = opendir(folder);
    if (!stream)
        return;
    for (const struct dirent *entry; list->n < DROP_INS_MAX && (entry = readdir(stream));) {
        if (!is_drop_in(entry->d_name) || has_name(list, entry->d_name))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        list->paths[list->n] = strdup(path);
        list->n += list->paths[list->n] != NULL;
    }
    closedir(stream);
}

/* The names whose folders contain drop-ins of the unit, in descending order of precedence: its own,
 * its prefixes up to a dash, and its type (systemd.unit(5)). For "a-b.socket": "a-b.socket",
 * "a-.socket", "socket". Returns false after the last one. */
static bool next_name(const char *unit, char name[NAME_MAX + 1])
{
    const char *type = strrchr(unit, '.');
    char *dot = strrchr(name, '.');

    if (!name[0]) {
        snprintf(name, NAME_MAX + 1, "%s", unit);
        return true;
    }
    if (!dot || !type)
        return false;
    /* A dash at the end of the name was handled already. */
    for (char *c = dot - 1; c > name; c--)
        if (c[-1] == '-') {
            snprintf(c, NAME_MAX + 1 - (size_t)(c - name), "%s", type);
            return true;
        }
    snprintf(name, NAME_MAX + 1, "%s", type + 1);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

static void take_drop_ins(struct merging *merging, const char *unit)
{
    struct drop_ins list = {0};
    char name[NAME_MAX + 1] = "";

    while (next_name(unit, name))
        for (size_t i = 0; i < ELEMENTSOF(unit_dirs); i++)
            add_folder(merging->root, unit_dirs[i], name, &list);
    qsort(list.paths, list.n, sizeof(list.paths[0]), compare_names);
    for (size_t i = 0; i < list.n; i++) {
        if (!is_null_device(list.paths[i]))
            take_file(merging, list.paths[i]);
        free(list.paths[i]);
    }
}

int unit_merge(const char *root, const char *name, const char *text, struct unit_settings *ret)
{
    struct merging merging = {.root = root};
    int r = take_unit(&merging, name, text);

    if (r == 0)
        take_drop_ins(&merging, name);
    if (r == 0)
        r = merging.error;
    if (r < 0)
        unit_settings_clear(&merging.settings);
    else
        *ret = merging.settings;
    return r;
}

/* Reading the result */

const char *unit_settings_value(const struct unit_settings *settings, const char *section,
                                const char *key)
{
    const char *value = NULL;

    for (size_t i = 0; i < settings->n_items; i++)
        if (strcmp(settings->items[i].section, section) == 0 &&
            strcmp(settings->items[i].key, key) == 0)
            value = settings->items[i].value;
    return value;
}

static bool is_of_interest(const struct unit_setting *setting)
{
    return (strcmp(setting->section, "Socket") == 0 && strcmp(setting->key, "Backlog") != 0) ||
           strcmp(setting->section, "Service") == 0;
}

char *unit_settings_text(const struct unit_settings *settings)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);

    if (!stream)
        return NULL;
    for (size_t i = 0; i < settings->n_items; i++)
        if (is_of_interest(&settings->items[i]))
            fprintf(stream, "%s=%s\n", settings->items[i].key, settings->items[i].value);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

void unit_settings_clear(struct unit_settings *settings)
{
    for (size_t i = 0; i < settings->n_items; i++)
        unit_setting_clear(&settings->items[i]);
    free(settings->items);
    *settings = (struct unit_settings){0};
}
