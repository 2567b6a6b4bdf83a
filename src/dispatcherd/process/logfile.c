/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/logfile.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOGFILE_MODE 0640

#define STAMP        "YYYYMMDDThhmmss"
#define STAMP_LENGTH (sizeof(STAMP) - 1)

static struct str_buffer expand(const char *pattern, const char *host_name, char path[PATH_MAX])
{
    struct str_buffer buffer = str_buffer_init(path, PATH_MAX);

    for (const char *p = pattern; *p; p++) {
        if (p[0] == '%' && p[1] == 's') {
            str_buffer_add(&buffer, "%s", host_name);
            p++;
        } else {
            /* All other uses of % were refused when dispatcher.cnf was read. */
            if (p[0] == '%' && p[1] == '%')
                p++;
            str_buffer_add(&buffer, "%c", *p);
        }
    }
    return buffer;
}

static int set_path(struct logfile *file, const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    logfile_clear(file);
    file->path = copy;
    return 0;
}

int logfile_name(struct logfile *file, const char *pattern, const char *host_name, pid_t pid)
{
    char path[PATH_MAX], stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    struct str_buffer buffer = expand(pattern, host_name, path);
    tzset();
    localtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "-%Y%m%dT%H%M%S", &tm);
    str_buffer_add(&buffer, "%s.%d", stamp, (int)pid);
    return buffer.is_cut ? -ENAMETOOLONG : set_path(file, path);
}

/* Whether the text is "-YYYYMMDDThhmmss.PID". */
static bool is_suffix(const char *text, pid_t pid)
{
    char end[32];

    if (strlen(text) <= 1 + STAMP_LENGTH || text[0] != '-')
        return false;
    for (size_t i = 0; i < STAMP_LENGTH; i++)
        if (i == 8 ? text[1 + i] != 'T' : !isdigit((unsigned char)text[1 + i]))
            return false;
    snprintf(end, sizeof(end), ".%d", (int)pid);
    return strcmp(text + 1 + STAMP_LENGTH, end) == 0;
}

int logfile_folder(const char *pattern, const char *host_name, char *folder)
{
    if (expand(pattern, host_name, folder).is_cut)
        return -ENAMETOOLONG;
    char *slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
    return 0;
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

int logfile_find(struct logfile *file, const char *pattern, const char *host_name, pid_t pid)
{
    char path[PATH_MAX], folder[PATH_MAX], newest[NAME_MAX + 1] = "";
    struct stat st;
    struct dirent *entry;

    if (expand(pattern, host_name, path).is_cut)
        return -ENAMETOOLONG;
    (void)logfile_folder(pattern, host_name, folder);
    const char *name = strrchr(path, '/') + 1;
    _cleanup_(close_folder) DIR *stream = opendir(folder);
    while (stream && (entry = readdir(stream)))
        if (strncmp(entry->d_name, name, strlen(name)) == 0 &&
            is_suffix(entry->d_name + strlen(name), pid) && strcmp(entry->d_name, newest) > 0)
            strcpy(newest, entry->d_name);
    if (!newest[0] || fstatat(dirfd(stream), newest, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -ENOENT;
    struct str_buffer buffer = str_buffer_init(path, sizeof(path));
    str_buffer_add(&buffer, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, newest);
    int r = buffer.is_cut ? -ENAMETOOLONG : set_path(file, path);
    if (r < 0)
        return r;
    file->device = st.st_dev;
    file->inode = st.st_ino;
    return 0;
}

int logfile_open(struct logfile *file)
{
    struct stat st;

    /* With O_NONBLOCK, since opening a FIFO would wait for its reader. */
    _cleanup_fd_ int fd = open(
        file->path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
        LOGFILE_MODE);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
        return -EEXIST;
    file->device = st.st_dev;
    file->inode = st.st_ino;
    return take_fd(&fd);
}

bool logfile_is_in_place(const struct logfile *file)
{
    struct stat st;

    return lstat(file->path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode;
}

void logfile_clear(struct logfile *file)
{
    free(file->path);
    *file = (struct logfile){0};
}
