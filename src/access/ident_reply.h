/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The one line that an IDENT server answers with (RFC 1413). The server is not trusted: its answer
 * is for people to read, and never a reason to decide anything. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest answer that is read, and longest user name that is kept. */
#define IDENT_REPLY_MAX_BYTES 1000
#define IDENT_USER_MAX        64

/* The longest question, with its NUL. */
#define IDENT_QUERY_MAX sizeof("65535 , 65535\r\n")

/* The ports of the connection in question. */
struct ident_ports {
    uint16_t client; /* on the host that is asked */
    uint16_t server;
};

enum ident_reply {
    IDENT_REPLY_MORE, /* the line is not complete */
    IDENT_REPLY_USER,
    IDENT_REPLY_NONE, /* an error, a malformed line, other ports than ours, a line that is too long,
                         or no name in it */
};

/* Writes the question, with its CRLF. Returns its length. */
size_t ident_query_write(struct ident_ports ports, char ret[IDENT_QUERY_MAX]);

/* Reads what has arrived so far. `is_ended`: no more will come, and the line may lack its end. With
 * IDENT_REPLY_USER the name is in ret_user: not empty, cut at IDENT_USER_MAX bytes, and with '?'
 * for each byte that is not printable ASCII. */
enum ident_reply ident_reply_read(const void *bytes, size_t size, bool is_ended,
                                  struct ident_ports ports, char ret_user[IDENT_USER_MAX + 1]);
