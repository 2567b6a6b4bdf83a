/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/marks.h"

#include "base/fd.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Microseconds of real-time scheduling: 36 million years and more. The next digits are the
 * adapter's process number, so that two adapters of one user know their own, the last count its
 * sessions. */
#define FIRST_MARK     UINT64_C(1000000000000000000)
#define PER_PROCESS    UINT64_C(100000000000)
#define SESSIONS_COUNT UINT64_C(10000000000)

static uint64_t first_of_this_process(void)
{
    /* Process numbers have 22 bits at the most: proc_sys_kernel(5), pid_max. */
    return FIRST_MARK + (uint64_t)getpid() * PER_PROCESS;
}

uint64_t marks_new(void)
{
    static _Atomic uint64_t n;

    return first_of_this_process() + atomic_fetch_add(&n, 1) % SESSIONS_COUNT;
}

int marks_set(uint64_t mark)
{
    const struct rlimit limit = {mark, mark};

    return setrlimit(RLIMIT_RTTIME, &limit) < 0 ? -errno : 0;
}

/* Reads a small file of a process, by its path below /proc. Returns false if it is gone. */
static bool read_file(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;
    if (n <= 0)
        return false;
    text[n] = '\0';
    return true;
}

uint64_t marks_of(pid_t pid)
{
    char text[4096];

    if (!read_file(pid, "limits", text, sizeof(text)))
        return 0;
    const char *line = strstr(text, "\nMax realtime timeout");
    unsigned long long soft, hard;
    if (!line || sscanf(line + 1, "Max realtime timeout %llu %llu", &soft, &hard) != 2)
        return 0;
    uint64_t first = first_of_this_process();
    return hard >= first && hard < first + PER_PROCESS ? hard : 0;
}

static char state_of(pid_t pid)
{
    char text[256];
    const char *end = read_file(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;

    return end && end[1] == ' ' ? end[2] : '\0';
}

static int add(struct marked_list *list, const struct marked *item)
{
    if (list->n_items == list->n_room) {
        size_t n = list->n_room ? 2 * list->n_room : 64;
        struct marked *items = reallocarray(list->items, n, sizeof(*items));

        if (!items)
            return -ENOMEM;
        list->items = items;
        list->n_room = n;
    }
    list->items[list->n_items++] = *item;
    return 0;
}

int marks_list(uint64_t mark, struct marked_list *list)
{
    DIR *folder = opendir("/proc");
    const struct dirent *entry;
    int r = 0;

    list->n_items = 0;
    if (!folder)
        return -errno;
    while (r == 0 && (entry = readdir(folder))) {
        pid_t pid = (pid_t)atol(entry->d_name);
        uint64_t found = pid > 0 ? marks_of(pid) : 0;

        if (found && (mark == 0 || found == mark))
            r = add(list, &(struct marked){pid, found, state_of(pid)});
    }
    closedir(folder);
    return r;
}
