/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The messages between dispatcherd and a worker: one definition for both sides.
 *
 * Each message is one packet of a SOCK_SEQPACKET socket: a header, then what its type says; only
 * what a worker tells of its connections may come as several messages in one packet. All numbers
 * are in the host's byte order, since both ends are on one host. The same in prose, for people who
 * write a worker in another language: dispatcher-worker(7). */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of the protocol that this source speaks. */
#define PROTOCOL_VERSION 1

/* The control channel's descriptor in a worker. */
#define PROTOCOL_CHANNEL_FD 3

enum {
    MESSAGE_BYTES_MAX = 65536, /* of one message; a welcome with long PARAMETERs is the largest */
    MESSAGE_FDS_MAX = 16,      /* descriptors with one message */
    MESSAGE_IDS_MAX = 1024,    /* identifiers in one message */
};

enum message_type {
    /* worker to dispatcherd */
    MESSAGE_HELLO = 1,       /* text: VERSION_MIN=, VERSION_MAX=; RING=1: it wants a ring (ring.h),
                                and then never sends the four of ACKNOWLEDGE to DRAINING;
                                STOP=1, LOG=1, STRESS=1: it knows STOP, LOG, STRESS, which are
                                sent to no other worker */
    MESSAGE_READY = 2,       /* value: how many connections it can serve at a time */
    MESSAGE_ACKNOWLEDGE = 3, /* ids: connections it has taken over */
    MESSAGE_REFUSE = 4,      /* ids: connections it does not take: it drains, or has no place */
    MESSAGE_ENDED = 5,       /* ids: connections whose service is over */
    MESSAGE_DRAINING = 6,    /* it takes no more connections, and nobody told it so */
    MESSAGE_HELD = 7,        /* a connection that it has, without descriptor: part of the answer to
                                ADOPT, whose end is a READY */
    MESSAGE_NEWS = 8,        /* look at my ring */
    MESSAGE_ALERT = 9,       /* text: TEXT=what is wrong with a server that it needs; none: it is
                                well. To a dispatcherd that had ALERT=1 in WELCOME or ADOPT */

    /* dispatcherd to worker */
    MESSAGE_WELCOME = 65,    /* text: all that it must know; first descriptor if there is
                                RING=entries: its ring */
    MESSAGE_CONNECTION = 66, /* connections, with a descriptor for each */
    MESSAGE_DRAIN = 67,      /* value: seconds until its sessions are cut */
    MESSAGE_DEBUG = 68,      /* value: the new debug mask */
    MESSAGE_ADOPT = 69,      /* text: VERSION=; a new dispatcherd asks what the worker has. With
                                another RING=, and its descriptor, if it has one */
    MESSAGE_STOP = 70,       /* as DRAIN, and nobody serves after it: sessions are to end as soon as
                                their protocol allows */
    MESSAGE_LOG = 71,        /* no text; the log file that takes its output from now on, as the one
                                descriptor */
    MESSAGE_STRESS = 72,     /* value: 1 while nearly all places of its service are taken: sessions
                                are not to wait for slow clients for long; 0: as always */
};

/* "HELLO" and so on; "unknown" for a number that is no type. */
const char *message_type_to_string(uint32_t type);

struct message_header {
    uint32_t type;
    uint32_t value; /* number of identifiers or connections, or the type's value */
};

/* One connection in a MESSAGE_CONNECTION or MESSAGE_HELD, followed by its access tag and its note
 * (no NUL), and padding up to a multiple of eight bytes. */
struct connection_record {
    uint64_t id;
    uint64_t accepted_at_usec; /* CLOCK_MONOTONIC */
    struct address peer;
    struct address local;
    uint32_t flags;
    uint16_t tag_length;  /* bytes */
    uint16_t note_length; /* bytes */
};

#define CONNECTION_FLAG_TLS 1u /* came to a TLS_PORT */

#define CONNECTION_TEXT_MAX 1024 /* bytes of a tag or a note */

/* A message that was read, checked for form. Pointers lead into the bytes it was read from. */
struct message {
    enum message_type type;
    uint32_t value;
    size_t length;       /* bytes; what is left of the packet is the next message */
    const uint64_t *ids; /* `value` of them */
    const char *text;    /* strings "NAME=value", each ended by NUL */
    size_t text_length;
    const uint8_t *records; /* `value` connections, for message_next_connection() */
    size_t records_length;
};

/* Reads the first message of a packet of `length` bytes, aligned to eight. Another one may follow
 * ACKNOWLEDGE, REFUSE, ENDED and DRAINING; then message.length is less than `length`. Returns 0, or
 * -EBADMSG if they are no message of the protocol: cut, too long, of an unknown type, with text
 * that is not terminated, or with a NUL in a tag or note. */
int message_read(const void *bytes, size_t length, struct message *ret);

/* The string after `previous` (NULL: the first), or NULL after the last. */
const char *message_next_text(const struct message *message, const char *previous);

/* The value of the first string "NAME=value", or NULL. */
const char *message_find_text(const struct message *message, const char *name);

/* Reads the first string "NAME=value" as a decimal number from min to max. Returns 0, or -EBADMSG
 * if there is none, or another. */
int message_find_number(const struct message *message, const char *name, uint32_t min, uint32_t max,
                        uint32_t *ret);

/* What message_next_connection() reads. The texts are not terminated. */
struct connection_view {
    const struct connection_record *record;
    const char *tag;
    const char *note;
};

/* Reads the connection at *offset (0: the first) and moves *offset behind it. Returns false after
 * the last. */
bool message_next_connection(const struct message *message, size_t *offset,
                             struct connection_view *ret);

/* Each writes a whole message to `bytes` and returns its length; 0 if it does not fit. */
size_t message_write_value(void *bytes, size_t size, enum message_type type, uint32_t value);
size_t message_write_ids(void *bytes, size_t size, enum message_type type, const uint64_t *ids,
                         size_t n_ids);
size_t message_write_connection(void *bytes, size_t size, enum message_type type,
                                const struct connection_record *record, const char *tag,
                                const char *note);

/* Adds one more to a message of connections that is `length` bytes long by now. Returns its new
 * length; 0 if it does not fit: then it is as it was. */
size_t message_add_connection(void *bytes, size_t size, size_t length,
                              const struct connection_record *record, const char *tag,
                              const char *note);

/* A text message that grows: start it, add strings, take its length. */
struct message_text {
    char *bytes;
    size_t size;
    size_t length;
    bool is_too_long;
};

struct message_text message_text_start(void *bytes, size_t size, enum message_type type);
void message_text_add(struct message_text *text, const char *name, const char *value);
void message_text_add_number(struct message_text *text, const char *name, uint64_t value);
