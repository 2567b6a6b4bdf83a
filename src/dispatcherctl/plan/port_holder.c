/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/plan/port_holder.h"

#include "base/fd.h"
#include "base/str.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-login.h>
#include <unistd.h>

/* TCP_LISTEN, as /proc/net/tcp writes it. */
#define STATE_LISTEN 0x0A

/* Reads words of 32 bits in the host's byte order, as the kernel prints them. */
static void parse_bytes(const char *text, struct address *address)
{
    size_t n = address->family == AF_INET ? 1 : 4;

    for (size_t i = 0; i < n; i++) {
        char word[9];
        snprintf(word, sizeof(word), "%.8s", text + 8 * i);
        uint32_t value = (uint32_t)strtoul(word, NULL, 16);
        memcpy(address->bytes + 4 * i, &value, sizeof(value));
    }
}

static bool parse_line(const char *line, uint16_t family, struct port_holder *ret)
{
    unsigned port, state;
    unsigned long inode;
    char host[33];

    if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %*s %2x %*s %*s %*s %*s %*s %lu", host, &port,
               &state, &inode) != 4 ||
        state != STATE_LISTEN)
        return false;
    *ret =
        (struct port_holder){.inode = inode, .address = {.family = family, .port = (uint16_t)port}};
    parse_bytes(host, &ret->address);
    return true;
}

/* /proc does not show whether a socket at :: accepts IPv4 clients too. It is assumed to if the
 * address cannot be bound. */
static bool is_in_the_way(const struct address *held, const struct address *wanted)
{
    if (held->port != wanted->port)
        return false;
    if (held->family == wanted->family)
        return address_is_wildcard(held) || address_is_wildcard(wanted) ||
               memcmp(held->bytes, wanted->bytes, sizeof(held->bytes)) == 0;
    return held->family == AF_INET6 && address_is_wildcard(held) && !port_is_free(wanted);
}

static bool is_among(const struct address *address, const struct address list[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].family == address->family && list[i].port == address->port &&
            memcmp(list[i].bytes, address->bytes, sizeof(address->bytes)) == 0)
            return true;
    return false;
}

static bool search(const char *path, uint16_t family, const struct address *wanted,
                   const struct address ours[], size_t n_ours, struct port_holder *ret)
{
    FILE *stream = fopen(path, "re");
    _cleanup_str_ char *line = NULL;
    size_t size = 0;
    bool is_found = false;

    if (!stream)
        return false;
    while (!is_found && getline(&line, &size, stream) >= 0)
        is_found = parse_line(line, family, ret) && !is_among(&ret->address, ours, n_ours) &&
                   is_in_the_way(&ret->address, wanted);
    fclose(stream);
    return is_found;
}

/* The process */

static bool has_socket(const char *pid, const char *link)
{
    char path[300], target[64];
    bool is_found = false;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    for (const struct dirent *entry; !is_found && (entry = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        if (n < 0)
            continue;
        target[n] = '\0';
        is_found = strcmp(target, link) == 0;
    }
    closedir(dir);
    return is_found;
}

static void describe(struct port_holder *holder, const char *pid)
{
    char path[300];
    char *unit = NULL;

    holder->pid = (pid_t)atoi(pid);
    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *stream = fopen(path, "re");
    if (stream) {
        if (fgets(holder->program, sizeof(holder->program), stream))
            holder->program[strcspn(holder->program, "\n")] = '\0';
        fclose(stream);
    }
    if (sd_pid_get_unit(holder->pid, &unit) >= 0)
        snprintf(holder->unit, sizeof(holder->unit), "%s", unit);
    free(unit);
}

/* Both process 1 and its service have a socket of systemd's; the service is the better answer. */
static void find_process(struct port_holder *holder)
{
    DIR *dir = opendir("/proc");
    char link[64];
    bool has_first = false;

    snprintf(link, sizeof(link), "socket:[%lu]", holder->inode);
    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (strcmp(entry->d_name, "1") == 0) {
            has_first = has_socket("1", link);
        } else if (has_socket(entry->d_name, link)) {
            describe(holder, entry->d_name);
            break;
        }
    }
    closedir(dir);
    if (holder->pid == 0 && has_first)
        describe(holder, "1");
}

bool port_holder_find(const struct address *wanted, const struct address ours[], size_t n_ours,
                      struct port_holder *ret)
{
    if (!search("/proc/net/tcp", AF_INET, wanted, ours, n_ours, ret) &&
        !search("/proc/net/tcp6", AF_INET6, wanted, ours, n_ours, ret))
        return false;
    find_process(ret);
    return true;
}

unsigned long port_inode(const struct address *address)
{
    FILE *stream = fopen(address->family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", "re");
    _cleanup_str_ char *line = NULL;
    struct port_holder holder;
    unsigned long inode = 0;
    size_t size = 0;

    if (!stream)
        return 0;
    while (inode == 0 && getline(&line, &size, stream) >= 0)
        if (parse_line(line, address->family, &holder) && is_among(address, &holder.address, 1))
            inode = holder.inode;
    fclose(stream);
    return inode;
}

bool port_is_free(const struct address *wanted)
{
    struct sockaddr_storage storage;
    socklen_t length = address_to_sockaddr(wanted, &storage);
    const int on = 1;

    _cleanup_fd_ int fd = socket(wanted->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || length == 0)
        return true;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
    if (wanted->family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return bind(fd, (struct sockaddr *)&storage, length) == 0 || errno != EADDRINUSE;
}
