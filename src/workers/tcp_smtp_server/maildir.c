/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/maildir.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ABANDONED_AFTER_SEC (36 * 60 * 60)
/* A name that exists already is an accident, which does not happen twice. */
#define MAX_NAMES_TRIED 10

/* Makes the name of a folder durable; `path` is modified during the call. Without this, a power
 * failure could remove the folder with all messages in it that clients were told are safe. */
static int sync_name(char *path)
{
    char *slash = strrchr(path, '/');
    const char *parent = !slash ? "." : slash == path ? "/" : path;

    if (slash)
        *slash = '\0';
    _cleanup_fd_ int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (slash)
        *slash = '/';
    return r;
}

/* If the folder exists, another worker may have made it a moment ago and not synced it yet. A
 * sandbox may forbid opening its parent, which then is not our business. */
static int make_folder(char *path)
{
    if (mkdir(path, 0700) == 0)
        return sync_name(path);
    /* A sandbox may hide what is above, and forbid making a folder that exists. */
    int error = errno;

    if (error != EEXIST && access(path, F_OK) < 0)
        return -error;
    (void)sync_name(path);
    return 0;
}

/* Makes `path` and all missing folders above it. */
static int make_folders(const char *path)
{
    _cleanup_str_ char *part = strdup(path);

    if (!part)
        return -ENOMEM;
    for (char *slash = part; slash; *slash = '/') {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        int r = make_folder(part);
        if (r < 0)
            return r;
        if (!slash)
            break;
    }
    return 0;
}

int maildir_make(const char *path)
{
    static const char *const folders[] = {"tmp", "new", "cur"};

    for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
        _cleanup_str_ char *folder = NULL;

        if (asprintf(&folder, "%s/%s", path, folders[i]) < 0) {
            folder = NULL;
            return -ENOMEM;
        }
        int r = make_folders(folder);
        if (r < 0)
            return r;
        if (faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS) < 0)
            return -errno;
    }
    return 0;
}

/* Opens path/name, for calls relative to it and for fsync(). */
static int open_folder(const char *path, const char *name)
{
    _cleanup_str_ char *folder = NULL;

    if (asprintf(&folder, "%s/%s", path, name) < 0) {
        folder = NULL;
        return -ENOMEM;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void maildir_clean(const char *path)
{
    _cleanup_fd_ int fd = open_folder(path, "tmp");
    time_t now = time(NULL);
    struct dirent *entry;
    struct stat st;

    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder)
        return;
    (void)take_fd(&fd);
    while ((entry = readdir(folder)))
        if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && now - st.st_mtime > ABANDONED_AFTER_SEC)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    (void)closedir(folder);
}

/* The name by the Maildir convention: time, microseconds, process and a counter, and the host, in
 * which "/" and ":" are written in octal. */
static void make_name(struct maildir_delivery *delivery, const char *host_name)
{
    static atomic_uint counter;
    struct str_buffer name = str_buffer_init(delivery->file_name, sizeof(delivery->file_name));
    uint64_t now = time_now_usec(CLOCK_REALTIME);

    str_buffer_add(&name, "%" PRIu64 ".M%" PRIu64 "P%ldQ%u.", now / USEC_PER_SEC,
                   now % USEC_PER_SEC, (long)getpid(), atomic_fetch_add(&counter, 1));
    for (; *host_name; host_name++)
        if (*host_name == '/' || *host_name == ':')
            str_buffer_add(&name, "\\%03o", (unsigned)*host_name);
        else
            str_buffer_add(&name, "%c", *host_name);
}

static void close_all(struct maildir_delivery *delivery)
{
    delivery->file_fd = fd_close(delivery->file_fd);
    delivery->tmp_fd = fd_close(delivery->tmp_fd);
    delivery->new_fd = fd_close(delivery->new_fd);
}

int maildir_begin(struct maildir_delivery *delivery, const char *path, const char *host_name)
{
    delivery->n_buffered = 0;
    delivery->file_fd = delivery->new_fd = -1;
    delivery->tmp_fd = open_folder(path, "tmp");
    if (delivery->tmp_fd == -ENOENT && maildir_make(path) == 0)
        delivery->tmp_fd = open_folder(path, "tmp");
    if (delivery->tmp_fd < 0)
        return delivery->tmp_fd;
    int r = delivery->new_fd = open_folder(path, "new");
    for (int i = 0; r >= 0 && delivery->file_fd < 0; i++) {
        make_name(delivery, host_name);
        delivery->file_fd = openat(delivery->tmp_fd, delivery->file_name,
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (delivery->file_fd < 0 && (errno != EEXIST || i == MAX_NAMES_TRIED))
            r = -errno;
    }
    if (r < 0) {
        close_all(delivery);
        return r;
    }
    return 0;
}

static int write_all(int fd, const char *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        ssize_t n = write(fd, bytes, n_bytes);

        if (n > 0) {
            bytes += n;
            n_bytes -= (size_t)n;
        } else if (n == 0) {
            return -ENOSPC;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static int flush(struct maildir_delivery *delivery)
{
    size_t n = delivery->n_buffered;

    delivery->n_buffered = 0;
    return write_all(delivery->file_fd, delivery->buffer, n);
}

int maildir_write(struct maildir_delivery *delivery, const char *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        size_t room = MAILDIR_BUFFER_BYTES - delivery->n_buffered;
        size_t n = n_bytes < room ? n_bytes : room;

        memcpy(delivery->buffer + delivery->n_buffered, bytes, n);
        delivery->n_buffered += n;
        bytes += n;
        n_bytes -= n;
        if (delivery->n_buffered == MAILDIR_BUFFER_BYTES) {
            int r = flush(delivery);

            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* Moves the file, but never over another one. */
static int move_to_new(const struct maildir_delivery *delivery)
{
    const char *name = delivery->file_name;

    if (renameat2(delivery->tmp_fd, name, delivery->new_fd, name, RENAME_NOREPLACE) == 0)
        return 0;
    /* File systems that cannot guarantee this (such as NFS) return EINVAL; the name is unique
     * anyway. */
    if (errno == EINVAL && renameat(delivery->tmp_fd, name, delivery->new_fd, name) == 0)
        return 0;
    return -errno;
}

int maildir_commit(struct maildir_delivery *delivery)
{
    int r = flush(delivery);

    if (r == 0 && fsync(delivery->file_fd) < 0)
        r = -errno;
    /* NFS and quotas may report errors as late as this. */
    int fd = take_fd(&delivery->file_fd);
    if (close(fd) < 0 && r == 0 && errno != EINTR)
        r = -errno;
    if (r == 0)
        r = move_to_new(delivery);
    if (r < 0) {
        maildir_abort(delivery);
        return r;
    }
    /* If this failed, a crash could remove the name and with it the message. The client will send
     * it again, so it must not be visible now. */
    if (fsync(delivery->new_fd) < 0) {
        r = -errno;
        (void)unlinkat(delivery->new_fd, delivery->file_name, 0);
    }
    close_all(delivery);
    return r;
}

void maildir_abort(struct maildir_delivery *delivery)
{
    (void)unlinkat(delivery->tmp_fd, delivery->file_name, 0);
    close_all(delivery);
}
