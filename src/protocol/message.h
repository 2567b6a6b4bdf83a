/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The messages between dispatcherd and a worker: one definition for both sides.
 *
 * Each message is a packet of a SOCK_SEQPACKET socket: a header, then the content for its type.
 * Only reports of a worker about its connections may share a packet. All numbers are in the host's
 * byte order, since both ends are on one host. dispatcher-worker(7) has the same in prose, for
 * people who write a worker in another language. */
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
    MESSAGE_BYTES_MAX = 65536, /* of one message; the largest is a welcome with long PARAMETERs */
    MESSAGE_FDS_MAX = 16,      /* descriptors with one message */
    MESSAGE_IDS_MAX = 1024,    /* identifiers in one message */
};

enum message_type {
    /* worker to dispatcherd */
    MESSAGE_HELLO = 1,       /* text: VERSION_MIN=, VERSION_MAX=; RING=1: it wants a ring (ring.h),
                                and then never sends the four of ACKNOWLEDGE to DRAINING;
                                STOP=1, LOG=1, STRESS=1: it knows STOP, LOG, STRESS, which are
                                sent to no other worker, as is IDENTITY to those with IDENTITY=1;
                                PASS=1: it may send PUT_OFF, PASSED_ON; ANSWER=1: it sends ANSWER
                                after an ADOPT with NUMBER=, which no other worker gets */
    MESSAGE_READY = 2,       /* value: how many connections it can serve at a time */
    MESSAGE_ACKNOWLEDGE = 3, /* ids: connections that it has taken over */
    MESSAGE_REFUSE = 4,     /* ids: connections that it does not take: it drains, or has no place */
    MESSAGE_ENDED = 5,      /* ids: connections that have ended */
    MESSAGE_DRAINING = 6,   /* it takes no more connections, for reasons of its own */
    MESSAGE_HELD = 7,       /* a connection that it has, without descriptor: part of the answer to
                               ADOPT, whose end is a READY */
    MESSAGE_NEWS = 8,       /* read my ring */
    MESSAGE_ALERT = 9,      /* text: TEXT=what is wrong with a server that it needs; none: it is
                               well. To a dispatcherd that had ALERT=1 in WELCOME or ADOPT */
    MESSAGE_PUT_OFF = 10,   /* ids: connections it does not take now, since what it would pass them
                               to takes none: they are to be offered again */
    MESSAGE_PASSED_ON = 11, /* ids: connections that another program has taken from it, and that end
                               when their sockets do */
    MESSAGE_FAILED = 12,    /* as ENDED, and the session failed. To a dispatcherd that had OUTCOME=1
                               in WELCOME or ADOPT; the same for SENT_AWAY */
    MESSAGE_SENT_AWAY = 13, /* as ENDED, and nobody could serve the client */
    MESSAGE_TLS = 14,       /* text: what came of a handshake: CONNECTION=identifier, PROTOCOL=,
                               CIPHER=, and of a client's certificate SUBJECT=, SHA256=; or
                               FAILED_reason=how many. To a dispatcherd that had TLS=1 in WELCOME
                               or ADOPT; so the next */
    MESSAGE_CERTIFICATE = 15, /* text: EXPIRES=seconds since 1970, SHA256= of the certificates that
                                 it shows; or TEXT=why it cannot */
    MESSAGE_PUT_BACK = 16,    /* one connection that it has acknowledged, with its descriptor: to be
                                 offered again, as after PUT_OFF. To a dispatcherd that had
                                 PUT_BACK=1 in WELCOME or ADOPT */
    MESSAGE_ANSWER = 17, /* text: NUMBER= of the ADOPT to which the next HELD, PUT_OFF and READY
                            are the answer: an earlier dispatcherd may have died before it read
                            the one that it had asked for */

    /* dispatcherd to worker */
    MESSAGE_WELCOME = 65,    /* text: all that it must know; first descriptor if there is
                                RING=entries: its ring */
    MESSAGE_CONNECTION = 66, /* connections, each with a descriptor */
    MESSAGE_DRAIN = 67,      /* value: seconds until its sessions are cut */
    MESSAGE_DEBUG = 68,      /* value: the new debug mask */
    MESSAGE_ADOPT = 69,      /* text: VERSION=; a new dispatcherd asks what the worker has. With
                                another RING=, and its descriptor, if it has one; NUMBER= of this
                                question, which is of no other one */
    MESSAGE_STOP = 70,       /* as DRAIN, and nobody serves after it: sessions are to end as soon as
                                their protocol allows */
    MESSAGE_LOG = 71,        /* no text; the log file that takes its output from now on, as the one
                                descriptor */
    MESSAGE_STRESS = 72,     /* value: 1 while nearly all places of its service are taken: sessions
                                are not to wait for slow clients for long; 0: as always */
    MESSAGE_IDENTITY = 73,   /* text: CONNECTION=identifier, and USER=who uses it, as its client's
                                host says; none: it does not */
};

