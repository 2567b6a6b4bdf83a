/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Command lines: which command it is, and the arguments of MAIL and RCPT. Pure: a line in, its
 * parts or the refusing reply out. */
#pragma once

#include "workers/tcp_smtp_server/envelope.h"

/* RFC 5321, 4.5.3.1.4: 512 octets with CRLF. The extensions add 26 to MAIL for SIZE (RFC 1870, 3),
 * 17 for BODY (RFC 6152, 2) and 10 for SMTPUTF8 (RFC 6531, 3.4); the last applies to VRFY too. */
#define COMMAND_LINE_MAX      512
#define COMMAND_LINE_MAX_MAIL (COMMAND_LINE_MAX + 26 + 17 + 10)
#define COMMAND_LINE_MAX_VRFY (COMMAND_LINE_MAX + 10)

enum command {
    COMMAND_UNKNOWN,
    COMMAND_NOT_IMPLEMENTED, /* defined by some RFC, but not offered */
    COMMAND_FORBIDDEN,       /* of HTTP: a browser or proxy was tricked into connecting here */
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
    COMMAND_STARTTLS,
    N_COMMANDS,
};

/* Removes spaces at the end (which RFC 5321, 4.1.1, asks to tolerate), and splits at the first
 * space. *ret_argument points into the line, and is "" if there is none. */
enum command smtp_command_parse(char *line, size_t length, const char **ret_argument);

/* The most octets of the command's line, including CRLF. */
size_t command_line_max(enum command command);

struct mail_arguments {
    struct path sender;
    uint64_t size; /* as declared; 0: it was not */
    bool is_smtputf8;
};

/* Each reads the argument of its command. Returns NULL, or the whole reply that refuses it. */
const char *command_parse_greeting(const char *argument, enum greeting kind,
                                   struct client_greeting *ret);
const char *command_parse_mail(const char *argument, bool has_extensions,
                               struct mail_arguments *ret);
const char *command_parse_rcpt(const char *argument, bool is_smtputf8, struct path *ret);
