/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/value.h"
#include "files/number.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

/* With at least this many digits, all 0 or 1, a decimal DEBUG looks like a mask in another base. */
#define BINARY_DIGITS_MIN 5

/* Reads an integer of any size, or adds an error. */
static int parse_integer(const struct value_source *source, int64_t *ret)
{
    char reason[NUMBER_REASON_MAX];
    int r = number_parse(source->text, ret, reason);

    if (r < 0)
        value_error(source, VALUE_SHOWN ": %s", VALUE_ARGS(source), reason);
    return r;
}

/* Brings a value that is out of range into the option's range, if the option allows that. What is
 * no integer at all (dispatcher.cnf(5)) stays an error. */
static int64_t adjust(const struct value_source *source, int64_t value)
{
    const struct option *option = source->option;

    if (value > option->max && value <= INT_MAX && (option->flags & OPTION_LOWERED)) {
        value_warning(source, VALUE_SHOWN " is above the maximum; %" PRId64 " is used",
                      VALUE_ARGS(source), option->max);
        return option->max;
    }
    if (value == 0 && option->min > 0 && (option->flags & OPTION_RAISED)) {
        value_warning(source, VALUE_SHOWN " is below the minimum; %" PRId64 " is used",
                      VALUE_ARGS(source), option->min);
        return option->min;
    }
    return value;
}

static int parse_in_range(const struct value_source *source, int64_t *ret)
{
    const struct option *option = source->option;
    int64_t value;
    int r = parse_integer(source, &value);

    if (r < 0)
        return r;
    value = adjust(source, value);
    bool is_zero_allowed = option->flags & OPTION_OR_ZERO;
    if ((value < option->min || value > option->max) && !(value == 0 && is_zero_allowed)) {
        value_error(source, VALUE_SHOWN " is out of range; allowed: %s%" PRId64 " to %" PRId64 "",
                    VALUE_ARGS(source), is_zero_allowed ? "0, or " : "", option->min, option->max);
        return -EINVAL;
    }
    *ret = value;
    return 0;
}

static int parse_count(const struct value_source *source, void *place)
{
    int64_t value;
    int r = parse_in_range(source, &value);

    if (r == 0)
        *(unsigned *)place = (unsigned)value;
    return r;
}

static void print_count(const char *name, const void *place, FILE *stream)
{
    fprintf(stream, "%s=%u\n", name, *(const unsigned *)place);
}

static bool is_count_set(const struct option *option, const void *place)
{
    return *(const unsigned *)place != option->default_value;
}

const struct option_type value_count = {
    .name = "integer",
    .parse = parse_count,
    .size = sizeof(unsigned),
    .print = print_count,
    .is_set = is_count_set,
};

static int parse_flag(const struct value_source *source, void *place)
{
    int64_t value;
    int r = parse_in_range(source, &value);

    if (r == 0)
        *(bool *)place = value != 0;
    return r;
}

static void print_flag(const char *name, const void *place, FILE *stream)
{
    fprintf(stream, "%s=%d\n", name, *(const bool *)place);
}

static bool is_flag_set(const struct option *option, const void *place)
{
    return *(const bool *)place != option->default_value;
}

const struct option_type value_flag = {
    .name = "0 or 1",
    .parse = parse_flag,
    .size = sizeof(bool),
    .print = print_flag,
    .is_set = is_flag_set,
};

/* A negative mask is in two's complement: -1 is all bits (dispatcher.cnf(5)). */
static int parse_mask(const struct value_source *source, void *place)
{
    int64_t value;
    int r = parse_in_range(source, &value);

    if (r < 0)
        return r;
    if (number_looks_binary(source->text, BINARY_DIGITS_MIN))
        value_warning(source,
                      VALUE_SHOWN " is the decimal number; write %s=16%%%.60s for a hexadecimal "
                                  "mask",
                      VALUE_ARGS(source), VALUE_ARGS(source));
    *(uint32_t *)place = (uint32_t)value;
    return 0;
}

/* In hexadecimal, as people think of masks; reading a decimal 10010 would cause a warning. */
static void print_mask(const char *name, const void *place, FILE *stream)
{
    uint32_t mask = *(const uint32_t *)place;

    fprintf(stream, mask == 0 ? "%s=%" PRIX32 "\n" : "%s=16%%%" PRIX32 "\n", name, mask);
}

static bool is_mask_set(const struct option *option _unused_, const void *place)
{
    return *(const uint32_t *)place != 0;
}

const struct option_type value_mask = {
    .name = "integer, a mask of 32 bits",
    .parse = parse_mask,
    .size = sizeof(uint32_t),
    .print = print_mask,
    .is_set = is_mask_set,
};
