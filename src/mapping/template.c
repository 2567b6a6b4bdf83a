/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/template.h"

#include "base/macro.h"
#include "base/str.h"
#include "mapping/character.h"
#include "mapping/metermaid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct compiler {
    const char *at;
    const char *end;
    struct arena *arena;
    const struct place *place;
    unsigned n_fields;
    struct template_element elements[TEMPLATE_BYTES_MAX];
    size_t n_elements;
    char text[TEMPLATE_BYTES_MAX]; /* ordinary characters that are not an element yet */
    size_t text_length;
    char control; /* the last control letter; 0: none */
    struct template template;
};

/* A part of the template: the template itself, or an argument. */
struct part {
    char closing; /* the character that ends it; 0: the template itself */
    const char *name;
    const struct part *outer;
};

static int read_part(struct compiler *compiler, const struct part *part);

static int broken(const struct compiler *compiler, const char *fault)
{
    place_error(compiler->place, "the template %s", fault);
    return -EINVAL;
}

static int end_text(struct compiler *compiler)
{
    if (compiler->text_length == 0)
        return 0;
    char *text = arena_copy_text(compiler->arena, compiler->text, compiler->text_length);
    if (!text)
        return -ENOMEM;
    compiler->elements[compiler->n_elements++] = (struct template_element){
        .kind = TEMPLATE_TEXT, .text = text, .length = (uint16_t)compiler->text_length};
    compiler->text_length = 0;
    return 0;
}

static int add(struct compiler *compiler, struct template_element element)
{
    int r = end_text(compiler);

    if (r == 0)
        compiler->elements[compiler->n_elements++] = element;
    return r;
}

/* Notes why the template cannot be used; the first reason counts. */
_printf_(3, 4) static int add_fault(struct compiler *compiler, const char *name, const char *format,
                                    ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (!compiler->template.fault)
        compiler->template.fault = arena_copy_text(compiler->arena, text, strlen(text));
    if (!compiler->template.fault)
        return -ENOMEM;
    return add(compiler, (struct template_element){.kind = TEMPLATE_UNSUPPORTED, .text = name});
}

/* Adds an element that may fail. If there is no control letter to its left, failing ends the
 * mapping. */
static int add_fallible(struct compiler *compiler, struct template_element element)
{
    if (compiler->control == 0 || compiler->control == 'E')
        compiler->template.may_end_mapping = true;
    return add(compiler, element);
}

static int add_character(struct compiler *compiler, char c)
{
    if (character_is_control(c) && c != CHARACTER_LINE_END)
        return broken(compiler, "has a control character");
    compiler->text[compiler->text_length++] = c;
    return 0;
}

static int add_flag(struct compiler *compiler, uint32_t flag)
{
    compiler->template.flags |= flag;
    return add(compiler, (struct template_element){.kind = TEMPLATE_FLAG, .flag = flag});
}

static int add_letter(struct compiler *compiler, char letter)
{
    letter = character_upper(letter);
    if (!strchr("CELR", letter))
        return add_flag(compiler, FLAG_OF(letter));
    compiler->control = letter;
    return add(compiler, (struct template_element){.kind = TEMPLATE_CONTROL, .letter = letter});
}

static int add_field(struct compiler *compiler, char digit)
{
    unsigned number = (unsigned)(digit - '0');

    if (number >= compiler->n_fields)
        return add_fault(
            compiler, "$ and a digit", "has $%u, but its pattern has %u %s, numbered from 0",
            number, compiler->n_fields, str_plural(compiler->n_fields, "wildcard", "wildcards"));
    return add(compiler,
               (struct template_element){.kind = TEMPLATE_FIELD, .number = (uint8_t)number});
}

/* Reads "1E", after the plus. Other letters have no meaning (dispatcher-mappings(5)). */
static int read_plus(struct compiler *compiler)
{
    if (compiler->end - compiler->at < 2 || compiler->at[0] != '1' ||
        !character_is_letter(compiler->at[1]))
        return broken(compiler, "has $+ that is not followed by 1E");
    char letter = character_upper(compiler->at[1]);
    compiler->at += 2;
    if (letter != 'E')
        return 0;
    return add(compiler, (struct template_element){.kind = TEMPLATE_END_NOW});
}

static int read_test(struct compiler *compiler, bool wants_clear)
{
    if (compiler->at == compiler->end)
        return broken(compiler, "ends before the letter of an input flag");
    char letter = *compiler->at++;
    return add_fallible(
        compiler, (struct template_element){
                      .kind = TEMPLATE_TEST,
                      .letter = letter,
                      .wants_clear = wants_clear,
                      .flag = character_is_letter(letter) ? FLAG_OF(character_upper(letter)) : 0,
                  });
}

/* Reads digits of a percentage, each worth a tenth of the one before. Returns how many there are.
 */
static size_t read_digits(struct compiler *compiler, uint32_t worth, uint64_t *value)
{
    size_t n = 0;

    for (; compiler->at < compiler->end && character_is_digit(*compiler->at); n++, worth /= 10)
        *value += (uint64_t)worth * (unsigned)(*compiler->at++ - '0');
    return n;
}

