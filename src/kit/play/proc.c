/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/proc.h"

#include "base/macro.h"
#include "base/str.h"
#include "files/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = 64,
    FDS_MAX = 4096 /* the most descriptors that are examined */
};

static void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

#define _cleanup_directory_ _cleanup_(close_directory)

static bool is_thread_stopped(pid_t pid, const char *thread)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", (int)pid, thread);
    _cleanup_str_ char *line = text_read_file(path, 512);
    if (!line)
        return true; /* it has ended in the meantime */
    const char *state = strrchr(line, ')');
    return state && state[1] == ' ' && state[2] == 'T';
}

bool proc_is_stopped(pid_t pid)
{
    char path[PATH_BYTES];
    const struct dirent *entry;
    bool is_stopped = true;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    _cleanup_directory_ DIR *directory = opendir(path);
    while (directory && is_stopped && (entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            is_stopped = is_thread_stopped(pid, entry->d_name);
    return directory && is_stopped;
}

int proc_has_cloexec(pid_t pid, int fd)
{
    char path[PATH_BYTES];
    unsigned flags;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
    _cleanup_str_ char *text = text_read_file(path, 512);
    const char *at = text ? strstr(text, "flags:") : NULL;
    if (!at || sscanf(at, "flags: %o", &flags) != 1)
        return -1;
    return (flags & O_CLOEXEC) != 0;
}

/* The first descriptor whose link begins with `wanted`; -1 if there is none. */
static int find_link(pid_t pid, const char *wanted)
{
    char path[PATH_BYTES], link[128];
    const struct dirent *entry;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    _cleanup_directory_ DIR *directory = opendir(path);
    while (directory && (entry = readdir(directory))) {
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);

        if (length > 0 && (link[length] = '\0', strncmp(link, wanted, strlen(wanted)) == 0))
            return atoi(entry->d_name);
    }
    return -1;
}

int proc_find_socket(pid_t pid, ino_t inode)
{
    char wanted[PATH_BYTES];

    snprintf(wanted, sizeof(wanted), "socket:[%llu]", (unsigned long long)inode);
    return find_link(pid, wanted);
}

int proc_find_memfd(pid_t pid, const char *name)
{
    char wanted[PATH_BYTES];

    snprintf(wanted, sizeof(wanted), "/memfd:%s", name);
    return find_link(pid, wanted);
}

bool proc_is_same_file(pid_t pid, int fd, int own)
{
    char path[PATH_BYTES];
    struct stat a, b;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
    return stat(path, &a) == 0 && fstat(own, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

int proc_lowest_free_fd(pid_t pid)
{
    for (int fd = 0; fd < FDS_MAX; fd++)
        if (proc_has_cloexec(pid, fd) < 0)
            return fd;
    return -1;
}
