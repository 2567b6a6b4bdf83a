/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the parts of faulty_worker share. */
#pragma once

#include "kit/faults.h"
#include "protocol/message.h"
#include "protocol/ring.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PLACES_MAX = 1024,
    FEW_PLACES = 20
};

struct faulty_session {
    bool is_busy;
    int fd;
    struct connection_record record;
    char tag[CONNECTION_TEXT_MAX + 1];
    char note[CONNECTION_TEXT_MAX + 1];
    uint64_t acknowledged_at; /* entry of the ring */
};

/* The worker. */
struct faulty {
    enum fault fault;
    bool has_ring;
    bool knows_alert; /* dispatcherd does */
    bool channel_is_open;
    bool is_draining;
    bool is_stopping;
    bool has_term;
    bool has_orders; /* DRAIN or STOP */
    uint32_t max_conns;
    uint32_t drain_limit_sec;
    uint64_t cut_at; /* CLOCK_MONOTONIC */
    char number[24]; /* in its last ANSWER */
    uint64_t watchdog_usec, next_watchdog;
    uint64_t free_at;
    unsigned n_busy;
    unsigned n_lost; /* places that are not free, and should be */
    struct ring_writer ring;
    uint64_t acknowledged_at;
    uint64_t ended_at; /* time of an ENDED that nobody was told of; 0: none */
    struct faulty_session sessions[PLACES_MAX];
    _Alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX];
};

extern struct faulty *const w;

bool has(enum fault fault);

/* faulty_tell.c */
void tell_bytes(const void *bytes, size_t length);
void tell_value(enum message_type type, uint32_t value);
void tell_alert(void);

/* Of a connection, or of a drain. False if dispatcherd has given this worker up. */
bool tell(enum message_type type, uint64_t id);

/* ENDED that nobody has read. */
void remind(void);
void faulty_notify(const char *state);

/* faulty_serve.c */
void take_packet(void);
void take_signal(int signals);
void serve(int fd);
void end_session(struct faulty_session *session);

/* faulty_worker.c */
void use_ring(const struct message *message, int fd);
