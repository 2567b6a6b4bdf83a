/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/unit_record.h"

#include "base/macro.h"
#include "base/str.h"
#include "files/text.h"
#include "generator/unit_merge.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a record that are read; a unit with its drop-ins has some 4 kB. */
#define RECORD_MAX_BYTES 262144

static void record_path(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", UNIT_RECORD_DIR, name);
}

/* By rename(2), so that a reader finds the old record or the new one, never a part. */
int unit_record_write(const char *name, const char *invocation, const char *text)
{
    char path[PATH_MAX], fresh[PATH_MAX + 8];
    int r;

    record_path(name, path);
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *stream = fopen(fresh, "we");
    if (!stream)
        return -errno;
    fprintf(stream, "%s\n%s", invocation, text);
    r = ferror(stream) ? -EIO : 0;
    if (fclose(stream) != 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(fresh, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(fresh);
    return r;
}

int unit_record_read(const char *name, const char *invocation, char **ret_text)
{
    char path[PATH_MAX];
    size_t length = strlen(invocation);

    record_path(name, path);
    _cleanup_str_ char *text = text_read_file(path, RECORD_MAX_BYTES);
    if (!text)
        return -errno;
    if (strncmp(text, invocation, length) != 0 || text[length] != '\n')
        return -ENOENT;
    memmove(text, text + length + 1, strlen(text + length));
    *ret_text = STEAL(text);
    return 0;
}

char *unit_record_text(const char *name)
{
    char path[PATH_MAX];
    struct unit_settings settings = {0};

    snprintf(path, sizeof(path), "/run/systemd/generator/%s", name);
    _cleanup_str_ char *generated = text_read_file(path, RECORD_MAX_BYTES);
    if (unit_merge("", name, generated, &settings) < 0)
        return NULL;
    char *text = unit_settings_text(&settings);
    unit_settings_clear(&settings);
    return text;
}
