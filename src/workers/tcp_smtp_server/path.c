/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/path.h"

#include "base/str.h"
#include "base/utf8.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#define LABEL_MAX 63 /* RFC 1035, 2.3.4 */

/* ctype.h depends on the locale, which must not change what an address is. */
static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5322, 3.2.3: atext. */
static bool is_atom_character(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* The length of the character beyond ASCII with which `text` starts, or 0. Characters that
 * terminals and mail programs obey, or do not show, are refused, as in names of users (RFC 8264,
 * 9.13): an address must look like what it is. */
static size_t utf8_length(const char *text)
{
    uint32_t character;
    size_t length = utf8_decode(text, strnlen(text, 4), &character);

    return length > 1 && !utf8_is_hidden(character) ? length : 0;
}

/* Each of the functions below gets the start of an element and returns what follows it, or NULL if
 * the element is not there. The text ends in NUL, which belongs to no element. */

static const char *skip_label(const char *text, bool allow_utf8)
{
    const char *p = text;

    for (;;) {
        size_t n = allow_utf8 ? utf8_length(p) : 0;

        if (n == 0 && (is_letter_or_digit(*p) || *p == '_' || (*p == '-' && p > text)))
            n = 1;
        if (n == 0)
            break;
        p += n;
    }
    return p > text && p[-1] != '-' && p - text <= LABEL_MAX ? p : NULL;
}

static const char *skip_domain_name(const char *text, bool allow_utf8)
{
    const char *p = skip_label(text, allow_utf8);

    while (p && *p == '.')
        p = skip_label(p + 1, allow_utf8);
    return p && p - text <= DOMAIN_MAX ? p : NULL;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]", or a tag and a form that may be defined in the future. */
static const char *skip_address_literal(const char *text)
{
    char inner[DOMAIN_MAX + 1];
    unsigned char address[sizeof(struct in6_addr)];
    const char *end = text + strcspn(text, "]");
    size_t length = *text == '[' && *end ? (size_t)(end - text) - 1 : 0;

    if (length == 0 || length + 2 > DOMAIN_MAX)
        return NULL;
    memcpy(inner, text + 1, length);
    inner[length] = '\0';
    /* dcontent of RFC 5321, 4.1.3, which excludes spaces and UTF-8. */
    for (size_t i = 0; i < length; i++)
        if (inner[i] < 33 || inner[i] > 126 || inner[i] == '[' || inner[i] == '\\')
            return NULL;
    char *colon = strchr(inner, ':');
    if (!colon)
        return inet_pton(AF_INET, inner, address) == 1 ? end + 1 : NULL;
    if (str_starts_nocase(inner, "IPv6:"))
        return inet_pton(AF_INET6, colon + 1, address) == 1 ? end + 1 : NULL;
    *colon = '\0';
    const char *tag_end = skip_label(inner, false);
    return tag_end == colon && colon[1] ? end + 1 : NULL;
}

static const char *skip_domain(const char *text, bool allow_utf8)
{
    return *text == '[' ? skip_address_literal(text) : skip_domain_name(text, allow_utf8);
}

static const char *skip_quoted_string(const char *text)
{
    const char *p = text + 1;

    while (*p != '"') {
        size_t n = utf8_length(p);

        if (n == 0 && *p == '\\' && p[1] >= 32 && p[1] <= 126)
            n = 2;
        else if (n == 0 && *p >= 32 && *p <= 126 && *p != '\\')
            n = 1;
        if (n == 0)
            return NULL;
        p += n;
    }
    return p + 1;
}

static const char *skip_dot_string(const char *text)
{
    const char *p = text;

    for (;;) {
        const char *atom = p;

        for (size_t n = 1; n > 0; p += n) {
            n = utf8_length(p);
            if (n == 0 && is_atom_character(*p))
                n = 1;
        }
        if (p == atom)
            return NULL;
        if (*p != '.')
            return p;
        p++;
    }
}

static const char *skip_local_part(const char *text)
{
    const char *end = *text == '"' ? skip_quoted_string(text) : skip_dot_string(text);

    return end && end - text <= LOCAL_PART_MAX ? end : NULL;
}

/* "@one.example,@two.example:": obsolete; must be accepted and ignored (RFC 5321, 4.1.1.3). */
static const char *skip_source_route(const char *text)
{
    const char *p = text;

    for (;;) {
        if (*p != '@' || !(p = skip_domain(p + 1, true)))
            return NULL;
        if (*p == ':')
            return p + 1;
        if (*p++ != ',')
            return NULL;
    }
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text > 127)
            return false;
    return true;
}

const char *path_parse(const char *text, enum path_kind kind, struct path *ret)
{
    const char *mailbox = text + 1, *end, *at = NULL;

    if (*text != '<')
        return NULL;
    if (*mailbox == '@' && !(mailbox = skip_source_route(mailbox)))
        return NULL;
    if (kind == PATH_REVERSE && text[1] == '>')
        end = mailbox;
    else if (!(end = skip_local_part(mailbox)))
        return NULL;
    if (*end == '@') {
        at = end;
        if (!(end = skip_domain(at + 1, true)))
            return NULL;
    }
    /* Only these two may have no domain. */
    size_t length = (size_t)(end - mailbox);
    bool is_postmaster = length == strlen("postmaster") && str_starts_nocase(mailbox, "postmaster");
    if (!at && length > 0 && !(kind == PATH_FORWARD && is_postmaster && mailbox == text + 1))
        return NULL;
    if (*end != '>' || end + 1 - text > PATH_MAX_OCTETS)
        return NULL;
    memcpy(ret->mailbox, mailbox, length);
    ret->mailbox[length] = '\0';
    ret->domain_at = at ? (size_t)(at + 1 - mailbox) : length;
    ret->is_ascii = is_ascii(ret->mailbox);
    return end + 1;
}

bool path_is_domain(const char *text, bool allow_utf8)
{
    const char *end = skip_domain(text, allow_utf8);

    return end && *end == '\0';
}
