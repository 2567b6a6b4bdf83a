/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/fingerprint.h"

#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* FNV-1a, 64 bits: the input comes from administrators alone, so no secret key is needed. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

static void add(uint64_t *hash, const void *bytes, size_t length)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ b[i]) * UINT64_C(0x100000001b3);
}

static uint64_t half(uint64_t hash)
{
    return (hash ^ hash >> 32) & UINT32_MAX;
}

static void add_string(uint64_t *hash, const char *string)
{
    add(hash, string, strlen(string) + 1);
}

static void add_number(uint64_t *hash, uint64_t number)
{
    add(hash, &number, sizeof(number));
}

/* Identifies a file without reading it: every way of replacing it changes one of these. */
static void add_file(uint64_t *hash, const char *path)
{
    struct stat st;

    add_string(hash, path);
    if (stat(path, &st) < 0)
        return;
    add_number(hash, st.st_dev);
    add_number(hash, st.st_ino);
    add_number(hash, (uint64_t)st.st_size);
    add_number(hash, (uint64_t)st.st_mtim.tv_sec);
    add_number(hash, (uint64_t)st.st_mtim.tv_nsec);
}

/* Adds the worker's unit as systemd has read it at the last daemon-reload. Its text is added and
 * not its inode, since each daemon-reload writes it anew. */
static void add_unit(uint64_t *hash, const char *unit_name)
{
    char path[PATH_MAX], text[4096];

    snprintf(path, sizeof(path), "/run/systemd/generator/dispatcherd-%.40s-worker@.service",
             unit_name);
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (ssize_t n; (n = read(fd, text, sizeof(text))) > 0;)
        add(hash, text, (size_t)n);
}

/* Adds the administrator's drop-ins of that unit (systemctl edit). */
static void add_drop_ins(uint64_t *hash, const char *unit_name)
{
    static const char *const dirs[] = {"/etc/systemd/system", "/run/systemd/system"};
    char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];

    for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
        struct dirent **entries = NULL;

        snprintf(dir, sizeof(dir), "%s/dispatcherd-%.40s-worker@.service.d", dirs[i], unit_name);
        int n = scandir(dir, &entries, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            if (entries[k]->d_name[0] != '.') {
                snprintf(path, sizeof(path), "%s/%s", dir, entries[k]->d_name);
                add_file(hash, path);
            }
            free(entries[k]);
        }
        free(entries);
    }
}

/* The upper half is of the options and files, the lower one of the unit's text: 0 if there is none.
 * If `unit` is NULL, the text that systemd has is used. */
static uint64_t fingerprint(const struct service_options *options, const char *unit)
{
    uint64_t hash = HASH_START, unit_hash = HASH_START;

    add_file(&hash, options->image);
    add_string(&hash, options->logfile ? options->logfile : "");
    for (size_t i = 0; i < options->parameters.n_items; i++)
        add_string(&hash, options->parameters.items[i]);
    add_number(&hash, options->stacksize_bytes);
    add_number(&hash, options->max_conns);
    add_drop_ins(&hash, options->unit_name);
    if (unit)
        add(&unit_hash, unit, strlen(unit));
    else
        add_unit(&unit_hash, options->unit_name);
    uint64_t lower = unit_hash == HASH_START ? 0 : half(unit_hash) | 1;
    return half(hash) << 32 | lower;
}

uint64_t fingerprint_of(const struct service_options *options)
{
    return fingerprint(options, NULL);
}

uint64_t fingerprint_planned(const struct service_options *options, const char *unit)
{
    return fingerprint(options, unit);
}

bool fingerprint_differs(uint64_t one, uint64_t other)
{
    uint32_t unit = (uint32_t)one, other_unit = (uint32_t)other;

    return one >> 32 != other >> 32 || (unit != 0 && other_unit != 0 && unit != other_unit);
}

uint64_t fingerprint_join(uint64_t old, uint64_t now)
{
    return (uint32_t)now != 0 ? now : old;
}
