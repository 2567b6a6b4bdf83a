/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Command lines: which command it is, and what MAIL and RCPT say. Pure: a line in, its parts or the
 * reply that refuses it out. */
#pragma once

#include "workers/tcp_smtp_server/envelope.h"

/* RFC 5321, 4.5.3.1.4: 512 octets with CRLF. The extensions add to MAIL 26 for SIZE (RFC 1870, 3),
 * 17 for BODY (RFC 6152, 2) and 10 for SMTPUTF8 (RFC 6531, 3.4), and the last to VRFY too. */
#define COMMAND_LINE_MAX      512
#define COMMAND_LINE_MAX_MAIL (COMMAND_LINE_MAX + 26 + 17 + 10)
#define COMMAND_LINE_MAX_VRFY (COMMAND_LINE_MAX + 10)

enum command {
    COMMAND_UNKNOWN,
    COMMAND_NOT_IMPLEMENTED, /* known from some RFC, and not offered */
    COMMAND_FORBIDDEN,       /* of HTTP: a browser or proxy was made to talk to us */
    COMMAND_HELO,
    COMMAND_EHLO,
    COMMAND_MAIL,
    COMMAND_RCPT,
    COMMAND_DATA,
    COMMAND_RSET,
    COMMAND_NOOP,
    COMMAND_VRFY,
    COMMAND_HELP,
    COMMAND_QUIT,
    N_COMMANDS,
};

/* Cuts spaces at the end off (RFC 5321, 4.1.1, asks to tolerate them) and splits at the first
 * space. *ret_argument points into the line, and is "" where there is none. */
enum command command_parse(char *line, size_t length, const char **ret_argument);

/* The limit of the command's line, CRLF included. */
size_t command_line_max(enum command command);

struct mail_arguments {
    struct path sender;
    uint64_t size; /* as declared; 0 if it is not */
    bool is_smtputf8;
};

/* Each reads its command's argument and returns NULL, or the whole reply that refuses it. */
const char *command_parse_greeting(const char *argument, enum greeting kind,
                                   struct client_greeting *ret);
const char *command_parse_mail(const char *argument, bool has_extensions,
                               struct mail_arguments *ret);
const char *command_parse_rcpt(const char *argument, bool is_smtputf8, struct path *ret);
