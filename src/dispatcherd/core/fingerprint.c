/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/fingerprint.h"

#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* FNV-1a, 64 bits: nobody chooses what goes in with evil intent. */
static void add(uint64_t *hash, const void *bytes, size_t length)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ b[i]) * UINT64_C(0x100000001b3);
}

static void add_string(uint64_t *hash, const char *string)
{
    add(hash, string, strlen(string) + 1);
}

static void add_number(uint64_t *hash, uint64_t number)
{
    add(hash, &number, sizeof(number));
}

/* What a file is, without reading it: every way of replacing it changes one of these. */
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

/* The worker's unit, which systemd knows as it was at the last daemon-reload: by its text, since it
 * is written anew at each. */
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

/* The administrator's changes to it (systemctl edit). */
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

uint64_t fingerprint_of(const struct service_options *options)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    add_file(&hash, options->image);
    add_string(&hash, options->logfile ? options->logfile : "");
    for (size_t i = 0; i < options->parameters.n_items; i++)
        add_string(&hash, options->parameters.items[i]);
    add_number(&hash, options->stacksize_bytes);
    add_number(&hash, options->max_conns);
    add_unit(&hash, options->unit_name);
    add_drop_ins(&hash, options->unit_name);
    return hash;
}
