/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/pattern.h"

#include "base/str.h"
#include "mapping/character.h"

#include <errno.h>
#include <string.h>

struct compiler {
    const char *at;
    const char *end;
    struct arena *arena;
    const struct place *place;
    struct pattern_element elements[PATTERN_BYTES_MAX];
    size_t n_elements;
    char text[PATTERN_BYTES_MAX]; /* ordinary characters that are not an element yet */
    size_t text_length;
    struct pattern pattern;
    bool is_kept[PATTERN_FIELDS_MAX]; /* which fields exist */
};

/* Modifiers between a dollar and its wildcard. */
struct modifiers {
    bool is_lazy;
    bool is_unsaved;
    bool is_any; /* there was one */
};

static int broken(const struct compiler *compiler, const char *fault)
{
    place_error(compiler->place, "the pattern %s", fault);
    return -EINVAL;
}

/* Reads one character of a set, quoted or not. Returns 1, 0 at the end of the set, or -EINVAL at
 * the end of the pattern. */
static int read_set_character(struct compiler *compiler, char *ret)
{
    if (compiler->at == compiler->end)
        return -EINVAL;
    char c = *compiler->at++;
    if (c == ']')
        return 0;
    /* A blank must be quoted here too, or it would end the pattern. */
    bool is_quoted_blank =
        c == '$' && compiler->at < compiler->end && character_is_blank(*compiler->at);
    if (c == '\\' || is_quoted_blank) {
        if (compiler->at == compiler->end)
            return -EINVAL;
        c = *compiler->at++;
    }
    *ret = c;
    return 1;
}

static bool is_range(const struct compiler *compiler)
{
    return compiler->end - compiler->at >= 2 && compiler->at[0] == '-' && compiler->at[1] != ']';
}

/* Reads "c1c2c3-c4]", after the bracket. */
static int read_set(struct compiler *compiler, struct character_set *set)
{
    char first, last;
    int r;

    while ((r = read_set_character(compiler, &first)) > 0) {
        if (!is_range(compiler)) {
            character_set_add(set, first);
            continue;
        }
        compiler->at++;
        if (read_set_character(compiler, &last) <= 0)
            break;
        if ((unsigned char)first > (unsigned char)last)
            return broken(compiler, "has a range whose end is before its start");
        character_set_add_range(set, first, last);
    }
    return r == 0 ? 0 : broken(compiler, "has a $[ whose ] is missing");
}

/* Elements */

static int add_element(struct compiler *compiler, struct pattern_element element)
{
    compiler->elements[compiler->n_elements++] = element;
    return 0;
}

static int end_text(struct compiler *compiler)
{
    if (compiler->text_length == 0)
        return 0;
    char *text = arena_copy_text(compiler->arena, compiler->text, compiler->text_length);
    if (!text)
        return -ENOMEM;
    pattern_pairs_add(&compiler->pattern.pairs, text, compiler->text_length);
    add_element(compiler, (struct pattern_element){.kind = PATTERN_TEXT,
                                                   .field = -1,
                                                   .length = (uint16_t)compiler->text_length,
                                                   .text = text});
    compiler->text_length = 0;
    return 0;
}

static int add_character(struct compiler *compiler, char c)
{
    if (character_is_control(c))
        return broken(compiler, "has a control character");
    compiler->text[compiler->text_length++] = character_fold(c);
    return 0;
}

/* The next number; templates can use only the first ten. */
static int8_t next_field(struct compiler *compiler)
{
    unsigned number = compiler->pattern.n_fields++;

    if (number >= PATTERN_FIELDS_MAX)
        return -1;
    compiler->is_kept[number] = true;
    return (int8_t)number;
}

/* Reads "*" or "%", after its set; NULL: any character. */
static int add_wildcard(struct compiler *compiler, struct modifiers modifiers,
                        const struct character_set *set)
{
    struct pattern_element element = {.is_lazy = modifiers.is_lazy, .set = set, .field = -1};

    if (compiler->at == compiler->end || (*compiler->at != '*' && *compiler->at != '%'))
        return broken(compiler, "lacks a * or % after $ or after the set; "
                                "a dollar itself is written as $$");
    bool is_many = *compiler->at++ == '*';
    element.kind = is_many ? PATTERN_MANY : PATTERN_ONE;
    if (is_many)
        element.star = (uint8_t)compiler->pattern.n_stars++;
    if (!modifiers.is_unsaved)
        element.field = next_field(compiler);
    int r = end_text(compiler);
    return r < 0 ? r : add_element(compiler, element);
}