/* Reads "25?" or "2.5?", after the first question mark. */
static int read_chance(struct compiler *compiler)
{
    const char *whole = compiler->at;
    size_t n_whole = 0, n_decimals = 0;
    uint32_t worth = CHANCE_WHOLE / 100;
    uint64_t value = 0;

    while (whole < compiler->end && character_is_digit(*whole))
        whole++;
    for (size_t i = 1; i < (size_t)(whole - compiler->at) && i < 3; i++)
        worth *= 10;
    n_whole = read_digits(compiler, worth, &value);
    if (compiler->at < compiler->end && *compiler->at == '.') {
        compiler->at++;
        n_decimals = read_digits(compiler, CHANCE_WHOLE / 1000, &value);
    }
    if (n_whole + n_decimals == 0 || n_whole > 3 || n_decimals > CHANCE_DECIMALS ||
        compiler->at == compiler->end || *compiler->at != '?' || value > CHANCE_WHOLE)
        return broken(compiler, "has a $? without a number from 0 to 100, of at most six decimals, "
                                "and a ? behind it");
    compiler->at++;
    return add_fallible(
        compiler, (struct template_element){.kind = TEMPLATE_CHANCE, .chance = (uint32_t)value});
}

/* Calls */

/* Reads "table;string|", after the first bar. */
static int read_table_call(struct compiler *compiler, const struct part *outer)
{
    const struct part part = {.closing = '|', .name = "$|", .outer = outer};
    const char *name = compiler->at;
    const char *end = memchr(name, ';', (size_t)(compiler->end - name));

    if (!end || !character_is_name(name, (size_t)(end - name)))
        return broken(compiler, "has a $| without a table's name and ; behind it, "
                                "as in $|INTERNAL_IP;$3|");
    struct table_call *call = arena_alloc(compiler->arena, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->name = arena_copy_text(compiler->arena, name, (size_t)(end - name));
    if (!call->name)
        return -ENOMEM;
    compiler->at = end + 1;
    int r = add(compiler, (struct template_element){.kind = TEMPLATE_ARGUMENT});
    if (r == 0)
        r = read_part(compiler, &part);
    if (r < 0)
        return r;
    return add_fallible(compiler, (struct template_element){.kind = TEMPLATE_TABLE, .call = call});
}

/* What is known about the argument that began with element `first`. */
static void outline(const struct compiler *compiler, size_t first, char text[])
{
    size_t length = 0;

    for (size_t i = first; i < compiler->n_elements; i++) {
        const struct template_element *element = &compiler->elements[i];

        if (element->kind == TEMPLATE_TEXT) {
            memcpy(text + length, element->text, element->length);
            length += element->length;
        } else if (element->kind != TEMPLATE_CASE && element->kind != TEMPLATE_ARGUMENT) {
            text[length++] = CALLOUT_UNKNOWN;
        }
    }
    text[length] = '\0';
}

/* Reads "image,routine,argument]", after the bracket. */
static int read_callout(struct compiler *compiler, const struct part *outer)
{
    const struct part part = {.closing = ']', .name = "$[", .outer = outer};
    const char *image = compiler->at, *end = compiler->end;
    const char *routine = memchr(image, ',', (size_t)(end - image));
    const char *comma = routine ? memchr(routine + 1, ',', (size_t)(end - routine - 1)) : NULL;
    const char *closing = memchr(image, ']', (size_t)(end - image));
    char known[TEMPLATE_BYTES_MAX + 1];
    enum callout_routine number = 0;
    bool is_metermaid = false;

    if (!comma || !closing || closing < comma)
        return broken(compiler, "has a $[ that is not $[image,routine,argument]");
    const char *fault = callout_find(image, (size_t)(routine - image), routine + 1,
                                     (size_t)(comma - routine - 1), &number, &is_metermaid);
    compiler->at = comma + 1;
    int r = add(compiler, (struct template_element){.kind = TEMPLATE_ARGUMENT});
    size_t first = compiler->n_elements;
    if (r == 0)
        r = read_part(compiler, &part);
    if (r < 0)
        return r;
    if (fault)
        return add_fault(compiler, "$[ of an unknown routine", "%s", fault);
    outline(compiler, first, known);
    fault = is_metermaid ? metermaid_check(known) : callout_check(number, known);
    if (fault)
        return add_fault(compiler, "$[ with a wrong argument", "calls %s, which %s",
                         callout_routine_to_string(number), fault);
    return add_fallible(compiler, (struct template_element){.kind = TEMPLATE_CALLOUT,
                                                            .routine = number,
                                                            .is_metermaid = is_metermaid});
}

/* Elements of the original that are not available here. */
static const struct {
    char opening;
    char closing; /* 0: the element is one character */
    const char *name;
    const char *what;
} foreign[] = {
    {'#', '#', "$#", "a sequence number"}, {'{', '}', "${", "a lookup in the general table"},
    {']', '[', "$]", "an LDAP lookup"},    {'}', '{', "$}", "a lookup of a domain's attribute"},
    {'=', 0, "$=", "quoting for LDAP"},
};

static int read_foreign(struct compiler *compiler, char opening)
{
    for (size_t i = 0; i < ELEMENTSOF(foreign); i++) {
        if (foreign[i].opening != opening)
            continue;
        if (foreign[i].closing) {
            const char *end =
                memchr(compiler->at, foreign[i].closing, (size_t)(compiler->end - compiler->at));

            if (!end) {
                place_error(compiler->place, "the template's %s lacks its closing %c",
                            foreign[i].name, foreign[i].closing);
                return -EINVAL;
            }
            compiler->at = end + 1;
        }
        return add_fault(compiler, foreign[i].name, "uses %s (%s), which is not available",
                         foreign[i].name, foreign[i].what);
    }
    place_error(compiler->place, "the template has the unknown element $%c", opening);
    return -EINVAL;
}

/* Reads control letters, flags and tests, which may occur in a template, but not in an argument. */
static int read_command(struct compiler *compiler, char c)
{
    switch (c) {
    case '+':
        return read_plus(compiler);
    case '<':
        return add_flag(compiler, FLAG_LOG_MATCH);
    case '>':
        return add_flag(compiler, FLAG_LOG_REJECT);
    case ':':
    case ';':
        return read_test(compiler, c == ';');
    case '?':
        return read_chance(compiler);
    default:
        return add_letter(compiler, c);
    }
}

static int add_case(struct compiler *compiler, enum letter_case letter_case)
{
    return add(compiler,
               (struct template_element){.kind = TEMPLATE_CASE, .letter_case = letter_case});
}

/* Reads what follows a dollar. */
static int read_dollar(struct compiler *compiler, const struct part *part)
{
    if (compiler->at == compiler->end)
        return broken(compiler, "ends in a dollar; the dollar itself is written as $$, "
                                "a blank as dollar and blank");
    char c = *compiler->at++;
    for (const struct part *p = part; p; p = p->outer)
        if (p->closing == c) {
            place_error(compiler->place, "the argument of %s cannot contain a %c", p->name, c);
            return -EINVAL;
        }
    if (character_is_letter(c) || strchr("+<>:;?", c)) {
        if (!part->closing)
            return read_command(compiler, c);
        place_error(compiler->place, "the argument of %s cannot contain $%c", part->name, c);
        return -EINVAL;
    }
    if (character_is_digit(c))
        return add_field(compiler, c);
    switch (c) {
    case '$':
    case ' ':
    case '\t':
    case '~':
        return add_character(compiler, c);
    case '|':
        return read_table_call(compiler, part);
    case '[':
        return read_callout(compiler, part);
    case '\\':
        return add_case(compiler, CASE_LOWER);
    case '^':
        return add_case(compiler, CASE_UPPER);
    case '_':
        return add_case(compiler, CASE_KEPT);
    default:
        return read_foreign(compiler, c);
    }
}

/* Reads to the end of the part, and past its closing character. */
static int read_part(struct compiler *compiler, const struct part *part)
{
    int r = 0;

    while (r == 0 && compiler->at < compiler->end) {
        char c = *compiler->at++;

        if (part->closing && c == part->closing)
            return end_text(compiler);
        if (part->outer && part->outer->closing && c == part->outer->closing)
            break;
        r = c == '$' ? read_dollar(compiler, part)
                     : add_character(compiler, c == '~' ? CHARACTER_LINE_END : c);
    }
    if (r == 0 && part->closing) {
        place_error(compiler->place, "the template's %s lacks its closing %c", part->name,
                    part->closing);
        return -EINVAL;
    }
    return r < 0 ? r : end_text(compiler);
}

int template_compile(const char *text, size_t length, unsigned n_fields, struct arena *arena,
                     const struct place *place, struct template *ret)
{
    const struct part whole = {0};
    struct compiler compiler; /* not initialized: its arrays are filled as far as they are used */

    if (length > TEMPLATE_BYTES_MAX) {
        place_error(place, "the template has %zu characters; at most %d are allowed", length,
                    TEMPLATE_BYTES_MAX);
        return -EINVAL;
    }
    compiler.at = text;
    compiler.end = text + length;
    compiler.arena = arena;
    compiler.place = place;
    compiler.n_fields = n_fields;
    compiler.n_elements = compiler.text_length = 0;
    compiler.control = 0;
    compiler.template = (struct template){0};
    int r = read_part(&compiler, &whole);
    if (r < 0)
        return r;
    compiler.template.n_elements = (uint16_t)compiler.n_elements;
    compiler.template.elements =
        arena_copy(arena, compiler.elements, compiler.n_elements * sizeof(compiler.elements[0]));
    if (!compiler.template.elements)
        return -ENOMEM;
    *ret = compiler.template;
    return 0;
}
