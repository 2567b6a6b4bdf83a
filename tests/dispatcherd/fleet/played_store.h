/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The store of a fleet, which the test plays: at a Unix socket, in the loop of the test. It takes
 * each command in its words, and answers what the test says; nothing is counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* A digest of the right length, by which it knows the script. */
#define PLAYED_SHA "0123456789012345678901234567890123456789"

#define PLAYED_WORDS_MAX 64

struct played_store {
    sd_event *event;
    char folder[32];
    char address[64]; /* as FLEET has it: "unix:/tmp/..." */
    int listener, fd; /* that of the last connection; -1: there is none */
    sd_event_source *listener_source, *source;

    /* What it answers; NULL: what a store does; "": nothing. */
    const char *to_auth, *to_load, *to_batch;
    uint32_t others;   /* connections that other hosts have counted, for each key */
    int64_t skew_usec; /* its clock is ahead of this host's */
    bool reads_nothing;

    unsigned n_connections, n_auths, n_loads, n_batches;
    char password[64];             /* of the last AUTH */
    char *words[PLAYED_WORDS_MAX]; /* of the last command, as far as there is room; owned */
    size_t n_words;
    char input[256 * 1024]; /* what is no whole command yet */
    size_t n_input;
};

/* Begins to listen, in a folder of its own. */
void played_store_start(struct played_store *store, sd_event *event);

/* Nobody can connect any more, and who is connected is cut off; and again somebody can. */
void played_store_go_away(struct played_store *store);
void played_store_come_back(struct played_store *store);

/* Sends these bytes without having been asked, or closes the connection. */
void played_store_send(struct played_store *store, const char *bytes);
void played_store_hang_up(struct played_store *store);

/* Of the last batch: what follows the keys, by its number; 0: the host's name. */
const char *played_store_argument(const struct played_store *store, size_t number);

/* How many keys the last batch had, and the name of one. */
size_t played_store_n_keys(const struct played_store *store);
const char *played_store_key(const struct played_store *store, size_t number);

void played_store_end(struct played_store *store);
