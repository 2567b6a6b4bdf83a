/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A pattern and a string, with a line feed between them: compiling works or says why not, and
 * comparing takes no more than its steps. Fields lie in the string. */
#include "mapping/pattern.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct pattern *pattern, const char *text, size_t length)
{
    struct pattern_field fields[PATTERN_FIELDS_MAX];
    static struct pattern_input input;
    uint64_t steps = 0;

    pattern_input_set(&input, text, length);
    enum pattern_outcome outcome = pattern_match(pattern, &input, fields, &steps);
    /* The last step may be one of many characters. */
    if (steps > PATTERN_STEPS_MAX + 2 * PATTERN_INPUT_MAX)
        abort();
    if (outcome != PATTERN_MATCHES)
        return;
    for (unsigned i = 0; i < pattern->n_fields && i < PATTERN_FIELDS_MAX; i++)
        if (fields[i].start + fields[i].length > length)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    struct problem_list problems = {0};
    const struct place place = {&problems, "mappings", 1};
    struct arena arena = {0};
    struct pattern pattern;

    if (!end)
        return 0;
    const char *text = (const char *)end + 1;
    size_t length = size - (size_t)(end - data) - 1;
    int r = pattern_compile((const char *)data, (size_t)(end - data), &arena, &place, &pattern);
    if ((r == 0) != (problems.n_errors == 0))
        abort();
    if (r == 0)
        compare(&pattern, text, length < PATTERN_INPUT_MAX ? length : PATTERN_INPUT_MAX);
    problem_list_clear(&problems);
    arena_clear(&arena);
    return 0;
}
