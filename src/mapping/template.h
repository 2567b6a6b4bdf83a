/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Templates of a mapping file (dispatcher-mappings(5)), compiled when the file is read. */
#pragma once

#include "files/place.h"
#include "mapping/arena.h"
#include "mapping/callout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a template (dispatcher-mappings(5)). */
#define TEMPLATE_BYTES_MAX 1024

/* Nesting of arguments: that of $|…| may contain a $[…], and the other way round. */
#define TEMPLATE_ARGUMENTS_MAX 2

/* Flags: a bit for each letter, and two more. */
#define FLAG_OF(letter) (UINT32_C(1) << ((letter) - 'A'))
#define FLAG_LOG_MATCH  (UINT32_C(1) << 26) /* $< */
#define FLAG_LOG_REJECT (UINT32_C(1) << 27) /* $> */

/* What $?100? stands for: a percentage may have six decimals. */
#define CHANCE_WHOLE    UINT32_C(100000000)
#define CHANCE_DECIMALS 6

enum letter_case {
    CASE_KEPT,
    CASE_LOWER,
    CASE_UPPER,
};

enum template_kind {
    TEMPLATE_TEXT,        /* itself */
    TEMPLATE_FIELD,       /* what a wildcard matched */
    TEMPLATE_CONTROL,     /* C, E, L, R */
    TEMPLATE_END_NOW,     /* $+1E */
    TEMPLATE_FLAG,        /* sets `flag` */
    TEMPLATE_TEST,        /* fails unless the input flag is as required */
    TEMPLATE_CHANCE,      /* fails with some probability */
    TEMPLATE_CASE,        /* changes the case of what follows */
    TEMPLATE_ARGUMENT,    /* begins the argument of a call */
    TEMPLATE_TABLE,       /* ends it: applies a table to it */
    TEMPLATE_CALLOUT,     /* ends it: calls a routine with it */
    TEMPLATE_UNSUPPORTED, /* not available here: fails */
};

struct mapping_table;

/* The table of a call, which may follow later in the file. */
struct table_call {
    const char *name;
    struct mapping_table *table; /* resolved when all is read; NULL: there is none */
};

struct template_element {
    enum template_kind kind;
    union {
        char letter;                  /* CONTROL: upper case; TEST, as in the file */
        uint8_t number;               /* FIELD */
        enum letter_case letter_case; /* CASE */
        enum callout_routine routine; /* CALLOUT */
    };
    union {
        bool wants_clear;  /* TEST: the flag must not be set */
        bool is_metermaid; /* CALLOUT: the argument is one of check_metermaid */
    };
    uint16_t length; /* TEXT */
    union {
        uint32_t flag;   /* FLAG; TEST: 0 for a character that is no letter, and never set */
        uint32_t chance; /* CHANCE: of CHANCE_WHOLE */
    };
    union {
        const char *text;        /* TEXT: with CHARACTER_LINE_END; UNSUPPORTED: its name */
        struct table_call *call; /* TABLE */
    };
};

/* All memory is in the arena. */
struct template
{
    const struct template_element *elements;
    const char *fault; /* why PORT_ACCESS cannot use it; NULL: it can */
    uint32_t flags;    /* all that it may set */
    uint16_t n_elements;
    bool may_end_mapping; /* an element that may fail has no $C, $L or $R to its left */
};

/* Compiles `text`, in which blanks are quoted, for a pattern with that many fields. Returns 0;
 * -EINVAL after an error was added; or -ENOMEM. What PORT_ACCESS cannot use is no error, but a
 * fault. */
int template_compile(const char *text, size_t length, unsigned n_fields, struct arena *arena,
                     const struct place *place, struct template *ret);
