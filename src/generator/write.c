/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/write.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t n = write(fd, text, left);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            text += n;
            left -= (size_t)n;
        }
    }
    return 0;
}

static int write_file(int folder, const char *path, const char *text)
{
    _cleanup_fd_ int fd =
        openat(folder, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    return write_all(fd, text);
}

/* Paths of the list are at most one folder deep. */
static int make_parent(int folder, const char *path)
{
    const char *slash = strchr(path, '/');
    char parent[NAME_MAX + 1];

    if (!slash)
        return 0;
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
    return mkdirat(folder, parent, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_one(int folder, const struct unit_file *file)
{
    int r = make_parent(folder, file->path);

    if (r < 0)
        return r;
    return write_file(folder, file->path, file->text);
}

int write_units(const char *directory, const struct unit_list *list, write_failed failed)
{
    _cleanup_fd_ int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return -errno;
    for (size_t i = 0; i < list->n_items; i++) {
        int r = write_one(folder, &list->items[i]);

        if (r < 0)
            failed(list->items[i].path, -r);
    }
    return 0;
}
