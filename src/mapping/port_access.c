/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/port_access.h"

#include "mapping/character.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The probe has one form for each address. */
static struct address plain_address(const struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address plain = *address;

    if (address->family != AF_INET6 || memcmp(address->bytes, mapped, sizeof(mapped)) != 0)
        return plain;
    plain = (struct address){.family = AF_INET, .port = address->port};
    memcpy(plain.bytes, address->bytes + sizeof(mapped), 4);
    return plain;
}

static bool has_ip(const struct address *address)
{
    return address->family == AF_INET || address->family == AF_INET6;
}

int port_access_probe(const struct address *server, const struct address *client,
                      char probe[PORT_ACCESS_PROBE_MAX])
{
    char server_text[ADDRESS_TEXT_MAX], client_text[ADDRESS_TEXT_MAX];

    if (!has_ip(server) || !has_ip(client))
        return -EAFNOSUPPORT;
    struct address from = plain_address(client), to = plain_address(server);
    snprintf(probe, PORT_ACCESS_PROBE_MAX, "TCP|%.45s|%u|%.45s|%u",
             address_format_host(&to, server_text), to.port,
             address_format_host(&from, client_text), from.port);
    return 0;
}

/* Takes the next argument off. Returns false if there is none. */
static bool next_argument(const char **rest, const char *end, const char **argument, size_t *length)
{
    if (!*rest)
        return false;
    const char *bar = memchr(*rest, '|', (size_t)(end - *rest));
    *argument = *rest;
    *length = (size_t)((bar ? bar : end) - *rest);
    *rest = bar ? bar + 1 : NULL;
    return true;
}

static void copy_plain(char text[MAPPING_STRING_MAX + 1], const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text[i] = character_plain(from[i]);
    text[length] = '\0';
}

/* Writes the rejection as it is sent: lines end where the template has a tilde
 * (dispatcher-mappings(5)); a rejection that is too long is cut so that its last line is complete.
 */
static void write_reply(struct port_access *verdict, const char *text, size_t length)
{
    static const char crlf[] = "\r\n";
    char *out = verdict->reply;
    size_t n = 0;

    if (length == 0)
        return;
    for (size_t i = 0; i < length; i++) {
        bool is_end = text[i] == CHARACTER_LINE_END;

        if (n + (is_end ? 4 : 3) > PORT_ACCESS_REPLY_MAX)
            break;
        if (is_end) {
            memcpy(out + n, crlf, 2);
            n += 2;
        } else {
            out[n++] = character_plain(text[i]);
        }
    }
    memcpy(out + n, crlf, sizeof(crlf));
    verdict->reply_length = n + 2;
}

/* Assigns the parts of the string to the flags, in the order of dispatcher-mappings(5). */
static void give_out(const struct mapping_run *run, struct port_access *verdict)
{
    uint32_t flags = mapping_run_flags(run);
    const char *rest = mapping_run_string(run), *argument;
    const char *bars = strstr(rest, "||"), *end = bars ? bars : strchr(rest, '\0');
    size_t length;

    if (bars)
        copy_plain(verdict->log_text, bars + 2, strlen(bars + 2));
    if ((flags & FLAG_LOG_MATCH) && next_argument(&rest, end, &argument, &length))
        copy_plain(verdict->match_note, argument, length);
    if ((flags & FLAG_LOG_REJECT) && next_argument(&rest, end, &argument, &length) &&
        verdict->is_rejected)
        copy_plain(verdict->reject_note, argument, length);
    if (verdict->is_rejected && next_argument(&rest, end, &argument, &length))
        write_reply(verdict, argument, length);
    else if (!verdict->is_rejected && (flags & FLAG_OF('Y')) &&
             next_argument(&rest, end, &argument, &length))
        copy_plain(verdict->tag, argument, length);
}

/* False for a pattern that matches clients of any address: "*", or "*" as the fourth field. Such an
 * entry is the rule for all other clients. */
static bool names_client(const struct mapping_entry *entry)
{
    const char *field = entry->text;

    for (int i = 0; field && i < 3; i++) {
        field = strchr(field, '|');
        field = field ? field + 1 : NULL;
    }
    if (!field)
        return strcmp(entry->text, "*") != 0;
    return !(field[0] == '*' && (field[1] == '|' || field[1] == '\0'));
}

void port_access_judge(const struct mapping_run *run, struct port_access *ret)
{
    /* The texts are long; it is enough to set their first bytes. */
    ret->reply[0] = ret->match_note[0] = ret->reject_note[0] = '\0';
    ret->tag[0] = ret->log_text[0] = '\0';
    ret->reply_length = 0;
    ret->has_hit_limit = run->status == MAPPING_LIMIT;
    ret->entry = mapping_run_entry(run);
    ret->is_matched = ret->entry != NULL;
    ret->is_rejected = (mapping_run_flags(run) & (FLAG_OF('N') | FLAG_OF('F'))) != 0;
    ret->is_permitted = !ret->is_rejected && (mapping_run_flags(run) & FLAG_OF('Y')) &&
                        ret->entry && names_client(ret->entry);
    if (ret->is_matched)
        give_out(run, ret);
}
