/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/resolv_conf.h"

#include "base/fd.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DNS_PORT 53

/* Far more than such a file has; the rest is not read. */
#define FILE_BYTES_MAX 16384

static const char keyword[] = "nameserver";
static const char own_server[] = "127.0.0.1:53";

/* Reads the address of "nameserver ADDRESS" into `ret`. Link-local addresses, which need the name
 * of an interface, are left out: c-ares 1.18 cannot use them. Returns false for other lines. */
static bool read_line(const char *line, size_t length, struct address *ret)
{
    char text[ADDRESS_TEXT_MAX];
    size_t at = sizeof(keyword) - 1, n = 0;

    if (length <= at || memcmp(line, keyword, at) != 0 || !isblank((unsigned char)line[at]))
        return false;
    while (at < length && isblank((unsigned char)line[at]))
        at++;
    while (at + n < length && !isspace((unsigned char)line[at + n]) && line[at + n] != '\0')
        n++;
    if (n == 0 || n >= sizeof(text))
        return false;
    memcpy(text, line + at, n);
    text[n] = '\0';
    return address_parse(text, ret) == 0 && ret->scope_id == 0;
}

void resolv_conf_parse(const char *text, size_t size, char ret[RESOLV_CONF_TEXT_MAX])
{
    struct str_buffer servers = str_buffer_init(ret, RESOLV_CONF_TEXT_MAX);
    char shown[ADDRESS_TEXT_MAX];
    struct address address;
    unsigned n = 0;

    while (size > 0 && n < RESOLV_CONF_SERVERS_MAX) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;

        if (read_line(text, length, &address)) {
            address.port = DNS_PORT;
            str_buffer_add(&servers, "%s%s", n++ > 0 ? "," : "", address_format(&address, shown));
        }
        length += end != NULL;
        text += length;
        size -= length;
    }
    if (n == 0)
        str_buffer_add(&servers, "%s", own_server);
}

static struct resolv_conf_mark mark_of(const struct stat *status)
{
    return (struct resolv_conf_mark){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = status->st_size,
        .written_at = status->st_mtim,
        .changed_at = status->st_ctim,
    };
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct resolv_conf_mark *a, const struct resolv_conf_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           is_same_time(&a->written_at, &b->written_at) &&
           is_same_time(&a->changed_at, &b->changed_at);
}

/* Returns how many bytes were read, or a negative errno. */
static ssize_t read_file(const char *path, char text[FILE_BYTES_MAX], struct resolv_conf_mark *mark)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    size_t size = 0;
    ssize_t n;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    while (size < FILE_BYTES_MAX && (n = read(fd, text + size, FILE_BYTES_MAX - size)) != 0) {
        if (n < 0)
            return -errno;
        size += (size_t)n;
    }
    *mark = mark_of(&status);
    return (ssize_t)size;
}

/* Returns what resolv_conf_refresh() does. */
static int read_anew(struct resolv_conf *file)
{
    char text[FILE_BYTES_MAX], servers[RESOLV_CONF_TEXT_MAX];
    struct resolv_conf_mark mark;
    ssize_t n = read_file(file->path, text, &mark);

    if (n < 0)
        return (int)n;
    file->mark = mark;
    resolv_conf_parse(text, (size_t)n, servers);
    if (strcmp(servers, file->servers) == 0)
        return 0;
    strcpy(file->servers, servers);
    return 1;
}

int resolv_conf_refresh(struct resolv_conf *file)
{
    struct stat status;
    int r = stat(file->path, &status) < 0 ? -errno : 0;

    if (r == 0) {
        struct resolv_conf_mark mark = mark_of(&status);

        if (file->servers[0] && is_same(&mark, &file->mark))
            return 0;
        r = read_anew(file);
    }
    if (r < 0 && !file->servers[0])
        strcpy(file->servers, own_server);
    return r;
}