static int add_set_wildcard(struct compiler *compiler, struct modifiers modifiers,
                            const struct character_set *set)
{
    const struct character_set *copy = arena_copy(compiler->arena, set, sizeof(*set));

    return copy ? add_wildcard(compiler, modifiers, copy) : -ENOMEM;
}

/* Reads "n*", after the dollar. */
static int add_back_match(struct compiler *compiler, struct modifiers modifiers)
{
    unsigned number = (unsigned)(*compiler->at++ - '0');
    struct pattern_element element = {.kind = PATTERN_BACK, .number = (uint8_t)number, .field = -1};

    if (compiler->at == compiler->end || *compiler->at != '*')
        return broken(compiler, "lacks a * after $ and a digit");
    compiler->at++;
    if (!compiler->is_kept[number]) {
        place_error(compiler->place,
                    "the pattern's $%u* refers to wildcard %u, but only %u %s before it", number,
                    number, compiler->pattern.n_fields,
                    str_plural(compiler->pattern.n_fields, "is", "are"));
        return -EINVAL;
    }
    if (!modifiers.is_unsaved)
        element.field = next_field(compiler);
    compiler->pattern.has_back = true;
    int r = end_text(compiler);
    return r < 0 ? r : add_element(compiler, element);
}

/* Reads the "/n" of a network, after its address; `bits` is the default. */
static int read_bits(const char *text, const char *end, unsigned bits, unsigned *ret)
{
    unsigned value = 0;

    *ret = bits;
    if (text == end)
        return 0;
    if (*text++ != '/' || text == end || end - text > 3)
        return -EINVAL;
    for (; text < end; text++) {
        if (!character_is_digit(*text))
            return -EINVAL;
        value = value * 10 + (unsigned)(*text - '0');
    }
    *ret = value;
    return value <= bits ? 0 : -EINVAL;
}

/* Reads "address/n", after the opening bracket. */
static int add_network(struct compiler *compiler, char closing)
{
    struct network network = {.is_ipv6 = closing == '}'};
    unsigned all_bits = network.is_ipv6 ? 128 : 32, bits;
    const char *start = compiler->at;
    const char *end = memchr(start, closing, (size_t)(compiler->end - start));

    if (!end)
        return broken(compiler, "has an address whose closing bracket is missing");
    compiler->at = end + 1;
    const char *slash = memchr(start, '/', (size_t)(end - start));
    size_t length = (size_t)((slash ? slash : end) - start);
    if (network.is_ipv6 ? !network_read_ipv6(start, length, network.bytes)
                        : !network_read_ipv4(start, length, network.bytes)) {
        place_error(compiler->place, "the pattern's %.*s is not a valid %s address", (int)length,
                    start, network.is_ipv6 ? "IPv6" : "IPv4");
        return -EINVAL;
    }
    /* $<address/n> ignores the n low bits; the others compare the first n bits. */
    bool is_low = closing == '>';
    if (read_bits(start + length, end, all_bits, &bits) < 0) {
        place_error(compiler->place, "the pattern's %.*s needs a number of bits from 0 to %u",
                    (int)(end - start), start, all_bits);
        return -EINVAL;
    }
    network.n_bits = (uint8_t)(is_low && slash ? all_bits - bits : bits);
    /* $<address/n> ignores the low bits, so they may be set. */
    if (network_mask(&network) && !is_low)
        place_warning(compiler->place,
                      "the address in %.*s has bits set beyond the first %u; "
                      "they are ignored",
                      (int)(end - start), start, network.n_bits);

    const struct network *copy = arena_copy(compiler->arena, &network, sizeof(network));
    int r = end_text(compiler);
    if (!copy || r < 0)
        return -ENOMEM;
    return add_element(compiler, (struct pattern_element){.kind = PATTERN_NETWORK,
                                                          .field = next_field(compiler),
                                                          .network = copy});
}

static struct modifiers read_modifiers(struct compiler *compiler)
{
    struct modifiers modifiers = {0};

