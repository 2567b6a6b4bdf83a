/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/ident_reply.h"

#include "base/str.h"

#include <string.h>

/* The part of the line that has not been read. */
struct rest {
    const char *bytes;
    size_t size;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void skip_blanks(struct rest *rest)
{
    while (rest->size > 0 && is_blank(*rest->bytes)) {
        rest->bytes++;
        rest->size--;
    }
}

/* Takes the text before the next `end`, and `end`, off the rest. Returns it without blanks around
 * it, or false if there is no `end`. */
static bool take_field(struct rest *rest, char end, struct rest *ret)
{
    const char *stop = rest->size > 0 ? memchr(rest->bytes, end, rest->size) : NULL;

    if (!stop)
        return false;
    *ret = (struct rest){.bytes = rest->bytes, .size = (size_t)(stop - rest->bytes)};
    rest->size -= ret->size + 1;
    rest->bytes = stop + 1;
    skip_blanks(ret);
    while (ret->size > 0 && is_blank(ret->bytes[ret->size - 1]))
        ret->size--;
    return true;
}

static bool is_port(struct rest field, uint16_t port)
{
    uint32_t number = 0;

    if (field.size == 0 || field.size > 5)
        return false;
    for (size_t i = 0; i < field.size; i++) {
        if (field.bytes[i] < '0' || field.bytes[i] > '9')
            return false;
        number = number * 10 + (uint32_t)(field.bytes[i] - '0');
    }
    return number == port;
}

static bool is_word(struct rest field, const char *word)
{
    char text[sizeof("USERID")];

    if (field.size >= sizeof(text))
        return false;
    memcpy(text, field.bytes, field.size);
    text[field.size] = '\0';
    return strlen(text) == field.size && str_equal_nocase(text, word);
}

static enum ident_reply read_line(struct rest rest, struct ident_ports ports,
                                  char ret_user[IDENT_USER_MAX + 1])
{
    struct rest client, server, word, system;
    size_t length = 0;

    if (!take_field(&rest, ',', &client) || !is_port(client, ports.client) ||
        !take_field(&rest, ':', &server) || !is_port(server, ports.server) ||
        !take_field(&rest, ':', &word) || !is_word(word, "USERID") ||
        !take_field(&rest, ':', &system))
        return IDENT_REPLY_NONE;
    skip_blanks(&rest);
    for (; length < rest.size && length < IDENT_USER_MAX; length++)
        ret_user[length] = str_printable((char)rest.bytes[length]);
    ret_user[length] = '\0';
    return length > 0 ? IDENT_REPLY_USER : IDENT_REPLY_NONE;
}

size_t ident_query_write(struct ident_ports ports, char ret[IDENT_QUERY_MAX])
{
    struct str_buffer query = str_buffer_init(ret, IDENT_QUERY_MAX);

    str_buffer_add(&query, "%u , %u\r\n", ports.client, ports.server);
    return query.length;
}

enum ident_reply ident_reply_read(const void *bytes, size_t size, bool is_ended,
                                  struct ident_ports ports, char ret_user[IDENT_USER_MAX + 1])
{
    size_t n_looked = size < IDENT_REPLY_MAX_BYTES ? size : IDENT_REPLY_MAX_BYTES;
    const char *end = n_looked > 0 ? memchr(bytes, '\n', n_looked) : NULL;
    struct rest line = {.bytes = bytes, .size = n_looked};

    if (!end && size >= IDENT_REPLY_MAX_BYTES)
        return IDENT_REPLY_NONE;
    if (!end && !is_ended)
        return IDENT_REPLY_MORE;
    if (end)
        line.size = (size_t)(end - line.bytes);
    if (line.size > 0 && line.bytes[line.size - 1] == '\r')
        line.size--;
    return read_line(line, ports, ret_user);
}
