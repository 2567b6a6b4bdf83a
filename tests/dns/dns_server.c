/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_server.h"

#include "base/fd.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static const char *const names[DNS_BEHAVIOURS_MAX] = {
    [DNS_LIST] = ".list.test",       [DNS_BRIEF] = ".brief.test", [DNS_SLOW] = ".slow.test",
    [DNS_SILENT] = ".silent.test",   [DNS_WORLD] = ".world.test", [DNS_REFUSES] = ".refuses.test",
    [DNS_PARKED] = ".parked.test",   [DNS_DEAD] = ".dead.test",   [DNS_FAILS] = ".fails.test",
    [DNS_GARBAGE] = ".garbage.test",
};

static void put(struct dns_reply *reply, const void *bytes, size_t size)
{
    ck_assert_uint_le(reply->length + size, sizeof(reply->bytes));
    memcpy(reply->bytes + reply->length, bytes, size);
    reply->length += size;
}

static void put_record(struct dns_reply *reply, uint8_t type, uint32_t ttl, const void *data,
                       uint16_t size)
{
    const uint8_t head[] = {0xc0, 12, 0, type, 0, 1};
    const uint32_t ttl_sent = htonl(ttl);
    const uint16_t size_sent = htons(size);

    put(reply, head, sizeof(head));
    put(reply, &ttl_sent, sizeof(ttl_sent));
    put(reply, &size_sent, sizeof(size_sent));
    put(reply, data, size);
    reply->bytes[7]++;
}

static void put_address(struct dns_reply *reply, const char *text, uint32_t ttl)
{
    in_addr_t address = inet_addr(text);

    put_record(reply, ns_t_a, ttl, &address, sizeof(address));
}

static void put_entry(struct dns_reply *reply, uint16_t type, uint32_t ttl)
{
    uint8_t text[] = {sizeof(DNS_SERVER_TEXT) - 1};
    char joined[sizeof(text) + sizeof(DNS_SERVER_TEXT)];

    if (type == ns_t_a) {
        put_address(reply, "127.0.0.2", ttl);
        return;
    }
    memcpy(joined, text, sizeof(text));
    memcpy(joined + 1, DNS_SERVER_TEXT, sizeof(DNS_SERVER_TEXT) - 1);
    put_record(reply, ns_t_txt, ttl, joined, sizeof(DNS_SERVER_TEXT));
}

/* Fills the reply, which is the question so far. Returns false for silence. */
static bool answer(enum dns_behaviour behaviour, const char *name, uint16_t type,
                   struct dns_reply *reply)
{
    bool is_test = strncmp(name + 1, ".0.0.127.", 9) == 0;
    bool is_entry = is_test ? *name == '2' : atoi(name) % 2 == 1;

    switch (behaviour) {
    case DNS_SLOW:
    case DNS_LIST:
    case DNS_BRIEF:
        if (behaviour == DNS_SLOW && !is_test)
            return false;
        if (is_entry)
            put_entry(reply, type, behaviour == DNS_BRIEF ? 0 : 300);
        else
            reply->bytes[3] |= ns_r_nxdomain;
        return true;
    case DNS_WORLD:
        put_entry(reply, type, 300);
        return true;
    case DNS_REFUSES:
        put_address(reply, "127.255.255.254", 300);
        return true;
    case DNS_PARKED:
        put_address(reply, "203.0.113.80", 300);
        return true;
    case DNS_DEAD:
        put_address(reply, "127.0.0.1", 300);
        return true;
    case DNS_FAILS:
        reply->bytes[3] |= ns_r_servfail;
        return true;
    case DNS_GARBAGE:
        reply->bytes[7] = 77;
        memset(reply->bytes + NS_HFIXEDSZ, 0xc0, reply->length - NS_HFIXEDSZ);
        return true;
    case DNS_SILENT:
    case DNS_BEHAVIOURS_MAX:
        break;
    }
    return false;
}

static enum dns_behaviour find(const char *name)
{
    size_t i = 0;

    while (i < DNS_BEHAVIOURS_MAX && !strstr(name, names[i]))
        i++;
    ck_assert_msg(i < DNS_BEHAVIOURS_MAX, "asked for %s", name);
    return (enum dns_behaviour)i;
}

static void send_reply(const struct dns_server *server, const struct dns_reply *reply)
{
    (void)sendto(server->fd, reply->bytes, reply->length, 0, (const struct sockaddr *)&reply->to,
                 sizeof(reply->to));
}

static int on_query(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct dns_server *server = userdata;
    struct dns_reply reply;
    socklen_t to_length = sizeof(reply.to);
    ns_msg message;
    ns_rr question;

    (void)source;
    (void)events;
    ssize_t n = recvfrom(fd, reply.bytes, sizeof(reply.bytes), MSG_DONTWAIT,
                         (struct sockaddr *)&reply.to, &to_length);
    if (n < 0)
        return 0;
    reply.length = (size_t)n;
    ck_assert_int_eq(ns_initparse(reply.bytes, (int)n, &message), 0);
    ck_assert_int_eq(ns_parserr(&message, ns_s_qd, 0, &question), 0);
    const char *name = ns_rr_name(question);
    snprintf(server->last_name, sizeof(server->last_name), "%s", name);
    bool is_test = strncmp(name + 1, ".0.0.127.", 9) == 0;
    if (is_test)
        server->n_tests++;
    else if (ns_rr_type(question) == ns_t_a)
        server->n_queries++;
    else
        server->n_texts++;
    reply.bytes[2] |= 0x80;
    if (!answer(server->plays[find(name)], name, ns_rr_type(question), &reply))
        return 0;
    if (is_test && server->holds_tests) {
        ck_assert_uint_lt(server->n_held, DNS_SERVER_HELD_MAX);
        server->held[server->n_held++] = reply;
    } else
        send_reply(server, &reply);
    return 0;
}

void dns_server_start(struct dns_server *server, sd_event *event)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    *server = (struct dns_server){0};
    for (int i = 0; i < DNS_BEHAVIOURS_MAX; i++)
        server->plays[i] = (enum dns_behaviour)i;
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(server->fd, 0);
    ck_assert_int_eq(bind(server->fd, (const struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", ntohs(address.sin_port));
    ck_assert_int_ge(sd_event_add_io(event, &server->io, server->fd, EPOLLIN, on_query, server), 0);
}

void dns_server_stop(struct dns_server *server)
{
    server->io = sd_event_source_disable_unref(server->io);
    server->fd = fd_close(server->fd);
}

void dns_server_release_tests(struct dns_server *server)
{
    for (size_t i = 0; i < server->n_held; i++)
        send_reply(server, &server->held[i]);
    server->n_held = 0;
    server->holds_tests = false;
}
