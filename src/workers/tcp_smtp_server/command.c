/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/command.h"

#include <string.h>

static const struct {
    const char *name;
    enum command command;
} commands[] = {
    {"HELO", COMMAND_HELO},
    {"EHLO", COMMAND_EHLO},
    {"MAIL", COMMAND_MAIL},
    {"RCPT", COMMAND_RCPT},
    {"DATA", COMMAND_DATA},
    {"RSET", COMMAND_RSET},
    {"NOOP", COMMAND_NOOP},
    {"VRFY", COMMAND_VRFY},
    {"HELP", COMMAND_HELP},
    {"QUIT", COMMAND_QUIT},
    {"EXPN", COMMAND_NOT_IMPLEMENTED},
    {"STARTTLS", COMMAND_STARTTLS},
    {"AUTH", COMMAND_NOT_IMPLEMENTED},
    {"BDAT", COMMAND_NOT_IMPLEMENTED},
    {"BURL", COMMAND_NOT_IMPLEMENTED},
    {"ETRN", COMMAND_NOT_IMPLEMENTED},
    {"ATRN", COMMAND_NOT_IMPLEMENTED},
    {"TURN", COMMAND_NOT_IMPLEMENTED},
    {"SEND", COMMAND_NOT_IMPLEMENTED},
    {"SOML", COMMAND_NOT_IMPLEMENTED},
    {"SAML", COMMAND_NOT_IMPLEMENTED},
    {"LHLO", COMMAND_NOT_IMPLEMENTED},
    {"GET", COMMAND_FORBIDDEN},
    {"HEAD", COMMAND_FORBIDDEN},
    {"POST", COMMAND_FORBIDDEN},
    {"PUT", COMMAND_FORBIDDEN},
    {"CONNECT", COMMAND_FORBIDDEN},
    {"OPTIONS", COMMAND_FORBIDDEN},
};

enum command smtp_command_parse(char *line, size_t length, const char **ret_argument)
{
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        line[--length] = '\0';
    char *argument = line + strcspn(line, " ");
    if (*argument)
        *argument++ = '\0';
    *ret_argument = argument;
    for (size_t i = 0; i < ELEMENTSOF(commands); i++)
        if (str_equal_nocase(line, commands[i].name))
            return commands[i].command;
    return COMMAND_UNKNOWN;
}

size_t command_line_max(enum command command)
{
    switch (command) {
    case COMMAND_MAIL:
        return COMMAND_LINE_MAX_MAIL;
    case COMMAND_VRFY:
        return COMMAND_LINE_MAX_VRFY;
    default:
        return COMMAND_LINE_MAX;
    }
}

const char *command_parse_greeting(const char *argument, enum greeting kind,
                                   struct client_greeting *ret)
{
    /* RFC 6531, 3.7.1: no UTF-8 here. The name is not verified (RFC 5321, 4.1.4), but it must have
     * the syntax that Received: requires. */
    if (!path_is_domain(argument, false))
        return "501 5.5.4 Your name must be a domain or an address literal";
    ret->kind = kind;
    strcpy(ret->name, argument);
    return NULL;
}

/* RFC 1870, 5: 1 to 20 digits. */
static const char *parse_size(const char *value, struct mail_arguments *ret)
{
    size_t length = strlen(value);

    if (length == 0 || length > 20 || strspn(value, "0123456789") != length)
        return "501 5.5.4 SIZE must be a number of octets";
    ret->size = 0;
    for (; *value; value++) {
        uint64_t digit = (uint64_t)(*value - '0');
        bool is_beyond_all = ret->size > (UINT64_MAX - digit) / 10;

        ret->size = is_beyond_all ? UINT64_MAX : ret->size * 10 + digit;
    }
    return NULL;
}

static const char *parse_body(const char *value, struct mail_arguments *ret _unused_)
{
    /* Data is stored as it is received, so both mean the same here. */
    if (str_equal_nocase(value, "7BIT") || str_equal_nocase(value, "8BITMIME"))
        return NULL;
    return "501 5.5.4 BODY must be 7BIT or 8BITMIME";
}

static const char *parse_smtputf8(const char *value, struct mail_arguments *ret)
{
    if (*value)
        return "501 5.5.4 SMTPUTF8 takes no value";
    ret->is_smtputf8 = true;
    return NULL;
}

static const struct {
    const char *name;
    bool has_value;
    const char *(*parse)(const char *value, struct mail_arguments *ret);
} mail_parameters[] = {
    {"SIZE", true, parse_size},
    {"BODY", true, parse_body},
    {"SMTPUTF8", false, parse_smtputf8},
};

/* Reads one parameter of MAIL. *seen has a bit for each earlier one. */
static const char *parse_mail_parameter(char *text, unsigned *seen, struct mail_arguments *ret)
{
    char *equals = strchr(text, '=');

    if (equals)
        *equals = '\0';
    for (size_t i = 0; i < ELEMENTSOF(mail_parameters); i++) {
        if (!str_equal_nocase(text, mail_parameters[i].name))
            continue;
        if (*seen & (1U << i))
            return "501 5.5.4 A parameter appears twice";
        *seen |= 1U << i;
        if (mail_parameters[i].has_value != (equals != NULL))
            return "501 5.5.4 A parameter has a value too many or too few";
        return mail_parameters[i].parse(equals ? equals + 1 : "", ret);
    }
    return "555 5.5.4 Unknown MAIL parameter";
}

const char *command_parse_mail(const char *argument, bool has_extensions,
                               struct mail_arguments *ret)
{
    static const char from[] = "FROM:";
    char parameters[COMMAND_LINE_MAX_MAIL];
    const char *rest;
    char *state = NULL;
    unsigned seen = 0;

    ret->size = 0;
    ret->is_smtputf8 = false;
    if (!str_starts_nocase(argument, from))
        return "501 5.5.4 Syntax: MAIL FROM:<address>";
    rest = path_parse(argument + strlen(from), PATH_REVERSE, &ret->sender);
    if (!rest)
        return "501 5.1.7 Bad sender address syntax";
    if (*rest && *rest != ' ')
        return "501 5.5.4 A space is missing after the address";
    if (*rest && !has_extensions)
        return "555 5.5.4 MAIL parameters need EHLO";
    if (strlen(rest) >= sizeof(parameters))
        return "500 5.5.2 Line too long";
    strcpy(parameters, rest);
    for (char *word = strtok_r(parameters, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
        const char *refusal = parse_mail_parameter(word, &seen, ret);

        if (refusal)
            return refusal;
    }
    if (!ret->sender.is_ascii && !ret->is_smtputf8)
        return "553 5.6.7 An address beyond ASCII needs SMTPUTF8";
    return NULL;
}

const char *command_parse_rcpt(const char *argument, bool is_smtputf8, struct path *ret)
{
    static const char to[] = "TO:";
    const char *rest;

    if (!str_starts_nocase(argument, to))
        return "501 5.5.4 Syntax: RCPT TO:<address>";
    rest = path_parse(argument + strlen(to), PATH_FORWARD, ret);
    if (!rest)
        return "501 5.1.3 Bad recipient address syntax";
    if (!ret->is_ascii && !is_smtputf8)
        return "553 5.6.7 An address beyond ASCII needs SMTPUTF8";
    if (*rest)
        return "555 5.5.4 Unknown RCPT parameter";
    return NULL;
}