/* "HELLO" and so on; "unknown" if there is no such type. */
const char *message_type_to_string(uint32_t type);

/* Whether it reports on connections by their identifiers, in a message or an entry of the ring. */
bool message_type_has_ids(uint32_t type);

struct message_header {
    uint32_t type;
    uint32_t value; /* number of identifiers or connections, or the type's value */
};

/* A connection in a MESSAGE_CONNECTION or MESSAGE_HELD. It is followed by its access tag and its
 * note (without NULs), and padded to a multiple of eight bytes. */
struct connection_record {
    uint64_t id;
    uint64_t accepted_at_usec; /* CLOCK_MONOTONIC */
    struct address peer;
    struct address local;
    uint32_t flags;
    uint16_t tag_length;  /* bytes */
    uint16_t note_length; /* bytes */
};

#define CONNECTION_FLAG_TLS      1u /* came to a TLS_PORT */
#define CONNECTION_FLAG_IDENTITY 2u /* an IDENTITY of it follows */

#define CONNECTION_TEXT_MAX 1024 /* bytes of a tag or a note */

/* A message that was read and whose form was checked. Pointers refer to the bytes that it was read
 * from. */
struct message {
    enum message_type type;
    uint32_t value;
    size_t length;       /* bytes; the rest of the packet is the next message */
    const uint64_t *ids; /* `value` of them */
    const char *text;    /* strings "NAME=value", each ended by NUL */
    size_t text_length;
    const uint8_t *records; /* `value` connections, for message_next_connection() */
    size_t records_length;
};

/* Reads the first message of a packet of `length` bytes, aligned to eight. After ACKNOWLEDGE,
 * REFUSE, ENDED and DRAINING another one may follow; message.length is less than `length` then.
 * Returns 0, or -EBADMSG if it is no valid message: cut, too long, of an unknown type, with text
 * that is not terminated, or with a NUL in a tag or note. */
int message_read(const void *bytes, size_t length, struct message *ret);

/* The string after `previous`, or the first one if that is NULL; NULL after the last one. */
const char *message_next_text(const struct message *message, const char *previous);

/* The value of the first string "NAME=value", or NULL. */
const char *message_find_text(const struct message *message, const char *name);

/* Reads the first string "NAME=value" as a decimal number from min to max. Returns 0, or -EBADMSG
 * if there is none, or its value is invalid. */
int message_find_number(const struct message *message, const char *name, uint32_t min, uint32_t max,
                        uint32_t *ret);

/* A connection as message_next_connection() returns it. The texts are not terminated. */
struct connection_view {
    const struct connection_record *record;
    const char *tag;
    const char *note;
};

/* Reads the connection at *offset (0: the first), and moves *offset to the next. Returns false
 * after the last one. */
bool message_next_connection(const struct message *message, size_t *offset,
                             struct connection_view *ret);

/* Each writes a whole message to `bytes` and returns its length; 0 if it does not fit. */
size_t message_write_value(void *bytes, size_t size, enum message_type type, uint32_t value);
size_t message_write_ids(void *bytes, size_t size, enum message_type type, const uint64_t *ids,
                         size_t n_ids);
size_t message_write_connection(void *bytes, size_t size, enum message_type type,
                                const struct connection_record *record, const char *tag,
                                const char *note);

/* Adds a connection to a message that has `length` bytes now. Returns its new length; or 0 if there
 * is no room, with the message as it was. */
size_t message_add_connection(void *bytes, size_t size, size_t length,
                              const struct connection_record *record, const char *tag,
                              const char *note);

/* A text message under construction: start it, add strings, take its length. */
struct message_text {
    char *bytes;
    size_t size;
    size_t length;
    bool is_too_long;
};

struct message_text message_text_start(void *bytes, size_t size, enum message_type type);
void message_text_add(struct message_text *text, const char *name, const char *value);
void message_text_add_number(struct message_text *text, const char *name, uint64_t value);