    for (; compiler->at < compiler->end; compiler->at++, modifiers.is_any = true)
        if (*compiler->at == '_')
            modifiers.is_lazy = true;
        else if (*compiler->at == '@' || *compiler->at == '^')
            modifiers.is_unsaved = *compiler->at == '@';
        else
            break;
    return modifiers;
}

/* Reads what follows a dollar. */
static int read_dollar(struct compiler *compiler)
{
    struct modifiers modifiers = read_modifiers(compiler);
    struct character_set set = {0};

    if (compiler->at == compiler->end)
        return broken(compiler, "ends in a dollar; the dollar itself is written as $$, "
                                "a blank as dollar and blank");
    char c = *compiler->at;
    if (modifiers.is_any && (c == '*' || c == '%'))
        return add_wildcard(compiler, modifiers, NULL);
    if (character_is_digit(c))
        return add_back_match(compiler, modifiers);
    compiler->at++;
    if (character_set_add_class(&set, c))
        return add_set_wildcard(compiler, modifiers, &set);
    if (c == '[') {
        int r = read_set(compiler, &set);

        return r < 0 ? r : add_set_wildcard(compiler, modifiers, &set);
    }
    if (!modifiers.is_any && (c == '(' || c == '<' || c == '{'))
        return add_network(compiler, c == '(' ? ')' : c == '<' ? '>' : '}');
    if (!modifiers.is_any && strchr("$*% \t", c))
        return add_character(compiler, c);
    place_error(compiler->place, "the pattern has the unknown element $%c", c);
    return -EINVAL;
}

static void find_what_follows(struct compiler *compiler)
{
    for (size_t i = 0; i < compiler->n_elements; i++) {
        struct pattern_element *element = &compiler->elements[i];

        if (element->kind != PATTERN_MANY)
            continue;
        if (i + 1 == compiler->n_elements)
            element->next = PATTERN_NEXT_END;
        else if (element[1].kind == PATTERN_TEXT)
            element->next = PATTERN_NEXT_TEXT;
        else
            element->next = PATTERN_NEXT_ANY;
    }
}

static int compile(struct compiler *compiler)
{
    int r = 0;

    while (r == 0 && compiler->at < compiler->end) {
        char c = *compiler->at;

        if (c == '*' || c == '%') {
            r = add_wildcard(compiler, (struct modifiers){0}, NULL);
            continue;
        }
        compiler->at++;
        r = c == '$' ? read_dollar(compiler) : add_character(compiler, c);
    }
    return r < 0 ? r : end_text(compiler);
}

int pattern_compile(const char *text, size_t length, struct arena *arena, const struct place *place,
                    struct pattern *ret)
{
    struct compiler compiler; /* not initialized: its arrays are filled as far as they are used */

    if (length > PATTERN_BYTES_MAX) {
        place_error(place, "the pattern has %zu characters; at most %d are allowed", length,
                    PATTERN_BYTES_MAX);
        return -EINVAL;
    }
    compiler.at = text;
    compiler.end = text + length;
    compiler.arena = arena;
    compiler.place = place;
    compiler.n_elements = compiler.text_length = 0;
    compiler.pattern = (struct pattern){0};
    memset(compiler.is_kept, 0, sizeof(compiler.is_kept));
    int r = compile(&compiler);
    if (r < 0)
        return r;
    find_what_follows(&compiler);
    compiler.pattern.n_elements = (uint16_t)compiler.n_elements;
    compiler.pattern.elements =
        arena_copy(arena, compiler.elements, compiler.n_elements * sizeof(compiler.elements[0]));
    if (!compiler.pattern.elements)
        return -ENOMEM;
    *ret = compiler.pattern;
    return 0;
}

bool pattern_is_network(const struct pattern *pattern, struct network *ret)
{
    const struct pattern_element *element = pattern->elements;

    if (pattern->n_elements != 1)
        return false;
    if (element->kind == PATTERN_NETWORK) {
        *ret = *element->network;
        return true;
    }
    if (element->kind != PATTERN_TEXT)
        return false;
    struct network network = {.n_bits = 32};
    if (network_read_ipv4(element->text, element->length, network.bytes)) {
        *ret = network;
        return true;
    }
    network = (struct network){.n_bits = 128, .is_ipv6 = true};
    if (!network_read_ipv6(element->text, element->length, network.bytes) ||
        !network_is_canonical_ipv6(element->text, element->length, network.bytes))
        return false;
    *ret = network;
    return true;
}
