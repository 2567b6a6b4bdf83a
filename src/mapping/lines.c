/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/lines.h"

#include "mapping/character.h"

size_t lines_word(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && !character_is_blank(text[n]))
        n += text[n] == '$' && n + 1 < length ? 2 : 1;
    return n;
}

static size_t count_blanks(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && character_is_blank(text[n]))
        n++;
    return n;
}

/* Two words after blanks: probably an entry, and the backslash before it a mistake. */
static bool looks_like_entry(const char *text, size_t length)
{
    size_t start = count_blanks(text, length);
    size_t end = start + lines_word(text + start, length - start);

    return start > 0 && count_blanks(text + end, length - end) < length - end;
}

const struct reader_rules mapping_line_rules = {
    .line_max = MAPPING_LINE_MAX,
    .too_long = "the line has more than 4096 characters",
    .comment_marks = "!;",
    .include_example = CONFIG_DIR "/site",
    .has_columns = true,
    .may_be_missing = true,
    .cut_off = PROBLEM_WARNING,
    .cut_off_text = "the file ends after a backslash, which joins a line with the next",
    .is_joined_by_mistake = looks_like_entry,
};
