/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "files/number.h"

#include "base/str.h"
#include "files/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BASE_MIN 2
#define BASE_MAX 36

/* How much of an invalid number a message quotes. */
#define SHOWN_MAX 40

/* The value of a digit in any base; BASE_MAX if it is no digit. */
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A') + 10;
    return BASE_MAX;
}

static bool is_sign(char c)
{
    return c == '+' || c == '-';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* True if all of `text` are digits of the base, and there is at least one. */
static bool is_digits(const char *text, unsigned base)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (digit_value(*text) >= base)
            return false;
    return true;
}

static int refuse(char reason[NUMBER_REASON_MAX], const char *format, ...) _printf_(2, 3);

static int refuse(char reason[NUMBER_REASON_MAX], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, NUMBER_REASON_MAX, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* Says why `c` cannot be one of the digits; `text` is the number without its sign. */
static int refuse_digit(const char *text, char c, unsigned base, bool is_based, bool is_negative,
                        char reason[NUMBER_REASON_MAX])
{
    if (is_blank(c))
        return refuse(reason, "an integer must not contain a blank");
    if (is_sign(c))
        return refuse(reason, "an integer has at most one sign, before the number");
    if (c == '%')
        return refuse(reason,
                      "an integer has at most one %%, between base and value, as in 16%%19");
    if (is_based)
        return refuse(reason, "'%c' is not a digit of base %u", c, base);
    if (str_starts_nocase(text, "0x") && is_digits(text + 2, 16))
        return refuse(reason, "write %s16%%%.*s for a hexadecimal number", is_negative ? "-" : "",
                      SHOWN_MAX, text + 2);
    if (is_digits(text, 16))
        return refuse(reason,
                      "'%c' is not a decimal digit; write 16%%%.*s for a hexadecimal number", c,
                      SHOWN_MAX, text);
    return refuse(reason, "'%c' is not a decimal digit; an integer is written as 25 or as 16%%19",
                  c);
}

/* Reads the base before the %. Returns it, or a negative errno. */
static int parse_base(const char *text, size_t length, char reason[NUMBER_REASON_MAX])
{
    int base = 0;

    if (length == 0)
        return refuse(reason, "the base is missing before the %%, as in 16%%19");
    for (size_t i = 0; i < length; i++) {
        unsigned digit = digit_value(text[i]);

        if (digit > 9)
            return refuse_digit(text, text[i], 10, true, false, reason);
        if (base <= BASE_MAX)
            base = base * 10 + (int)digit;
    }
    if (base < BASE_MIN || base > BASE_MAX)
        return refuse(reason, "the base before the %% must be %d to %d", BASE_MIN, BASE_MAX);
    return base;
}

int number_parse(const char *text, int64_t *ret, char reason[NUMBER_REASON_MAX])
{
    const char *rest = text;
    unsigned base = 10;
    int64_t value = 0;

    if (!*text)
        return refuse(reason, "an integer is missing after the =");
    if (text_has_comment(text))
        return refuse(reason, "a comment must be on a line of its own");
    bool has_sign = is_sign(*rest), is_negative = *rest == '-';
    if (has_sign)
        rest++;

    const char *percent = strchr(rest, '%');
    if (percent) {
        int r = parse_base(rest, (size_t)(percent - rest), reason);

        if (r < 0)
            return r;
        base = (unsigned)r;
        rest = percent + 1;
        if (!has_sign && is_sign(*rest))
            is_negative = *rest++ == '-';
        if (str_starts_nocase(rest, "0x") && is_digits(rest + 2, 16) && base == 16)
            return refuse(reason, "write %s16%%%.*s, without the 0x", is_negative ? "-" : "",
                          SHOWN_MAX, rest + 2);
    }
    if (!*rest)
        return refuse(reason, "digits are missing after the %s", percent ? "%" : "sign");
    for (const char *c = rest; *c; c++) {
        unsigned digit = digit_value(*c);

        if (digit >= base)
            return refuse_digit(rest, *c, base, percent != NULL, is_negative, reason);
        if (__builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_add_overflow(value, (int64_t)digit, &value))
            return refuse(reason, "the number is far too large");
    }
    *ret = is_negative ? -value : value;
    return 0;
}

int number_parse_environment_mask(const char *text, uint32_t *ret)
{
    uint32_t mask = 0;

    if (strcmp(text, "-1") == 0) {
        *ret = UINT32_MAX;
        return 0;
    }
    if (str_starts_nocase(text, "0x"))
        text += 2;
    else if (str_starts_nocase(text, "16%"))
        text += 3;
    if (!is_digits(text, 16) || strlen(text) > 8)
        return -EINVAL;
    for (; *text; text++)
        mask = mask << 4 | digit_value(*text);
    *ret = mask;
    return 0;
}

bool number_looks_binary(const char *text, size_t min_digits)
{
    return is_digits(text, 2) && strlen(text) >= min_digits;
}
