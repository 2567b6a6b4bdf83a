/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A name server on loopback for tests, in the test's own event loop. What it answers is told by the
 * first label of the zone, so that every behaviour has a list of its own. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Room for an answer. */
#define DNS_SERVER_BYTES_MAX 512

/* Zones "NAME.test". The entries of a list are 127.0.0.2, its test entry, and all clients whose
 * last byte is odd (192.0.2.1, …). */
enum dns_behaviour {
    DNS_LIST,    /* "list": as it should be; TXT is DNS_SERVER_TEXT; TTL 300 */
    DNS_BRIEF,   /* "brief": the same, with a TTL of 0 */
    DNS_SLOW,    /* "slow": a list that answers to its test entries alone */
    DNS_SILENT,  /* "silent": never answers */
    DNS_WORLD,   /* "world": everybody is an entry */
    DNS_REFUSES, /* "refuses": 127.255.255.254 */
    DNS_PARKED,  /* "parked": 203.0.113.80 */
    DNS_DEAD,    /* "dead": 127.0.0.1 */
    DNS_FAILS,   /* "fails": SERVFAIL */
    DNS_GARBAGE, /* "garbage": what is no DNS message, or half of one */
    DNS_BEHAVIOURS_MAX,
};

#define DNS_SERVER_TEXT "Blocked; see https://list.test/?ip=$1|$N\n~"

/* Answers that may be held back at once. */
#define DNS_SERVER_HELD_MAX 8

struct dns_reply {
    struct sockaddr_in to;
    size_t length;
    uint8_t bytes[DNS_SERVER_BYTES_MAX];
};

struct dns_server {
    int fd;
    sd_event_source *io;
    char address[32];                             /* "127.0.0.1:PORT" */
    enum dns_behaviour plays[DNS_BEHAVIOURS_MAX]; /* what the zone of each name does now */
    unsigned n_queries;                           /* for A, without test entries */
    unsigned n_texts;                             /* for TXT */
    unsigned n_tests;
    char last_name[1025];
    bool holds_tests; /* answers about test entries are held until dns_server_release_tests() */
    size_t n_held;
    struct dns_reply held[DNS_SERVER_HELD_MAX];
};

void dns_server_start(struct dns_server *server, sd_event *event);
void dns_server_stop(struct dns_server *server);

/* Sends what was held, and holds no more. */
void dns_server_release_tests(struct dns_server *server);
